/** What a stage needs of a worker, what a worker has, and what it may lack. The claim compares the first two. */
import { z } from 'zod';
import type { AttackName } from './attacks.ts';
import { type DatasetSpec, isBuiltIn } from './dataset-spec.ts';
import { type Dataset, type DatasetName, datasets } from './datasets.ts';
import type { RecipeName } from './recipes.ts';
import type { Worker } from './resources/workers.ts';
import type { StageKind } from './statuses.ts';

/** Stages with equal needs are alike: a worker that lacks something for one of them lacks it for all. */
export type StageNeed = {
  readonly kind: StageKind;
  /** The recipe of a training stage, the attack of an attack stage. A backend may lack operations that only some of them use. */
  readonly method: RecipeName | AttackName;
  readonly engineVersion: string;
  /** The name of the data set in the sweep that asked first. */
  readonly dataset: string;
  /** The digest of the data set: `dataOf`. */
  readonly digest: string;
  /** How many images of each split a worker must have: those of the extract, where they suffice, else those of the whole data set. */
  readonly images: number;
  /** Bytes that the stage needs at least, rounded down to a few sizes, so that many stages are alike. 0: every worker has them. */
  readonly memoryBytes: number;
};

/** A data set on the machine of a worker. */
export type WorkerDataset = {
  readonly digest: string;
  /** The images of each split: fewer than the whole data set has if the folder has an extract. */
  readonly images: number;
  /** Changes when a file of the data set changes. */
  readonly stamp: string;
};

/** What a worker may lack for a stage. It then hands the stage back, which costs no attempt. */
export const Lack = z.enum(['data', 'backend', 'disk', 'memory']);
export type Lack = z.infer<typeof Lack>;

const largest = ({ train, test }: Pick<Dataset, 'train' | 'test'>): number => Math.max(train, test);

/** The images of each split that a worker must have for a stage with this specification. */
export const imagesNeeded = ({ name, ...spec }: DatasetSpec): number => {
  if (!isBuiltIn(name)) return 1; // a worker has all of its images, or none
  const dataset: Dataset = datasets[name];
  return dataset.extract && largest(spec) <= dataset.extract.count ? dataset.extract.count : largest(dataset);
};

/** The name of a data set with this digest; the beginning of the digest if this version does not know it. */
export const datasetOfDigest = (digest: string): string =>
  (Object.keys(datasets) as DatasetName[]).find((name) => datasets[name].digest === digest) ??
  digest.slice(0, 12);

/** As many kinds of stages are named for each reason. */
const maxNamed = 3;

type Refusal = Worker['refusals'][number];

const refusedText = ({ kind, method, dataset }: Refusal): string => {
  if (kind === '') return 'stages of an older version';
  return `${kind === 'attack' ? `the attack ${method}` : `${kind} stages of ${method}`} on ${dataset}`;
};

/** The stages that a worker handed back, grouped by reason: `optimise stages of funn on mnist, … : the file … is missing`. */
export const describeRefusals = (refusals: readonly Refusal[]): readonly string[] => {
  const byReason = new Map<string, string[]>();
  for (const refusal of refusals)
    byReason.set(refusal.reason, [...(byReason.get(refusal.reason) ?? []), refusedText(refusal)]);
  return [...byReason].map(([reason, stages]) => {
    const more = stages.length > maxNamed ? ` and ${stages.length - maxNamed} more` : '';
    return `${stages.slice(0, maxNamed).join(', ')}${more}: ${reason}`;
  });
};

/** The largest number of trainers of one worker, each a process. For more, start more workers. */
export const slotLimit = 256;
