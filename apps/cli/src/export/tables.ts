/** The tables that `funnel export` reads from the API. */

import type { Client } from '@funnel/client';
import {
  type DistanceMetricName,
  distanceMetrics,
  type EvaluationRow,
  evaluationRows,
  type Sweep,
  type TrialExtra,
} from '@funnel/contracts';
import { Exit, exitCodes } from '../exit.ts';
import { allItems } from '../requests.ts';
import {
  type Attacked,
  classColumns,
  type Evaluated,
  evaluationColumns,
  hyperparameterColumns,
  imageColumns,
  metricColumns,
  type Tagged,
  type TaggedTrial,
  trialColumns,
} from './columns.ts';
import { type Column, fillTable, type Table } from './formats.ts';

const maxRequests = 8;

export type OnProgress = (at: { readonly done: number; readonly total: number }) => void;

/** Asks for every item, with at most `maxRequests` at the same time. Returns the answers in the order of the items. */
const askForEach = async <Item, Result>(
  items: readonly Item[],
  ask: (item: Item) => Promise<Result>,
  onProgress: OnProgress | undefined,
): Promise<Result[]> => {
  const results: Result[] = [];
  let [next, done] = [0, 0];
  const askForNext = async (): Promise<void> => {
    while (next < items.length) {
      const i = next++;
      results[i] = await ask(items[i]!);
      onProgress?.({ done: ++done, total: items.length });
    }
  };
  await Promise.all(Array.from({ length: maxRequests }, askForNext));
  return results;
};

/** The sweeps whose trials a table has. (Default: all) */
type Chosen = { readonly sweep?: string | undefined; readonly tag?: string[] | undefined };

const readSweeps = async (client: Client, { sweep, tag = [] }: Chosen): Promise<readonly Sweep[]> => {
  if (sweep === undefined) return allItems((page) => client.listSweeps({ query: { tag, ...page } }));
  const found = await client.getSweep({ params: { id: sweep } });
  return tag.every((each) => found.tags?.includes(each)) ? [found] : [];
};

/** `intervals`: the metrics whose intervals the evaluations have. */
type Extras = { readonly intervals?: DistanceMetricName[]; readonly include?: TrialExtra[] };

/** The trials of these sweeps, oldest sweep first. */
const readTrials = async (
  client: Client,
  chosen: Chosen,
  { intervals = [], include = [] }: Extras = {},
): Promise<TaggedTrial[]> => {
  const lists: TaggedTrial[][] = [];
  for (const { id, tags = [] } of [...(await readSweeps(client, chosen))].reverse()) {
    const trials = await allItems((page) =>
      client.listTrials({ params: { id }, query: { intervals, include, ...page } }),
    );
    lists.push(trials.map((trial) => ({ ...trial, tags })));
  }
  return lists.flat();
};

/** The rows with the tags of their sweeps. `tag`: each of these sweeps has these. */
export const withTags = async <Row extends { readonly sweepId: string }>(
  client: Client,
  rows: readonly Row[],
  tag: string[] | undefined,
): Promise<readonly (Row & Tagged)[]> => {
  const [first] = rows;
  const isOne = rows.every(({ sweepId }) => sweepId === first?.sweepId);
  const sweeps = first ? await readSweeps(client, isOne ? { sweep: first.sweepId } : { tag }) : [];
  const tagsOf = new Map(sweeps.map(({ id, tags = [] }) => [id, tags]));
  return rows.map((row) => ({ ...row, tags: tagsOf.get(row.sweepId) ?? [] }));
};

const withHyperparameters = <Row extends TaggedTrial>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
): Table => fillTable([...columns, ...hyperparameterColumns(rows)], rows);

