/**
 * The data of a sweep and of its stages: which data set, and how many of its images. A user writes a `DatasetChoice`. The service finds the
 * data set of that name, and the definition then has a `SweepDataset`, which carries all that the planner needs: a name that gets other
 * content later changes no old sweep. A stage has a `DatasetSpec`.
 */
import { z } from 'zod';
import { Sha256 } from './checkpoint.ts';
import { DatasetContent, maxClasses, maxSplitImages } from './dataset-content.ts';
import { type Budgets, type Dataset, type DatasetName, datasetNames, datasets } from './datasets.ts';
import { AppError, type ProblemIssue } from './errors.ts';
import { likeThis } from './like-this.ts';
import { evenAfterFaults, rightParts } from './right-parts.ts';

/** The name of a data set: of a built-in one, or one that a user chose. Shorter than a digest, so that no name looks like one. */
export const DatasetSlug = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9._-]{0,62}$/,
    'Expected 1 to 63 of the characters a–z, 0–9, “.”, “_” and “-”, the first a letter or a digit',
  );

export const isBuiltIn = (name: string): name is DatasetName => Object.hasOwn(datasets, name);

/** Whether every worker makes the images itself, so that nobody needs to have them. */
export const isGenerated = (name: string): boolean => isBuiltIn(name) && datasets[name].files.length === 0;

/** Whether a visitor can draw such an image. The service uses the built-in name for a data set of a user with the same content. */
export const isDrawn = (name: string): boolean => isBuiltIn(name) && datasets[name].isDrawn;

/** What people call a data set. */
export const datasetTitle = (name: string): string => (isBuiltIn(name) ? datasets[name].title : name);

const Epsilons = z.strictObject({ linf: z.number().gt(0).max(1), l2: z.number().gt(0).max(1e4) });

/** What a definition carries of a data set that is not built in. */
export const SweepContent = DatasetContent.extend({
  /** The SHA-256 of the canonical form. */
  digest: Sha256,
  budgets: Epsilons,
});
export type SweepContent = z.infer<typeof SweepContent>;

/** What a stage carries of a data set that is not built in. The number of classes suffices; a thousand names would be in every stage. */
export const StageContent = SweepContent.omit({ classes: true, train: true, test: true }).extend({
  classCount: z.int().min(2).max(maxClasses),
});
export type StageContent = z.infer<typeof StageContent>;

const Images = z.int().min(1).max(maxSplitImages);
/** The numbers of images: always the first ones, so that a smaller set is part of a larger one. */
const sizes = {
  train: Images.meta({
    title: 'Training images',
    description: 'A sweep trains on the first images of the split, up to this number. Default: all.',
  }),
  test: Images.meta({
    title: 'Test images',
    description:
      'Clean accuracy is measured on the first images of the split, up to this number. Default: all.',
  }),
  attack: Images.meta({
    title: 'Attacked images',
    description:
      'Of the first test images up to this number, attacks run on the correctly classified ones. Default: 1,000 (§4.2), or all if there are fewer.',
  }),
};
type Size = keyof typeof sizes;
const sizeNames = Object.keys(sizes) as readonly Size[];

/** The images of a stage. `content` is absent for a built-in data set. */
export const DatasetSpec = z.strictObject(
  { name: DatasetSlug, ...sizes, content: StageContent.optional() },
  {
    error: (issue) => {
      // `dataset: pets` means the data set with this name.
      const name = DatasetSlug.safeParse(issue.input).data ?? 'mnist';
      return likeThis(`an object such as { name: ${name} }`)(issue);
    },
  },
);
export type DatasetSpec = z.infer<typeof DatasetSpec>;

/** The images of a sweep in its stored definition. `content` is absent for a built-in data set. */
export const SweepDataset = DatasetSpec.extend({ content: SweepContent.optional() });
export type SweepDataset = z.infer<typeof SweepDataset>;

type Counts = Pick<DatasetContent, 'train' | 'test'>;
type Choice = { readonly [S in Size]?: number | undefined } & Pick<SweepDataset, 'name' | 'content'>;

/** The number of images in each split, if anybody knows it. */
const countsOf = ({ name, content }: Choice): Counts | undefined =>
  isBuiltIn(name) ? datasets[name] : content;

type Fault = { readonly size: Size; readonly limit: number; readonly of: string };

/** The numbers of a choice that are larger than the data set. */
const faultsOf = (choice: Choice, counts: Counts): readonly Fault[] => {
  const { test = counts.test } = choice;
  const limits: Readonly<Record<Size, Omit<Fault, 'size'>>> = {
    train: { limit: counts.train, of: `the training images of ${choice.name}` },
    test: { limit: counts.test, of: `the test images of ${choice.name}` },
    attack: { limit: Math.min(test, counts.test), of: 'as many as test images' },
  };
  return sizeNames.flatMap((size) =>
    (choice[size] ?? 0) > limits[size].limit ? [{ size, ...limits[size] }] : [],
  );
};

const expectation = ({ limit, of }: Fault): string => `at most ${limit} (${of})`;

