import type { Plan, Sweep, SweepDefinition, SweepStatus, TrialStatus } from '@funnel/contracts';
import type { SweepCounts } from '../lifecycle/counts.ts';

export type SweepRow = {
  readonly id: string;
  readonly name: string;
  readonly status: SweepStatus;
  readonly definition: SweepDefinition;
  readonly plan: Plan;
  readonly priority: number;
  readonly created_at: Date;
  readonly finished_at: Date | null;
  /** Since the first attempt began, by the database's clock; null before. */
  readonly elapsed: number | null;
};

export const sweepColumns =
  'id, name, status, definition, plan, priority, created_at, finished_at, extract(epoch FROM now() - started_at)::float8 AS elapsed';

const unfinished = ['waiting', 'ready', 'running'];

/** Work that is this sweep's own: epochs that its plan promised, and attacks that were not there before. */
const workOf = ({ plan }: SweepRow, counts: SweepCounts) => {
  let attacks = 0;
  let attacksLeft = 0;
  for (const [subject, count] of counts) {
    const [what, kind, status] = subject.split(':');
    if (what !== 'stage' || kind !== 'attack') continue;
    attacks += count;
    if (unfinished.includes(status!)) attacksLeft += count;
  }
  const epochs = plan.epochs.needed;
  const cached = Math.min(plan.stages.attack.cached, attacks);
  const total = epochs + attacks - cached;
  const done = Math.min(counts.get('trained') ?? 0, epochs) + Math.max(0, attacks - cached - attacksLeft);
  return { total, done };
};

const progressOf = (row: SweepRow, counts: SweepCounts): number => {
  if (row.status === 'completed') return 1;
  const { total, done } = workOf(row, counts);
  return total === 0 ? 0 : done / total;
};

/** As long as it took so far, for what is left. */
const etaOf = ({ status, elapsed }: SweepRow, progress: number): number | null =>
  status === 'running' && elapsed !== null && progress > 0 && progress < 1
    ? Math.round((elapsed * (1 - progress)) / progress)
    : null;

export const trialCounts = (counts: SweepCounts): Sweep['trials'] => {
  const entries = [...counts].filter(([subject]) => subject.startsWith('trial:'));
  return Object.fromEntries(
    entries.map(([subject, count]) => [subject.slice('trial:'.length) as TrialStatus, count]),
  );
};

export const sweepResource = (row: SweepRow, counts: SweepCounts): Sweep => {
  const progress = progressOf(row, counts);
  return {
    id: row.id,
    name: row.name,
    status: row.status,
    createdAt: row.created_at.toISOString(),
    finishedAt: row.finished_at?.toISOString() ?? null,
    trials: trialCounts(counts),
    plan: row.plan,
    epochsTrained: counts.get('trained') ?? 0,
    progress,
    etaSeconds: etaOf(row, progress),
    priority: row.priority,
  };
};
