/** The tables that `funnel export` reads from the API. Columns have the names of the API's fields. */

import type { Client } from '@funnel/client';
import {
  type DistanceMetricName,
  describeChanges,
  distanceMetrics,
  EvaluationSummary,
  type ExtendedNumber,
  type HyperparameterName,
  type HyperparameterValue,
  hyperparameterDeclaration,
  hyperparameterNames,
  hyperparameterOf,
  type Interval,
  isNumeric,
  type LeaderboardRow,
  type Sweep,
  type Trial,
  wilsonInterval,
} from '@funnel/contracts';
import { joinReasons } from '../output/leaderboard.ts';
import { allItems } from '../requests.ts';
import { type Cell, type Column, type ColumnType, fillTable, type Table } from './formats.ts';

/** The tags of its sweep. */
type Tagged = { readonly tags: readonly string[] };
type TaggedTrial = Trial & Tagged;
type Evaluated = TaggedTrial & {
  readonly evaluation: Trial['evaluations'][number];
  /** The trial of the first row with the same stage; null in that row. */
  readonly sameAs: string | null;
};
type Measured = TaggedTrial & {
  readonly kind: string;
  readonly metric: string;
  readonly epoch: number;
  readonly value: number | null;
};
type Classified = TaggedTrial & {
  readonly label: number;
  readonly class: string;
  readonly images: number;
  readonly correct: number;
};

const column =
  (type: ColumnType) =>
  <Row>(name: string, value: (row: Row) => Cell | undefined): Column<Row> => ({ name, type, value });
const [text, integer, number, time] = [column('string'), column('integer'), column('number'), column('time')];

/** Tags have no spaces. */
const tagsColumn = <Row extends Tagged>() => text<Row>('tags', ({ tags }) => tags.join(' '));

const trialKeys = <Row extends TaggedTrial>(): Column<Row>[] => [
  text('trialId', ({ id }) => id),
  text('sweepId', ({ sweepId }) => sweepId),
  integer('number', ({ number: ordinal }) => ordinal),
  text('recipe', ({ recipe }) => recipe),
  text('dataset', ({ dataset }) => dataset),
  integer('seed', ({ seed }) => seed),
  integer('decision', ({ decision }) => decision),
  integer('rung', ({ rung }) => rung),
  tagsColumn<Row>(),
];

export const trialColumns: readonly Column<TaggedTrial>[] = [
  ...trialKeys<TaggedTrial>(),
  text('status', ({ status }) => status),
  number('cleanAccuracy', ({ cleanAccuracy }) => cleanAccuracy),
  text('verdict', ({ verdict }) => verdict),
  time('createdAt', ({ createdAt }) => createdAt),
  time('finishedAt', ({ finishedAt }) => finishedAt),
];

const summaryNames = Object.keys(EvaluationSummary.shape) as (keyof EvaluationSummary)[];

/** The other tables call the clean accuracy on all test images by this name. */
const columnNames: Partial<Record<keyof EvaluationSummary, string>> = {
  cleanAccuracy: 'cleanAccuracyOfAttackImages',
  cleanInterval: 'cleanIntervalOfAttackImages',
};

/** An interval becomes two columns. */
const intervalColumns = (
  title: string,
  intervalOf: (row: Evaluated) => readonly ExtendedNumber[] | null | undefined,
): Column<Evaluated>[] => [
  number(`${title}Low`, (row) => intervalOf(row)?.[0]),
  number(`${title}High`, (row) => intervalOf(row)?.[1]),
];

const summaryColumns: readonly Column<Evaluated>[] = summaryNames.flatMap((name) => {
  const title = columnNames[name] ?? name;
  if (name.endsWith('Interval'))
    return intervalColumns(title, ({ evaluation }) => evaluation.summary[name] as readonly number[] | null);
  const value = number<Evaluated>(
    title,
    ({ evaluation }) => evaluation.summary[name] as ExtendedNumber | null, // all others are numbers
  );
  const distance = distanceMetrics.find((each) => each === name);
  return distance
    ? [value, ...intervalColumns(title, ({ evaluation }) => evaluation.intervals?.[distance])]
    : [value];
});

export const evaluationColumns: readonly Column<Evaluated>[] = [
  ...trialKeys<Evaluated>(),
  text('stage', ({ evaluation }) => evaluation.stage),
  text('sameAs', ({ sameAs }) => sameAs),
  text('attack', ({ evaluation }) => evaluation.attack),
  text('settings', ({ evaluation }) => JSON.stringify(evaluation.settings)),
  text('attackVerdict', ({ evaluation }) => evaluation.verdict),
  ...summaryColumns,
];

export const metricColumns: readonly Column<Measured>[] = [
  ...trialKeys<Measured>(),
  text('kind', ({ kind }) => kind),
  text('metric', ({ metric }) => metric),
  integer('epoch', ({ epoch }) => epoch),
  number('value', ({ value }) => value),
];

const classInterval = ({ images, correct }: Classified): Interval | null =>
  images === 0 ? null : wilsonInterval(correct, images);

export const classColumns: readonly Column<Classified>[] = [
  ...trialKeys<Classified>(),
  integer('label', ({ label }) => label),
  text('class', (row) => row.class),
  integer('images', ({ images }) => images),
  integer('correct', ({ correct }) => correct),
  number('accuracy', ({ images, correct }) => (images === 0 ? null : correct / images)),
  number('accuracyLow', (row) => classInterval(row)?.[0]),
  number('accuracyHigh', (row) => classInterval(row)?.[1]),
];

