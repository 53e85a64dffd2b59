/** What a row of every table says, before its hyperparameters. Names are those of the API. */
import { EvaluationSummary, type ExtendedNumber, type LeaderboardRow, type Trial } from '@funnel/contracts';
import type { Cell, Column, ColumnType } from './table.ts';

type Evaluated = Trial & { readonly evaluation: Trial['evaluations'][number] };
type Measured = Trial & {
  readonly kind: string;
  readonly metric: string;
  readonly epoch: number;
  readonly value: number | null;
};

const column =
  (type: ColumnType) =>
  <Row>(name: string, value: (row: Row) => Cell | undefined): Column<Row> => ({ name, type, value });
const [text, integer, number, time] = [column('string'), column('integer'), column('number'), column('time')];

const trialKeys = <Row extends Trial>(): Column<Row>[] => [
  text('trialId', ({ id }) => id),
  text('sweepId', ({ sweepId }) => sweepId),
  integer('number', ({ number: place }) => place),
  text('recipe', ({ recipe }) => recipe),
  text('dataset', ({ dataset }) => dataset),
  integer('seed', ({ seed }) => seed),
];

export const trialColumns: readonly Column<Trial>[] = [
  ...trialKeys<Trial>(),
  text('status', ({ status }) => status),
  number('cleanAccuracy', ({ cleanAccuracy }) => cleanAccuracy),
  text('verdict', ({ verdict }) => verdict),
  time('createdAt', ({ createdAt }) => createdAt),
  time('finishedAt', ({ finishedAt }) => finishedAt),
];

const summaryNames = Object.keys(EvaluationSummary.shape) as (keyof EvaluationSummary)[];

/** An interval is two columns. */
const summaryColumns: readonly Column<Evaluated>[] = summaryNames.flatMap((name) => {
  const bound = (end: 0 | 1) => (row: Evaluated) => (row.evaluation.summary[name] as readonly number[])[end];
  return name.endsWith('Interval')
    ? [number<Evaluated>(`${name}Low`, bound(0)), number<Evaluated>(`${name}High`, bound(1))]
    : [number<Evaluated>(name, ({ evaluation }) => evaluation.summary[name] as ExtendedNumber | null)]; // all others are numbers
});

export const evaluationColumns: readonly Column<Evaluated>[] = [
  ...trialKeys<Evaluated>(),
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

export const leaderboardColumns: readonly Column<LeaderboardRow>[] = [
  integer('rank', ({ rank }) => rank),
  text('trialId', ({ trialId }) => trialId),
  text('sweepId', ({ sweepId }) => sweepId),
  text('recipe', ({ recipe }) => recipe),
  text('dataset', ({ dataset }) => dataset),
  text('seeds', ({ seeds }) => seeds.join(' ')),
  text('attack', ({ attack }) => attack),
  text('settings', ({ settings }) => JSON.stringify(settings)),
  number('withinLinf', ({ within }) => within?.linf),
  number('withinL2', ({ within }) => within?.l2),
  text('metric', ({ metric }) => metric),
  number('value', ({ value }) => value),
  number('halfWidth', ({ halfWidth }) => halfWidth),
  integer('infiniteSeeds', ({ infiniteSeeds }) => infiniteSeeds ?? 0),
  number('cleanAccuracy', ({ cleanAccuracy }) => cleanAccuracy),
  number('rejectedClean', ({ rejectedClean }) => rejectedClean),
  number('rejectedAttacked', ({ rejectedAttacked }) => rejectedAttacked),
  text('verdict', ({ verdict }) => verdict),
  text('reasons', ({ reasons }) => reasons.join('; ')),
];
