/**
 * When the turn of a sweep comes, and when it has ended. Workers take the sweep with the highest priority first; those of equal priority in turn
 * (`claim-stage.ts`).
 */
import type { StoredSweepStatus, WaitsBehind } from '@funnel/contracts';
import { isAble, readyNeeds } from '../attempts/abilities.ts';
import { bool, int4, int8, type RowOf } from '../connection/columns.ts';
import type { Db } from '../connection/db.ts';
import { reading, type Tx } from '../connection/transaction.ts';
import { readCounts, type SweepCounts } from '../lifecycle/propagate.ts';
import { isSharedWith, type Portion, readPortions, sharesWith } from './shared-work.ts';
import { onlineSlots } from './speeds.ts';
import { secondsLeft, type WorkRow, workColumns } from './sweep-work.ts';

/** Only so many running sweeps are compared, so that the answer does not get slower with their number. */
const maxRivals = 50;

const rivalColumns = {
  ...workColumns,
  /** Running stages that are scheduled for the sweep. */
  running: int4(),
  /** The sweep has a stage that the next free worker may run. */
  takes_next: bool(),
};

const readRivals = (tx: Tx): Promise<readonly RowOf<typeof rivalColumns>[]> =>
  tx.query(
    rivalColumns,
    `SELECT w.id, w.name, w.status, w.plan, w.priority, k.configurations, k.proposed, k.ended AS search_end, r.running,
       EXISTS (
         SELECT FROM (${readyNeeds('w.id')}) AS ready JOIN needs n ON n.id = ready.need_id
         JOIN workers o ON o.status = 'online' AND ${isAble('o', 'n')}) AND (w.max_running IS NULL OR r.running < w.max_running) AS takes_next
     FROM sweeps w LEFT JOIN searches k ON k.sweep_id = w.id
     CROSS JOIN LATERAL (SELECT count(*)::int AS running FROM stages s WHERE s.sweep_id = w.id AND s.status = 'running') AS r
     WHERE w.status = 'running' ORDER BY w.priority DESC, w.id LIMIT ${maxRivals}`,
  );

/** A running sweep, beside the others that workers may take. */
export type Rival = {
  readonly id: string;
  readonly name: string;
  readonly priority: number;
  readonly running: number;
  readonly takesNext: boolean;
  /** The time of the rest while workers run it; null if not known. */
  readonly seconds: number | null;
  /** The part of attacks in `seconds`. (Default: none) */
  readonly attackSeconds?: number;
  /** The work that is left, by the sweeps that share it. (Default: it shares none) */
  readonly portions?: readonly Portion[];
};

/** The sweep without the work that one of the sweeps `counted` needs, too. */
const without = (sweep: Rival, counted: readonly Rival[]): Rival => {
  const { seconds, attackSeconds = 0, portions = [] } = sweep;
  const others = counted.map(({ id }) => id).filter((id) => id !== sweep.id);
  const isShared = isSharedWith(others);
  if (!portions.some(isShared)) return sweep;
  if (portions.every(isShared)) return { ...sweep, seconds: 0, attackSeconds: 0 };
  if (seconds === null) return sweep;
  const shares = sharesWith(portions, others);
  const attacking = attackSeconds * (1 - shares.attacks);
  return {
    ...sweep,
    seconds: (seconds - attackSeconds) * (1 - shares.epochs) + attacking,
    attackSeconds: attacking,
  };
};

/** The trainers that the sweep keeps busy. */
const breadth = ({ running }: Rival, slots: number): number => Math.max(1, Math.min(running, slots));

/** Workers run it, or will with the next free trainer. Between two of its stages, none runs. */
const isAtWork = ({ running, takesNext }: Rival): boolean => running > 0 || takesNext;

/** The sweeps that workers run before this one: those of higher priority, if they keep every trainer busy or take the next one that is free. */
const before = (own: Rival, rivals: readonly Rival[], slots: number): readonly Rival[] => {
  const first = rivals.filter((rival) => rival.priority > own.priority && isAtWork(rival));
  const busy = first.reduce((sum, { running }) => sum + running, 0);
  const takeAll = first.some(({ takesNext }) => takesNext) || (own.running === 0 && busy >= slots);
  return takeAll ? first : [];
};

/** These sweeps with work that several of them need only in the first one, and without work that one of the sweeps `done` needs. */
const countedOnce = (sweeps: readonly Rival[], done: readonly Rival[] = []): readonly Rival[] =>
  sweeps.map((sweep, i) => without(sweep, [...done, ...sweeps.slice(0, i)]));

/** The trainers share the work of these sweeps, each of which keeps only some of them busy. */
const together = (sweeps: readonly Rival[], slots: number): number | null => {
  if (sweeps.some(({ seconds }) => seconds === null)) return null;
  const work = sweeps.reduce((sum, sweep) => sum + sweep.seconds! * breadth(sweep, slots), 0);
  return Math.max(work / slots, ...sweeps.map(({ seconds }) => seconds!));
};