export const leaderboardColumns: readonly Column<LeaderboardRow & Tagged>[] = [
  integer('rank', ({ rank }) => rank),
  text('trialId', ({ trialId }) => trialId),
  text('sweepId', ({ sweepId }) => sweepId),
  text('recipe', ({ recipe }) => recipe),
  text('dataset', ({ dataset }) => dataset),
  integer('rung', ({ rung }) => rung),
  text('seeds', ({ seeds }) => seeds.join(' ')),
  text('attack', ({ attack }) => attack),
  text('settings', ({ settings }) => JSON.stringify(settings)),
  number('withinLinf', ({ within }) => within?.linf),
  number('withinL2', ({ within }) => within?.l2),
  text('metric', ({ metric }) => metric),
  number('value', ({ value }) => value),
  number('intervalLow', ({ interval }) => interval?.[0]),
  number('intervalHigh', ({ interval }) => interval?.[1]),
  text('letters', ({ letters }) => letters),
  integer('images', ({ counts }) => counts.images),
  integer('correct', ({ counts }) => counts.correct),
  integer('fooled', ({ counts }) => counts.fooled),
  number('robustAccuracyAtEpsilon', ({ robustAtEpsilon }) => robustAtEpsilon?.accuracy),
  number('robustEpsilon', ({ robustAtEpsilon }) => robustAtEpsilon?.epsilon),
  number('halfWidth', ({ halfWidth }) => halfWidth),
  integer('infiniteSeeds', ({ infiniteSeeds }) => infiniteSeeds ?? 0),
  number('cleanAccuracy', ({ cleanAccuracy }) => cleanAccuracy),
  number('cleanIntervalLow', ({ cleanInterval }) => cleanInterval?.[0]),
  number('cleanIntervalHigh', ({ cleanInterval }) => cleanInterval?.[1]),
  number('rejectedClean', ({ rejectedClean }) => rejectedClean),
  number('rejectedAttacked', ({ rejectedAttacked }) => rejectedAttacked),
  text('verdict', ({ verdict }) => verdict),
  text('reasons', ({ reasons }) => joinReasons(reasons)),
  text('older', ({ older = [] }) => describeChanges(older)),
  tagsColumn<LeaderboardRow & Tagged>(),
];

type HasHyperparameters = { readonly hyperparameters: Readonly<Record<string, HyperparameterValue>> };

/** The type comes from the declaration, not from the values: files of two sweeps have columns of the same types. */
const typeOf = (name: HyperparameterName): ColumnType => {
  const hyperparameter = hyperparameterDeclaration(name);
  if (isNumeric(hyperparameter)) return 'number';
  return hyperparameter.kind === 'boolean' ? 'boolean' : 'string';
};

/** A column for each hyperparameter that at least one row has, in the order of declaration. */
export const hyperparameterColumns = <Row extends HasHyperparameters>(
  rows: readonly Row[],
): Column<Row>[] => {
  const present = new Set(rows.flatMap((row) => Object.keys(row.hyperparameters)));
  return hyperparameterNames
    .filter((name) => present.has(name))
    .map((name) => ({ name, type: typeOf(name), value: (row) => hyperparameterOf(row, name) }));
};

const maxRequests = 8;

/** Asks for every item, with at most `maxRequests` at the same time. Returns the answers in the order of the items. */
const askForEach = async <Item, Result>(
  items: readonly Item[],
  ask: (item: Item) => Promise<Result>,
): Promise<Result[]> => {
  const results: Result[] = [];
  let next = 0;
  const askForNext = async (): Promise<void> => {
    while (next < items.length) {
      const i = next++;
      results[i] = await ask(items[i]!);
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

/** The trials of these sweeps, oldest sweep first. `intervals`: the metrics whose intervals the evaluations have. */
const readTrials = async (
  client: Client,
  chosen: Chosen,
  intervals: DistanceMetricName[] = [],
): Promise<TaggedTrial[]> => {
  const lists: TaggedTrial[][] = [];
  for (const { id, tags = [] } of [...(await readSweeps(client, chosen))].reverse()) {
    const trials = await allItems((page) =>
      client.listTrials({ params: { id }, query: { intervals, ...page } }),
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

/**
 * `trials` has a row per trial, `evaluations` per trial and attack, `metrics` per trial, metric and epoch, `classes` per trained trial and
 * class.
 */
export const tables = {
  trials: async (client: Client, chosen: Chosen = {}): Promise<Table> =>
    withHyperparameters(trialColumns, await readTrials(client, chosen)),
  evaluations: async (client: Client, chosen: Chosen = {}): Promise<Table> => {
    const trials = await readTrials(client, chosen, [...distanceMetrics]);
    return withHyperparameters(evaluationColumns, evaluatedRows(trials));
  },
  metrics: async (client: Client, chosen: Chosen = {}): Promise<Table> => {
    const trials = await readTrials(client, chosen);
    const curves = await askForEach(
      trials,
      async ({ id }) => (await client.getMetrics({ params: { id } })).series,
    );
    const rows = trials.flatMap((trial, i) =>
      curves[i]!.flatMap(({ kind, name, epochs, values }) =>
        epochs.map((epoch, at) => ({ ...trial, kind, metric: name, epoch, value: values[at] ?? null })),
      ),
    );
    return withHyperparameters(metricColumns, rows);
  },
  classes: async (client: Client, chosen: Chosen = {}): Promise<Table> => {
    const trials = await readTrials(client, chosen);
    const details = await askForEach(trials, async ({ id, tags }) => ({
      ...(await client.getTrial({ params: { id } })),
      tags,
    }));
    const rows = details.flatMap(({ data, perClass, ...trial }) =>
      (perClass?.images ?? []).map((images, label) => ({
        ...trial,
        ...{ label, class: data.classes[label]!, images, correct: perClass!.correct[label]! },
      })),
    );
    return withHyperparameters(classColumns, rows);
  },
} as const;
