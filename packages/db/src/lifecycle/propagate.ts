/**
 * Propagates changes of stages in the same transaction: to the status of trials and sweeps, scores, counts, events, and the outbox. All
 * transactions lock in the same order: stages (`lockOrder`), trials by id, sweeps by id, counts. An operation on a sweep locks the row of
 * the sweep early, so it first locks the running stages of the sweep (`lockRunning`).
 */
import type { FunnelEvent, StoredSweepStatus } from '@funnel/contracts';
import { bool, int8, text } from '../connection/columns.ts';
import type { Tx } from '../connection/transaction.ts';
import { noteCleanAccuracy, scoreStages } from '../scores/scores.ts';
import { maxAtOnce, propagateLater } from './propagations.ts';
import { idsOf, type StageChange } from './transitions.ts';
import { deriveTrials, finishSweeps, splitByTrials, sweepsOfEnded, type TrialChange } from './trials.ts';

/** `isCounted`: the counts of the sweep contain the stage. */
export type SweepLink = { readonly sweepId: string; readonly isCounted: boolean };

/**
 * The sweeps that share each stage. While a new sweep, or a new unit of a search, is being connected with other sweeps (`connect-sweep.ts`),
 * the counts of the sweep contain none of its stages that are left.
 */
export const stageSweeps = async (
  tx: Tx,
  stageIds: readonly string[],
): Promise<ReadonlyMap<string, readonly SweepLink[]>> => {
  const links = new Map<string, SweepLink[]>();
  if (stageIds.length === 0) return links;
  const rows = await tx.query(
    { stage_id: text(), sweep_id: text(), counted: bool() },
    `SELECT l.stage_id, l.sweep_id, l.direct AND NOT EXISTS (
       SELECT FROM sweep_actions a WHERE a.sweep_id = l.sweep_id AND a.action = 'connect' AND l.ordinal >= a.done AND l.ordinal < a.total) AS counted
     FROM sweep_stages l WHERE l.stage_id = ANY($1) ORDER BY l.sweep_id`,
    [stageIds],
  );
  for (const { stage_id, sweep_id, counted } of rows) {
    const link = { sweepId: sweep_id, isCounted: counted };
    const found = links.get(stage_id);
    if (found) found.push(link);
    else links.set(stage_id, [link]);
  }
  return links;
};

/** A change of a count that pages show (`SweepCount` in the schema). */
export type CountChange = { readonly sweepId: string; readonly subject: string; readonly delta: number };

/** Leaves out counts that do not change, and sorts the others by key, so that two writers cannot deadlock. */
const sumCounts = (changes: readonly CountChange[]): readonly CountChange[] => {
  const sums = new Map<string, CountChange>();
  for (const change of changes) {
    const key = `${change.sweepId} ${change.subject}`;
    sums.set(key, { ...change, delta: (sums.get(key)?.delta ?? 0) + change.delta });
  }
  const keys = [...sums.keys()].sort();
  return keys.map((key) => sums.get(key)!).filter((change) => change.delta !== 0);
};

export type SweepCounts = ReadonlyMap<string, number>;

/** Counts of each sweep by subject, in the order of the sweeps. A count of 0 is absent. */
export const readCounts = async (
  tx: Tx,
  sweepIds: readonly string[],
): Promise<ReadonlyMap<string, SweepCounts>> => {
  const rows = await tx.query(
    { sweep_id: text(), subject: text(), count: int8() },
    'SELECT sweep_id, subject, sum(count)::bigint AS count FROM sweep_counts WHERE sweep_id = ANY($1) GROUP BY sweep_id, subject HAVING sum(count) <> 0 ORDER BY 1, 2',
    [sweepIds],
  );
  const counts = new Map(sweepIds.map((id) => [id, new Map<string, number>()]));
  for (const { sweep_id, subject, count } of rows) counts.get(sweep_id)?.set(subject, count);
  return counts;
};

export const trialCounts = (changes: readonly TrialChange[]): CountChange[] =>
  changes.flatMap(({ sweepId, from, to, trials }) => [
    { sweepId, subject: `trial:${from}`, delta: -trials.length },
    { sweepId, subject: `trial:${to}`, delta: trials.length },
  ]);

const stageCountsAndEvents = (
  changes: readonly StageChange[],
  links: ReadonlyMap<string, readonly SweepLink[]>,
) => {
  const counts: CountChange[] = [];
  const events: FunnelEvent[] = [];
  for (const { id, kind, from, to } of changes)
    for (const { sweepId, isCounted } of links.get(id) ?? []) {
      events.push({ type: 'stage', sweepId, stage: id, kind, status: to });
      if (!isCounted) continue;
      counts.push(
        { sweepId, subject: `stage:${kind}:${from}`, delta: -1 },
        { sweepId, subject: `stage:${kind}:${to}`, delta: 1 },
      );
    }
  return { counts, events };
};

const trialEvents = (changes: readonly TrialChange[]): FunnelEvent[] =>
  changes.flatMap(({ sweepId, to, trials }) =>
    trials.map((trialId): FunnelEvent => ({ type: 'trial', sweepId, trialId, status: to })),
  );

/** If there are more events than this, each sweep gets one event instead, and its readers read everything again. */
const maxEvents = 200;

const condense = async (tx: Tx, events: readonly FunnelEvent[]): Promise<readonly FunnelEvent[]> => {
  if (events.length <= maxEvents) return events;
  const ids = [...new Set(events.map((event) => event.sweepId))];
  const rows = await tx.query(
    { id: text(), status: text<StoredSweepStatus>() },
    'SELECT id, status FROM sweeps WHERE id = ANY($1) ORDER BY id',
    [ids],
  );
  return rows.map(({ id, status }) => ({ type: 'sweep', sweepId: id, status }));
};

