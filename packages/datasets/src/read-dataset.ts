/** From the files of the user to a canonical file, in order of execution. Runs in the reading process. */
import { rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DatasetContent, type DatasetSummary, datasetLayout, formatAmount } from '@funnel/contracts';
import { findClasses } from './classes.ts';
import { examineCanonical } from './examine-canonical.ts';
import { DatasetFault } from './fault.ts';
import { findPath, recogniseFormat } from './formats/registry.ts';
import { findCommon, readImages, type Tally } from './images/read-images.ts';
import type { ReadOptions } from './options.ts';
import { drawSheet } from './sheet.ts';
import type { Source } from './source.ts';
import { chooseTest } from './splits.ts';
import { type Images, writeCanonical } from './write-canonical.ts';

export type ReadRequest = {
  readonly path: string;
  /** An existing folder for the canonical file. */
  readonly folder: string;
  /** The largest canonical file. */
  readonly maxBytes: number;
  readonly options: ReadOptions;
};

export type ReadDataset = {
  /** The title of the format that was recognised. */
  readonly format: string;
  readonly content: DatasetContent;
  /** SHA-256 of the canonical file, and of each of its chunks. */
  readonly digest: string;
  readonly chunks: readonly string[];
  readonly bytes: number;
  readonly summary: DatasetSummary;
  /** What the user should know, in sentences. */
  readonly notes: readonly string[];
  /** The canonical file, `<digest>.bin` in the folder of the request. */
  readonly file: string;
  /** A PNG file with samples of each class. */
  readonly sheet: Uint8Array;
};

/** Images that were read, then bytes of the canonical file that were checked. */
export type Progress = { readonly step: 'read' | 'check'; readonly done: number; readonly of: number };

/** Labels, and which images are test images. */
type Plan = {
  readonly classes: readonly string[];
  readonly parts: readonly (Omit<Images, 'blocks'> & { readonly source: Source['train'] })[];
  readonly notes: readonly string[];
};

const percent = (share: number): string => `${Number((share * 100).toPrecision(3))} %`;

const planSplits = (path: string, source: Source, { classes, testShare, seed }: ReadOptions): Plan => {
  const { names, train, test } = findClasses(path, source, classes);
  if (source.test && test)
    return {
      classes: names,
      parts: [
        { source: source.train, labels: train, isTest: () => false },
        { source: source.test, labels: test, isTest: () => true },
      ],
      notes: [],
    };
  const chosen = chooseTest(train, testShare, seed);
  return {
    classes: names,
    parts: [{ source: source.train, labels: train, isTest: (index) => chosen[index]! }],
    notes: [
      `There are no test images, so ${percent(testShare)} of each class, chosen with the seed ${seed}, are the test images (--test-share, --seed).`,
    ],
  };
};

const countImages = ({ parts }: Plan, test: boolean): number =>
  parts.reduce(
    (sum, { labels, isTest }) => sum + labels.reduce((n, _, i) => n + Number(isTest(i) === test), 0),
    0,
  );

/** Throws DatasetFault if a split is empty, or if the content breaks a limit of data sets. */
const checkContent = (path: string, content: DatasetContent, maxBytes: number): DatasetContent => {
  if (content.test === 0)
    throw new DatasetFault(
      `${path}: expected test images, but there are none, and no class has two images, one of which could be for tests`,
    );
  const { success, error, data } = DatasetContent.safeParse(content);
  if (!success)
    throw new DatasetFault(
      `${path}: ${error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ')}`,
    );
  const { bytes } = datasetLayout(data);
  if (bytes > maxBytes)
    throw new DatasetFault(
      `${path}: expected a data set of at most ${maxBytes} bytes, but got ${bytes}: take fewer images, or --size`,
    );
  return data;
};

const alphaNotes = ({ alpha }: Tally): readonly string[] =>
  alpha === 0
    ? []
    : [
        `${formatAmount(alpha)} ${alpha === 1 ? 'picture has' : 'pictures have'} an alpha channel: laid on black.`,
      ];

const classNotes = (
  { classes }: DatasetContent,
  { trainCounts, testCounts }: DatasetSummary,
): readonly string[] => {
  const lacking = (counts: readonly number[]) => classes.filter((_, i) => counts[i] === 0).join(', ');
  const [train, test] = [lacking(trainCounts), lacking(testCounts)];
  return [
    ...(train === '' ? [] : [`No training images: ${train}.`]),
    ...(test === '' ? [] : [`No test images: ${test}.`]),
  ];
};

/** Writes the canonical file at `part`, and gives it its final name when it is whole. */
const write = async (
  part: string,
  content: DatasetContent,
  parts: readonly Images[],
  onProgress: (progress: Progress) => void,
): Promise<Pick<ReadDataset, 'digest' | 'chunks' | 'summary' | 'sheet' | 'file'>> => {
  const report = (step: Progress['step'], of: number) => {
    let done = 0;
    return (count: number): void => {
      done += count;
      onProgress({ step, done, of });
    };
  };
  await writeCanonical(part, content, parts, report('read', content.train + content.test));
  const examined = await examineCanonical(part, content, report('check', datasetLayout(content).bytes));
  const sheet = await drawSheet(part, content);
  const file = join(dirname(part), `${examined.digest}.bin`);
  await rename(part, file);
  return { ...examined, sheet, file };
};

/**
 * Reads the files at a path, and writes the canonical file, beside its final name until it is whole. Throws DatasetFault with the file and the
 * place that are wrong; then nothing is left in the folder.
 */
export const readDataset = async (
  { path, folder, maxBytes, options }: ReadRequest,
  onProgress: (progress: Progress) => void = () => {},
): Promise<ReadDataset> => {
  const found = await findPath(path);
  const format = recogniseFormat(found);
  const source = await format.open(found, options);
  const plan = planSplits(path, source, options);
  const common = await findCommon(path, source.train.images, options);
  const content = checkContent(
    path,
    {
      shape: [...common.shape],
      classes: [...plan.classes],
      train: countImages(plan, false),
      test: countImages(plan, true),
    },
    maxBytes,
  );
  const tally: Tally = { alpha: 0 };
  const parts = plan.parts.map(({ source: { images }, labels, isTest }) => ({
    blocks: readImages(images, options, common, tally),
    labels,
    isTest,
  }));
  const part = join(folder, `.${process.pid}.part`);
  const { file, ...written } = await write(part, content, parts, onProgress).catch(async (error) => {
    await rm(part, { force: true });
    throw error;
  });
  return {
    format: format.title,
    content,
    ...written,
    file,
    bytes: datasetLayout(content).bytes,
    notes: [...source.notes, ...plan.notes, ...alphaNotes(tally), ...classNotes(content, written.summary)],
  };
};
