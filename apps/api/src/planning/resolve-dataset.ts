/** Finds the data set of a definition, so that the planner needs no database. */
import {
  AppError,
  builtInOf,
  type DatasetName,
  datasetNames,
  datasets,
  didYouMean,
  isBuiltIn,
  isGenerated,
  type StoredDefinition,
  type SweepDefinition,
  storedDefinition,
  usualBudgets,
} from '@funnel/contracts';
import { countWorkersWith, type Db, findDataset, listDatasetNames, type StoredDataset } from '@funnel/db';

export type Resolved = {
  readonly definition: StoredDefinition;
  /** What will probably disappoint: one sentence each. */
  readonly warnings: readonly string[];
};

/** The data sets that a refusal names at most. */
const maxListed = 12;

/** `cifar10, glyphs, mnist and 3 more` */
const listNames = (names: readonly string[]): string =>
  names.length <= maxListed
    ? names.join(', ')
    : `${names.slice(0, maxListed).join(', ')} and ${names.length - maxListed} more`;

/** Throws DATASET_UNKNOWN, which names a similar data set if there is one, and those that there are. */
const refuseUnknown = async (db: Db, name: string): Promise<never> => {
  const names = [...new Set([...datasetNames, ...(await listDatasetNames(db))])];
  const meant = didYouMean(name, names);
  const question = meant === null ? '' : ` (${meant})`;
  throw new AppError(
    'DATASET_UNKNOWN',
    `Expected a data set that the service has, but nobody has added ${name}${question}. Add it with: npx funnel data add ${name} PATH`,
    {
      issues: [
        {
          path: 'dataset.name',
          expected: `one of ${listNames(names)}${question}`,
          received: JSON.stringify(name),
        },
      ],
      hint: `Take one of these names, or add your own images: \`npx funnel data add ${name} PATH\`. \`npx funnel data ls\` lists the data sets.`,
    },
  );
};

/** The classes that a warning names at most. */
const maxNamed = 5;

/** The warning about classes without an image among the first `train` training images; nothing if there are none. */
const missingClasses = (
  { content, summary }: StoredDataset,
  { name, train }: StoredDefinition['dataset'],
): readonly string[] => {
  const missing = content.classes.filter((_, label) => (summary.trainFirsts[label] ?? train) >= train);
  if (missing.length === 0) return [];
  const named = missing.slice(0, maxNamed).join(', ');
  const more = missing.length > maxNamed ? ` and ${missing.length - maxNamed} more` : '';
  const remedy =
    train < content.train
      ? 'Train on more images, or add the data set again in another order.'
      : 'No sweep on this data set can learn them.';
  return [
    `The first ${train.toLocaleString('en-US')} training images of ${name} have no image of ${missing.length} of its ${content.classes.length} classes: ${named}${more}. ${remedy}`,
  ];
};

/** Throws DATASET_UNKNOWN if neither the service nor any live worker has a built-in data set, while there are workers to ask. */
const refuseMissing = async (db: Db, name: DatasetName): Promise<void> => {
  if (isGenerated(name)) return;
  const { title, digest } = datasets[name];
  const { asked, having } = await countWorkersWith(db, digest);
  if (asked === 0 || having > 0) return;
  throw new AppError(
    'DATASET_UNKNOWN',
    `Expected a data set that the service or a live worker has, but none has ${title}. Download it on the machine of a worker (\`npx funnel data get ${name}\`), or bring it from a folder (\`npx funnel data add ${name} PATH\`)`,
    {
      issues: [
        {
          path: 'dataset.name',
          expected: 'a data set that the service or a live worker has',
          received: name,
        },
      ],
      hint: `Download it on the machine of a worker: \`npx funnel data get ${name}\`. Or take \`name: glyphs\`, which is generated and needs no download.`,
    },
  );
};

const builtInWarnings = async (
  db: Db,
  name: DatasetName,
  chosen: StoredDefinition['dataset'],
): Promise<readonly string[]> => {
  const stored = await findDataset(db, datasets[name].content);
  if (stored) return missingClasses(stored, chosen);
  await refuseMissing(db, name);
  return [];
};

/**
 * The definition with its data set. A data set of a user with the content of a built-in one is the built-in one, whatever its name. Throws
 * DATASET_UNKNOWN, also for a data set that nobody has, and INVALID_REQUEST for more images than the data set has.
 */
export const resolveDataset = async (db: Db, definition: SweepDefinition): Promise<Resolved> => {
  const { dataset } = definition;
  if (isBuiltIn(dataset.name)) {
    const resolved = storedDefinition(definition);
    return { definition: resolved, warnings: await builtInWarnings(db, dataset.name, resolved.dataset) };
  }
  const found = await findDataset(db, dataset.content?.digest ?? dataset.name);
  if (!found) return refuseUnknown(db, dataset.name);
  const { digest, content } = found;
  const builtIn = builtInOf(digest);
  const resolved = builtIn
    ? storedDefinition({ ...definition, dataset: { ...dataset, name: builtIn, content: undefined } })
    : storedDefinition(definition, {
        ...content,
        digest,
        budgets: dataset.content?.budgets ?? usualBudgets(content.shape),
      });
  return { definition: resolved, warnings: missingClasses(found, resolved.dataset) };
};
