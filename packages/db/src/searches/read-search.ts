/** A search with all of its decisions and outcomes: everything that the next decision depends on. */
import {
  AppError,
  type DecisionSource,
  type SearchEnd,
  type SearchPoint,
  type StoredDefinition,
  type StoredSweepStatus,
} from '@funnel/contracts';
import { int4, jsonb, listOf, orNull, type RowOf, text, timestamptz } from '../connection/columns.ts';
import type { Db } from '../connection/db.ts';
import { reading } from '../connection/transaction.ts';
import type { RecordedDecision, SearchRecord, UnitTrial, WantedValue } from '../types.ts';
import { unitColumns, unitTrials } from './unit-trials.ts';

const searchColumns = {
  definition: jsonb<StoredDefinition>(),
  status: text<StoredSweepStatus>(),
  created_at: timestamptz(),
  configurations: orNull(int4()),
  stride: orNull(int4()),
  earlier: orNull(jsonb<readonly unknown[]>()),
  hand_points: orNull(jsonb<readonly SearchPoint[]>()),
  ended: orNull(text<SearchEnd>()),
};

const decisionColumns = {
  number: int4(),
  source: text<DecisionSource>(),
  configuration: orNull(int4()),
  rung: orNull(int4()),
  epochs: orNull(int4()),
  point: orNull(jsonb<SearchPoint>()),
  place: orNull(int4()),
  among: orNull(int4()),
  new_epochs: int4(),
  decided_at: timestamptz(),
};

const decisionOf = (
  { new_epochs, decided_at, ...row }: RowOf<typeof decisionColumns>,
  trials: readonly UnitTrial[],
): RecordedDecision => ({ ...row, newEpochs: new_epochs, decidedAt: decided_at.toISOString(), trials });

const trialColumns = { ...unitColumns, configuration_index: int4() };

/**
 * `valuesOf`: what the outcomes of a search with this definition need. (Default: nothing) The statements run one after the other: first the decisions, then their trials, then the scores of
 * these. So each decision has its trials, and each trial that has ended has its scores. Errors: NOT_FOUND (no such sweep, or no such search).
 */
export const readSearch = async (
  db: Db,
  sweepId: string,
  valuesOf: (definition: StoredDefinition) => readonly WantedValue[] = () => [],
): Promise<SearchRecord> => {
  const tx = reading(db);
  const [row] = await tx.query(
    searchColumns,
    `SELECT w.definition, w.status, w.created_at, k.configurations, k.stride, k.earlier, k.hand_points, k.ended
     FROM sweeps w LEFT JOIN searches k ON k.sweep_id = w.id WHERE w.id = $1`,
    [sweepId],
  );
  if (!row) throw new AppError('NOT_FOUND', `Expected a sweep, but there is none with id ${sweepId}`);
  const { configurations, stride } = row;
  if (configurations === null || stride === null)
    throw new AppError(
      'NOT_FOUND',
      `Expected a sweep whose search decides one configuration after the other, but ${sweepId} had all of its trials at its submission`,
      {
        hint: `\`npx funnel trials ${sweepId}\` lists its trials. For a search with decisions, submit a sweep with another \`search.strategy\`.`,
      },
    );
  const decisions = await tx.query(
    decisionColumns,
    `SELECT ${listOf(decisionColumns, 'd')} FROM decisions d WHERE d.sweep_id = $1 ORDER BY d.number`,
    [sweepId],
  );
  const rows = await tx.query(
    trialColumns,
    `SELECT ${listOf(trialColumns, 't')} FROM trials t WHERE t.sweep_id = $1 ORDER BY t.number`,
    [sweepId],
  );
  const trialsOf = new Map<number, UnitTrial[]>();
  for (const [i, trial] of (await unitTrials(tx, rows, valuesOf(row.definition))).entries()) {
    const { configuration_index: number } = rows[i]!;
    const others = trialsOf.get(number);
    if (others) others.push(trial);
    else trialsOf.set(number, [trial]);
  }
  return {
    definition: row.definition,
    status: row.status,
    createdAt: row.created_at.toISOString(),
    configurations,
    stride,
    earlier: row.earlier ?? [],
    handPoints: row.hand_points ?? [],
    ended: row.ended,
    decisions: decisions.map((decision) => decisionOf(decision, trialsOf.get(decision.number) ?? [])),
  };
};