/** The channel on which PostgreSQL announces new events. */
export const eventsChannel = 'funnel_events';

/** The counts of a sweep are spread over this many slots. Two writers wait for each other only if their connections share a slot. */
const slots = 16;

/**
 * After one notification a worker claims until no stage is ready. So a transaction need not announce more stages than there are workers.
 */
const maxAnnounced = 1000;

type Written = {
  readonly counts: readonly CountChange[];
  readonly events: readonly FunnelEvent[];
  readonly readyStages: readonly string[];
};

/** Adds to counts, writes events and outbox, and wakes the listeners of events when the transaction commits. */
const write = async (tx: Tx, { counts: changes, events, readyStages }: Written): Promise<void> => {
  const counts = sumCounts(changes);
  if (counts.length + events.length + readyStages.length === 0) return;
  await tx.run(
    `WITH counted AS (
       INSERT INTO sweep_counts AS c (sweep_id, slot, subject, count)
       SELECT d.sweep_id, pg_backend_pid() % ${slots}, d.subject, d.delta
       FROM unnest($1::text[], $2::text[], $3::bigint[]) WITH ORDINALITY AS d (sweep_id, subject, delta, place)
       ORDER BY d.place
       ON CONFLICT (sweep_id, slot, subject) DO UPDATE SET count = c.count + excluded.count
     ), written AS (
       INSERT INTO events (sweep_id, payload)
       SELECT event ->> 'sweepId', event FROM jsonb_array_elements($4::jsonb) AS event
     ), announced AS (
       INSERT INTO outbox (stage_id, due_at)
       SELECT s.id, s.ready_at FROM stages s WHERE s.id = ANY($5) AND s.status = 'ready' AND s.sweep_id IS NOT NULL
     )
     SELECT pg_notify('${eventsChannel}', '') WHERE jsonb_array_length($4::jsonb) > 0`,
    [
      counts.map((count) => count.sweepId),
      counts.map((count) => count.subject),
      counts.map((count) => count.delta),
      JSON.stringify(events),
      readyStages,
    ],
  );
  if (readyStages.length > 0) tx.wake('outbox');
};

/**
 * Writes the ready stages that are scheduled for a sweep into the outbox, after the sweep was submitted or resumed. `among`: only those of
 * these that are ready.
 */
export const announceSweep = async (
  tx: Tx,
  sweepId: string,
  among: readonly string[] | null = null,
): Promise<void> => {
  await tx.run(
    `INSERT INTO outbox (stage_id, due_at)
     SELECT id, ready_at FROM stages s
     WHERE sweep_id = $1 AND status = 'ready' AND NOT EXISTS (SELECT FROM outbox o WHERE o.stage_id = s.id)
       AND ($2::text[] IS NULL OR id = ANY($2))
     LIMIT ${maxAnnounced}`,
    [sweepId, among],
  );
  tx.wake('outbox');
};

export type Changes = {
  readonly changes: readonly StageChange[];
  /** Further events and counts of the same transaction. */
  readonly events?: readonly FunnelEvent[];
  readonly counts?: readonly CountChange[];
  /** Trials that the transaction has changed already. */
  readonly trials?: readonly TrialChange[];
  /** The largest number of trials that the transaction changes. (Default: that of an attempt) */
  readonly maxTrials?: number;
  /** Sweeps that may have ended, although none of their trials ends in this transaction. */
  readonly mayEnd?: readonly string[];
};

/**
 * A transaction calls this function once, as its last step. If more than `maxTrials` trials share the stages, the rest follows in batches. Resolves to the sweeps of each changed
 * stage.
 */
export const propagate = async (
  tx: Tx,
  { changes, events = [], counts = [], trials: earlier = [], mayEnd = [], maxTrials = maxAtOnce }: Changes,
): Promise<ReadonlyMap<string, readonly SweepLink[]>> => {
  const links = await stageSweeps(tx, idsOf(changes));
  const stages = stageCountsAndEvents(changes, links);
  const { now, later } = await splitByTrials(tx, changes, maxTrials);
  const completed = now.filter((change) => change.to === 'completed');
  await scoreStages(tx, idsOf(completed.filter((change) => change.kind === 'attack')));
  await noteCleanAccuracy(tx, idsOf(completed.filter((change) => change.kind === 'classify')));
  const trials = [...earlier, ...(await deriveTrials(tx, now))];
  await propagateLater(
    tx,
    'trials',
    later.map(({ id }) => ({ stageId: id, doneTo: '' })),
  );
  const finished = await finishSweeps(tx, [...new Set([...sweepsOfEnded(trials), ...mayEnd])]);
  const ended = finished.map((sweep): FunnelEvent => ({ type: 'sweep', ...sweep }));
  const many = await condense(tx, [...stages.events, ...trialEvents(trials)]);
  const told = new Set([...events, ...ended].map((event) => `${event.type} ${event.sweepId}`));
  const rest = many.filter((event) => event.type !== 'sweep' || !told.has(`sweep ${event.sweepId}`));
  await write(tx, {
    counts: [...counts, ...stages.counts, ...trialCounts(trials)],
    events: [...events, ...rest, ...ended],
    readyStages: idsOf(changes.filter(({ to }) => to === 'ready')).slice(0, maxAnnounced),
  });
  return links;
};
