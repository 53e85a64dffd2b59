/**
 * What follows from changed stages, in the transaction that changed them: the status of trials and sweeps, the counts, the events.
 * Locks are taken in one order everywhere: stages (`nearness`), trials by id, sweeps by id, counts. A change of a sweep holds the
 * sweep's row early, and so takes the running stages of the sweep before it (`lockSweep`).
 */
import type { FunnelEvent, TrialStatus } from '@funnel/contracts';
import type { Tx } from '../connection/transaction.ts';
import { noteCleanAccuracy, scoreStages } from '../scores/scores.ts';
import type { CountChange } from './counts.ts';
import { finishSweeps } from './finish-sweeps.ts';
import { publish } from './publish.ts';
import type { StageChange } from './stage-change.ts';
import { type SweepLink, stageSweeps } from './sweep-stages.ts';
import { deriveTrials, type TrialChange } from './trial-status.ts';

/** A change of more things at once is told as one event of the sweep: readers look again. */
const maxEvents = 200;

const stageEvents = async (tx: Tx, changes: readonly StageChange[]) => {
  const links = await stageSweeps(
    tx,
    changes.map((change) => change.id),
  );
  const counts: CountChange[] = [];
  const events: FunnelEvent[] = [];
  for (const { id, kind, from, to } of changes)
    for (const { sweepId, direct } of links.get(id) ?? []) {
      events.push({ type: 'stage', sweepId, stage: id, kind, status: to });
      if (!direct) continue;
      counts.push(
        { sweepId, subject: `stage:${kind}:${from}`, delta: -1 },
        { sweepId, subject: `stage:${kind}:${to}`, delta: 1 },
      );
    }
  return { links, counts, events };
};

const trialCounts = (changes: readonly TrialChange[]): CountChange[] =>
  changes.flatMap(({ sweepId, from, to, trials }) => [
    { sweepId, subject: `trial:${from}`, delta: -trials.length },
    { sweepId, subject: `trial:${to}`, delta: trials.length },
  ]);

const trialEvents = (changes: readonly TrialChange[]): FunnelEvent[] =>
  changes.flatMap(({ sweepId, to, trials }) =>
    trials.map((trialId): FunnelEvent => ({ type: 'trial', sweepId, trialId, status: to as TrialStatus })),
  );

/** Few events as they are; of many, one per sweep that says nothing but "look again". */
const condense = async (tx: Tx, events: readonly FunnelEvent[]): Promise<readonly FunnelEvent[]> => {
  if (events.length <= maxEvents) return events;
  const ids = [...new Set(events.map((event) => event.sweepId))];
  const rows = await tx.query<{ id: string; status: 'running' }>(
    'SELECT id, status FROM sweeps WHERE id = ANY($1) ORDER BY id',
    [ids],
  );
  return rows.map(({ id, status }) => ({ type: 'sweep', sweepId: id, status }));
};

export type Consequences = {
  readonly changes: readonly StageChange[];
  /** Further events and counts of the same transaction. */
  readonly events?: readonly FunnelEvent[];
  readonly counts?: readonly CountChange[];
};

/** To be called once, as the last act of a transaction. Resolves to the sweeps of each changed stage. */
export const settleChanges = async (
  tx: Tx,
  { changes, events = [], counts = [] }: Consequences,
): Promise<ReadonlyMap<string, readonly SweepLink[]>> => {
  const stages = await stageEvents(tx, changes);
  const completed = changes.filter((change) => change.to === 'completed');
  await scoreStages(
    tx,
    completed.filter((change) => change.kind === 'attack').map((change) => change.id),
  );
  await noteCleanAccuracy(
    tx,
    completed.filter((change) => change.kind === 'classify').map((change) => change.id),
  );
  const trials = await deriveTrials(tx, changes);
  const finished = await finishSweeps(tx, trials);
  const ended = finished.map((sweepId): FunnelEvent => ({ type: 'sweep', sweepId, status: 'completed' }));
  const many = await condense(tx, [...stages.events, ...trialEvents(trials)]);
  const own = [...events, ...ended];
  const said = new Set(own.map((event) => `${event.type} ${event.sweepId}`));
  const rest = many.filter((event) => event.type !== 'sweep' || !said.has(`sweep ${event.sweepId}`));
  await publish(tx, [...counts, ...stages.counts, ...trialCounts(trials)], [...events, ...rest, ...ended]);
  return stages.links;
};
