/** The columns of the tables that `funnel export` writes. They have the names of the API's fields. */

import {
  describeChanges,
  distanceMetrics,
  type EvaluationRow,
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
  type Trial,
  wilsonInterval,
} from '@funnel/contracts';
import { joinReasons } from '../output/leaderboard.ts';
import type { Cell, Column, ColumnType } from './formats.ts';

/** The tags of its sweep. */
export type Tagged = { readonly tags: readonly string[] };
export type TaggedTrial = Trial & Tagged;
export type Evaluated = TaggedTrial & {
  readonly evaluation: Trial['evaluations'][number];
  /** The trial of the first row with the same stage; null in that row. */
  readonly sameAs: string | null;
};
export type Measured = TaggedTrial & {
  readonly kind: string;
  readonly metric: string;
  readonly epoch: number;
  readonly value: number | null;
};
/** One image under one attack. */
export type Attacked = Evaluated & { readonly row: EvaluationRow };
export type Classified = TaggedTrial & {
  readonly label: number;
  readonly class: string;
  readonly images: number;
  readonly correct: number;
};

const column =
  (type: ColumnType) =>
  <Row>(name: string, value: (row: Row) => Cell | undefined): Column<Row> => ({ name, type, value });
const [text, integer, number, time, truth] = [
  column('string'),
  column('integer'),
  column('number'),
  column('time'),
  column('boolean'),
];

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

const evaluationKeys = <Row extends Evaluated>(): Column<Row>[] => [
  ...trialKeys<Row>(),
  text('stage', ({ evaluation }) => evaluation.stage),
  text('sameAs', ({ sameAs }) => sameAs),
  text('attack', ({ evaluation }) => evaluation.attack),
  text('settings', ({ evaluation }) => JSON.stringify(evaluation.settings)),
];

export const evaluationColumns: readonly Column<Evaluated>[] = [
  ...evaluationKeys<Evaluated>(),
  text('attackVerdict', ({ evaluation }) => evaluation.verdict),
  ...summaryColumns,
  number('robustAccuracyAtEpsilon', ({ evaluation }) => evaluation.robustAtEpsilon?.accuracy),
  number('robustEpsilon', ({ evaluation }) => evaluation.robustAtEpsilon?.epsilon),
];

export const imageColumns: readonly Column<Attacked>[] = [
  ...evaluationKeys<Attacked>(),
  integer('index', ({ row }) => row.index),
  integer('label', ({ row }) => row.label),
  truth('correct', ({ row }) => row.correct),
  integer('predicted', ({ row }) => row.predicted),
  truth('success', ({ row }) => row.success),
  number('l2', ({ row }) => row.l2),
  number('linf', ({ row }) => row.linf),
  integer('l0', ({ row }) => row.l0),
  integer('steps', ({ row }) => row.steps),
  integer('queries', ({ row }) => row.queries),
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
  integer('missedByGradients', ({ missedByGradients = [] }) =>
    Math.max(0, ...missedByGradients.map(({ missed }) => missed)),
  ),
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