/** A later sweep with the same parts has the results of the earlier one: the same numbers, not further seeds. */
export const evaluatedRows = (trials: readonly TaggedTrial[]): readonly Evaluated[] => {
  const first = new Map<string, string>();
  return trials.flatMap((trial) =>
    trial.evaluations.map((evaluation): Evaluated => {
      const { stage } = evaluation;
      const sameAs = stage === undefined ? undefined : first.get(stage);
      if (stage !== undefined && sameAs === undefined) first.set(stage, trial.id);
      return { ...trial, evaluation, sameAs: sameAs ?? null };
    }),
  );
};

/** More rows do not fit into one string of JSON. */
const maxImages = 250_000;

/** The images of all evaluations; asks once for a stage that several trials share. Errors: Exit for more than `maxImages`. */
const readImages = async (
  client: Client,
  evaluations: readonly Evaluated[],
  onProgress: OnProgress | undefined,
): Promise<Attacked[]> => {
  const rows = evaluations.reduce((sum, { evaluation }) => sum + evaluation.summary.images, 0);
  if (rows > maxImages)
    throw new Exit(
      exitCodes.usage,
      `Expected at most ${maxImages.toLocaleString('en')} attacked images, but these sweeps have ${rows.toLocaleString('en')}: choose one with --sweep, or some by --tag`,
    );
  const trialOf = new Map(
    evaluations.flatMap(({ id, evaluation: { stage } }) =>
      stage === undefined ? [] : [[stage, id] as const],
    ),
  );
  const read = await askForEach(
    [...trialOf],
    async ([stage, id]) => {
      const { perClass, gallery, ...records } = await client.getImages({ params: { id, stage } });
      return [stage, evaluationRows(records)] as const;
    },
    onProgress,
  );
  const rowsOf = new Map<string | undefined, readonly EvaluationRow[]>(read);
  return evaluations.flatMap((evaluated) =>
    (rowsOf.get(evaluated.evaluation.stage) ?? []).map((row) => ({ ...evaluated, row })),
  );
};

/**
 * `trials` has a row per trial, `evaluations` per trial and attack, `images` per trial, attack and image, `metrics` per trial, metric and
 * epoch, `classes` per trained trial and class.
 */
export const tables = {
  trials: async (client: Client, chosen: Chosen = {}): Promise<Table> =>
    withHyperparameters(trialColumns, await readTrials(client, chosen)),
  evaluations: async (client: Client, chosen: Chosen = {}): Promise<Table> => {
    const trials = await readTrials(client, chosen, {
      intervals: [...distanceMetrics],
      include: ['robustAtEpsilon'],
    });
    return withHyperparameters(evaluationColumns, evaluatedRows(trials));
  },
  images: async (client: Client, chosen: Chosen = {}, onProgress?: OnProgress): Promise<Table> => {
    const trials = await readTrials(client, chosen);
    return withHyperparameters(imageColumns, await readImages(client, evaluatedRows(trials), onProgress));
  },
  metrics: async (client: Client, chosen: Chosen = {}, onProgress?: OnProgress): Promise<Table> => {
    const trials = await readTrials(client, chosen);
    const curves = await askForEach(
      trials,
      async ({ id }) => (await client.getMetrics({ params: { id } })).series,
      onProgress,
    );
    const rows = trials.flatMap((trial, i) =>
      curves[i]!.flatMap(({ kind, name, epochs, values }) =>
        epochs.map((epoch, at) => ({ ...trial, kind, metric: name, epoch, value: values[at] ?? null })),
      ),
    );
    return withHyperparameters(metricColumns, rows);
  },
  classes: async (client: Client, chosen: Chosen = {}, onProgress?: OnProgress): Promise<Table> => {
    const trials = await readTrials(client, chosen);
    const details = await askForEach(
      trials,
      async ({ id, tags }) => ({ ...(await client.getTrial({ params: { id } })), tags }),
      onProgress,
    );
    const rows = details.flatMap(({ data, perClass, ...trial }) =>
      (perClass?.images ?? []).map((images, label) => ({
        ...trial,
        ...{ label, class: data.classes[label]!, images, correct: perClass!.correct[label]! },
      })),
    );
    return withHyperparameters(classColumns, rows);
  },
} as const;