/**
 * The seconds until `own` has ended. Sweeps of equal priority get workers in turn, so until then each of them does as much as `own`, or all that it
 * has left.
 */
export const timeTo = (
  own: Rival,
  rivals: readonly Rival[],
  slots: number,
): { readonly seconds: number | null; readonly behind?: WaitsBehind } => {
  const first = before(own, rivals, slots);
  const waiting = first.length === 0 ? 0 : together(countedOnce(first), slots);
  const equals = rivals.filter(
    (rival) => rival.id !== own.id && rival.priority === own.priority && isAtWork(rival),
  );
  const [rest, ...others] = countedOnce([own, ...equals], first) as [Rival, ...Rival[]];
  const most = rest.seconds;
  const shares = others.map((rival) => ({
    ...rival,
    seconds: most === null ? null : Math.min(rival.seconds ?? most, most),
  }));
  const working = together([rest, ...shares], slots);
  return {
    seconds: waiting === null || working === null ? null : waiting + working,
    ...(first.length > 0 && {
      behind: {
        sweeps: first.map(({ id, name }) => ({ id, name, status: 'running' satisfies StoredSweepStatus })),
        seconds: waiting === null ? null : Math.round(waiting),
      },
    }),
  };
};

export type Turns = { readonly of: (row: WorkRow, counts: SweepCounts) => ReturnType<typeof timeTo> };

/**
 * Of two sweeps that share unfinished stages, the later one awaits them in its plan; a search plans its stages later. Without such a sweep no
 * stages need to be compared.
 */
const mayShare = ({ plan, configurations }: WorkRow): boolean =>
  plan.awaited !== undefined || configurations !== null;

const timeOf = (row: WorkRow, counts: SweepCounts): Pick<Rival, 'seconds' | 'attackSeconds'> =>
  secondsLeft(row, counts) ?? { seconds: null };

const areTwins = (a: Rival, b: Rival): boolean => {
  const isWithin = ({ portions = [] }: Rival, id: string): boolean =>
    portions.length > 0 && portions.every(isSharedWith([id]));
  return isWithin(a, b.id) && isWithin(b, a.id);
};

/** Sweeps that have the same stages left end together. The oldest of them has measured its speed for the longest time. */
const asTwin = (sweep: Rival, rivals: readonly Rival[]): Rival => {
  const oldest = rivals.reduce((a, b) => (b.id < a.id && areTwins(sweep, b) ? b : a), sweep);
  return { ...sweep, seconds: oldest.seconds, attackSeconds: oldest.attackSeconds ?? 0 };
};

const rivalsOf = async (tx: Tx): Promise<{ readonly rivals: readonly Rival[]; readonly slots: number }> => {
  const found = await readRivals(tx);
  const counts = await readCounts(
    tx,
    found.map(({ id }) => id),
  );
  const [workers] = await tx.query({ slots: int8() }, onlineSlots);
  const portions = found.some(mayShare)
    ? await readPortions(
        tx,
        found.map(({ id }) => id),
      )
    : new Map<string, readonly Portion[]>();
  const rivals = found.map((row) => ({
    ...{ id: row.id, name: row.name, priority: row.priority },
    ...{ running: row.running, takesNext: row.takes_next },
    ...timeOf(row, counts.get(row.id)!),
    portions: portions.get(row.id) ?? [],
  }));
  return { rivals: rivals.map((rival) => asTwin(rival, rivals)), slots: Math.max(1, workers!.slots) };
};

/** A sweep that does not run yet. */
const newcomer = { running: 0, takesNext: false };

/** What workers would run before a new sweep of this priority. */
export const readTurn = async (db: Db, priority: number): Promise<WaitsBehind | undefined> => {
  const { rivals, slots } = await rivalsOf(reading(db));
  return timeTo({ id: '', name: '', priority, seconds: null, ...newcomer }, rivals, slots).behind;
};

/** Reads nothing if none of the sweeps runs. */
export const turnsOf = async (tx: Tx, rows: readonly WorkRow[]): Promise<Turns> => {
  if (rows.every(({ status }) => status !== 'running')) return { of: () => ({ seconds: null }) };
  const { rivals, slots } = await rivalsOf(tx);
  return {
    of: (row, ownCounts) => {
      if (row.status !== 'running') return { seconds: null };
      const { id, name, priority } = row;
      const own = rivals.find((rival) => rival.id === id);
      const late = { ...{ id, name, priority, ...newcomer }, ...timeOf(row, ownCounts) };
      return timeTo(own ?? late, rivals, slots);
    },
  };
};
