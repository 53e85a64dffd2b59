/** The work of a sweep: how much there is, how much of it is done, and the seconds that the rest takes once workers run it. */
import type { Plan, SearchEnd, SearchProgress, SweepStatus } from '@funnel/contracts';
import { int4, jsonb, orNull, type RowOf, text } from '../connection/columns.ts';
import type { SweepCounts } from '../lifecycle/propagate.ts';

export const workColumns = {
  id: text(),
  name: text(),
  status: text<SweepStatus>(),
  plan: jsonb<Plan>(),
  priority: int4(),
  configurations: orNull(int4()),
  proposed: orNull(int4()),
  search_end: orNull(text<SearchEnd>()),
};

export type WorkRow = RowOf<typeof workColumns>;

/** The trials that the sweep has. */
export const countTrials = (counts: SweepCounts): number => {
  let trials = 0;
  for (const [subject, count] of counts) if (subject.startsWith('trial:')) trials += count;
  return trials;
};

/** The search of the sweep, or undefined if all trials were there at the submission. The plan counts the trials of the whole search. */
export const searchOf = (
  { plan, status, configurations, proposed, search_end: ended }: WorkRow,
  counts: SweepCounts,
): SearchProgress | undefined => {
  if (configurations === null || proposed === null) return undefined;
  const isOpen = ended === null && !['cancelled', 'cancelling', 'deleting'].includes(status);
  const trialsToCome = isOpen ? Math.max(0, plan.trials - countTrials(counts)) : 0;
  return { ended, configurations, proposed, trialsToCome };
};

/** `running`: units that workers are at, of which half is done on average. (Default: none, because epochs are short) */
type Work = { readonly total: number; readonly done: number; readonly running?: number };

/** The epochs that the sweep needs and that were not trained before it, by whichever sweep. A retry may train some of them again. */
export const measureEpochs = ({ plan }: WorkRow, counts: SweepCounts): Work => {
  const total = plan.epochs.needed + (plan.awaited?.epochs ?? 0);
  const trained = (counts.get('trained') ?? 0) + (counts.get('trained-elsewhere') ?? 0);
  return { total, done: Math.min(trained, total) };
};

/** The attacks that had no result before the sweep. Only results count as done: an attack that was skipped does not. */
const measureAttacks = ({ plan }: WorkRow, counts: SweepCounts): Work => {
  const { total, cached } = plan.stages.attack;
  const before = cached - (plan.awaited?.attacks ?? 0);
  const done = Math.max(0, (counts.get('stage:attack:completed') ?? 0) - before);
  return { total: total - before, done, running: counts.get('stage:attack:running') ?? 0 };
};

type Kinds = { readonly epochs: Work; readonly attacks: Work };

/**
 * A search that ends early does as much of the work in its plan as it has trials of those in the plan. The points were not known for the
 * plan, so the real work is a little more or less: trials to come are work that is left in every case, and so is half of a trial while one runs.
 */
const measureWork = (row: WorkRow, counts: SweepCounts): Kinds => {
  const planned = { epochs: measureEpochs(row, counts), attacks: measureAttacks(row, counts) };
  const search = searchOf(row, counts);
  if (!search || row.plan.trials === 0) return planned;
  const trials = countTrials(counts);
  const all = trials + search.trialsToCome;
  const unfinished = (counts.get('trial:waiting') ?? 0) + (counts.get('trial:running') ?? 0);
  const possible = (trials - (unfinished > 0 ? 0.5 : 0)) / Math.max(1, all);
  const part = ({ total: whole, done, running }: Work): Work => {
    const total = (whole * all) / row.plan.trials;
    return { total, done: Math.min(done, total * possible), ...(running && { running }) };
  };
  return { epochs: part(planned.epochs), attacks: part(planned.attacks) };
};

/** From 0 to 1; 1 only when every trial completed. Counts what sweeps in progress had done before for this one, so sweeps of the same stages agree. */
export const progressOf = (row: WorkRow, counts: SweepCounts): number => {
  if (row.status === 'completed') return 1;
  if (row.status === 'failed' || row.status === 'completed-with-failures')
    return (counts.get('trial:completed') ?? 0) / Math.max(1, countTrials(counts));
  const { epochs, attacks } = measureWork(row, counts);
  const shared = row.plan.awaited?.done ?? { epochs: 0, attacks: 0 };
  const before = shared.epochs + shared.attacks;
  const total = before + epochs.total + attacks.total;
  return total === 0 ? 0 : (before + epochs.done + attacks.done) / total;
};

/** `seconds` hold those of the units in progress, too: without their halves, the first attacks would seem to have taken all of the time. */
const halvesDone = ({ total, done, running = 0 }: Work): number => Math.min(total, done + running / 2);

/**
 * Seconds for each unit. What the plan expected counts as much as one measured unit, so the first units do not change the time left by jumps.
 * Null: nothing was measured or expected.
 */
const rateOf = (work: Work, seconds: number, expected: number | null): number | null => {
  if (expected !== null) return (seconds + expected) / (halvesDone(work) + 1);
  return seconds > 0 && work.done > 0 ? seconds / halvesDone(work) : null;
};

const eachOf = (seconds: number | null | undefined, { total }: Work): number | null =>
  seconds === null || seconds === undefined || total === 0 ? null : seconds / total;

/** The seconds of what is left, at so many for each unit. Null: not known. */
const secondsOf = (work: Work, each: number | null): number | null => {
  const left = Math.max(0, work.total - halvesDone(work));
  return left === 0 ? 0 : each && left * each;
};

/** Seconds of the work that is left, and the part of attacks in them. */
export type TimeLeft = { readonly seconds: number; readonly attackSeconds: number };

/**
 * The seconds in which workers run the rest, at the speeds of the part that is done. Epochs and attacks have their own speed, because an
 * attack may take as long as a hundred epochs. Null while the speed of work that is left is not known, when no work is left, and for a sweep
 * that does not run.
 */
export const secondsLeft = (row: WorkRow, counts: SweepCounts): TimeLeft | null => {
  if (row.status !== 'running') return null;
  const { epochs, attacks } = measureWork(row, counts);
  const active = (counts.get('active') ?? 0) / 1000;
  const attacking = (counts.get('active:attack') ?? 0) / 1000;
  const planned = row.plan.estimate;
  const training =
    planned?.seconds == null || planned.attackSeconds == null
      ? null
      : planned.seconds - planned.attackSeconds;
  const epoch = rateOf(epochs, active - attacking, eachOf(training, epochs));
  const attack = rateOf(attacks, attacking, eachOf(planned?.attackSeconds, attacks));
  const attackSeconds = secondsOf(attacks, attack);
  const trainingSeconds = secondsOf(epochs, epoch);
  if (attackSeconds === null || trainingSeconds === null) return null;
  const seconds = trainingSeconds + attackSeconds;
  return seconds > 0 ? { seconds, attackSeconds } : null;
};