const usualAttacked = 1000;

/** The choice with all of its numbers. */
const fill = ({ name, train, test, attack, content }: Choice, counts: Counts): SweepDataset => {
  const used = test ?? counts.test;
  return {
    name,
    train: train ?? counts.train,
    test: used,
    attack: attack ?? Math.min(usualAttacked, used),
    ...(content && { content }),
  };
};

/**
 * The images of a sweep as a user writes them. Numbers that are left out are filled in as soon as the data set is known: at once for a
 * built-in one. `content` comes from a definition that the service has answered.
 */
export const DatasetChoice = SweepDataset.partial({ train: true, test: true, attack: true })
  .superRefine((written, context) => {
    const isRight = rightParts(context.issues);
    if (!isRight('name')) return;
    const right = Object.entries(written).filter(([part]) => isRight(part));
    const choice: Choice = { ...Object.fromEntries(right), name: written.name };
    if (choice.content && isBuiltIn(choice.name))
      context.addIssue({
        code: 'custom',
        path: ['content'],
        input: choice.content,
        message: `Expected no content, because ${choice.name} is built in`,
      });
    const counts = countsOf(choice);
    for (const fault of counts ? faultsOf(choice, counts) : [])
      context.addIssue({
        code: 'custom',
        path: [fault.size],
        input: choice[fault.size],
        message: `Expected ${expectation(fault)}, but got ${choice[fault.size]}`,
      });
  }, evenAfterFaults)
  .overwrite((choice) => {
    const counts = countsOf(choice);
    return counts ? fill(choice, counts) : choice;
  });
export type DatasetChoice = z.output<typeof DatasetChoice>;

const unknownDataset = (name: string): AppError =>
  new AppError('DATASET_UNKNOWN', `Expected a data set that the service has, but nobody has added ${name}`, {
    issues: [{ path: 'dataset.name', expected: 'the name of a data set', received: JSON.stringify(name) }],
  });

/**
 * The images of a sweep with all of their numbers. `content`: of the data set with this name, unless it is built in. Throws DATASET_UNKNOWN
 * without content, and INVALID_REQUEST for a number that is larger than the data set.
 */
export const sweepDataset = (choice: DatasetChoice, content = choice.content): SweepDataset => {
  const known: Choice = { ...choice, content: isBuiltIn(choice.name) ? undefined : content };
  const counts = countsOf(known);
  if (!counts) throw unknownDataset(choice.name);
  const issues = faultsOf(known, counts).map(
    (fault): ProblemIssue => ({
      path: `dataset.${fault.size}`,
      expected: expectation(fault),
      received: String(choice[fault.size]),
    }),
  );
  const [first] = issues;
  if (first)
    throw new AppError(
      'INVALID_REQUEST',
      `In the body, ${first.path}: expected ${first.expected}, but got ${first.received}`,
      { issues },
    );
  return fill(known, counts);
};

/** The images of a sweep as its stages carry them. */
export const stageDataset = ({ content, ...dataset }: SweepDataset): DatasetSpec => {
  if (!content) return dataset;
  const { digest, shape, classes, budgets } = content;
  return { ...dataset, content: { digest, shape, classCount: classes.length, budgets } };
};

type Known = Pick<StageContent, 'shape' | 'classCount' | 'budgets'> & {
  /** The digest in identities of stages, and by which workers say what they have. */
  readonly digest: string;
};

const describeBuiltIn = ({ digest, shape, classes, budgets }: Dataset): Known => ({
  digest,
  shape: [...shape],
  classCount: classes.length,
  budgets,
});
const builtIn = new Map(Object.entries(datasets).map(([name, dataset]) => [name, describeBuiltIn(dataset)]));

/** What the planner and the engine know of the data set of a stage. Throws DATASET_UNKNOWN for one that is not built in and has no content. */
export const dataOf = ({ name, content }: Pick<DatasetSpec, 'name' | 'content'>): Known => {
  const known = content ?? builtIn.get(name);
  if (!known) throw unknownDataset(name);
  return known;
};

/** The radii at which published results usually attack images of this shape; CIFAR-10's and ImageNet's for colours, else Fashion-MNIST's. */
export const usualBudgets = ([height, width, channels]: DatasetContent['shape']): Budgets => {
  if (channels < 3) return { linf: 0.1, l2: 1.5 };
  return height * width <= 64 * 64 ? { linf: 8 / 255, l2: 0.5 } : { linf: 4 / 255, l2: 3 };
};

/** The built-in data set that has the content with this SHA-256 of its canonical form. */
export const builtInOf = (digest: string): DatasetName | undefined =>
  datasetNames.find((name) => datasets[name].content === digest);

/** The usual radii for attacks on the images of a sweep; MNIST's while the data set is not known. */
export const budgetsOfChoice = ({ name, content }: Pick<DatasetChoice, 'name' | 'content'>): Budgets =>
  content?.budgets ?? datasets[isBuiltIn(name) ? name : 'mnist'].budgets;
