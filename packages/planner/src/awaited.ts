/** The work of a sweep that is in progress or waits in other sweeps: the database has its stages, but not their results. */
import type { AwaitedWork, KnownChain, NeededStage, OtherSweep } from '@funnel/contracts';
import type { SizeOf, Task } from './seconds.ts';

export type Awaited = { readonly work: AwaitedWork | null; readonly tasks: readonly Task[] };

/**
 * The epochs up to `epochs` that a stage of another sweep will train. An attack has no epochs. Epochs before the last recorded one are not
 * trained again.
 */
const epochsLeft = ({ pending, recorded }: KnownChain, epochs: number): number => {
  const planned = Math.max(0, ...pending.map((end) => Math.min(end, epochs)));
  return planned - Math.max(0, ...recorded.filter((epoch) => epoch <= planned));
};

type Done = { epochs: number; attacks: number };

/** The work of a chain up to `epochs` that has a result, by the sweep that planned it. */
const doneBy = (
  { kind }: NeededStage,
  { pending, recorded, spans = [] }: KnownChain,
  epochs: number,
): readonly (Done & { readonly sweep: string })[] => {
  if (kind === 'attack')
    return pending.length > 0 ? [] : spans.map(({ sweep }) => ({ sweep, epochs: 0, attacks: 1 }));
  const last = Math.min(epochs, Math.max(0, ...recorded));
  return spans.map(({ sweep, from, to }) => ({
    ...{ sweep, attacks: 0 },
    epochs: Math.max(0, Math.min(to, last) - from),
  }));
};

/** The largest number of sweeps that a plan names. */
const maxSweeps = 10;

/** Adds up the chains of a sweep: for each chain the longest stage that the sweep needs, and the part of the chain in the database. */
export const addUpAwaited = (
  sizeOf: SizeOf,
): {
  readonly add: (longest: NeededStage, known: KnownChain) => void;
  readonly sum: () => Awaited;
} => {
  const tasks: Task[] = [];
  const sweeps = new Map<string, OtherSweep>();
  const done = new Map<string, Done>();
  let epochs = 0;
  let attacks = 0;
  return {
    add: (longest, known) => {
      const { kind, recipe, attack, dataset, epochs: end } = longest;
      for (const { sweep, ...more } of doneBy(longest, known, end)) {
        const sum = done.get(sweep) ?? { epochs: 0, attacks: 0 };
        done.set(sweep, { epochs: sum.epochs + more.epochs, attacks: sum.attacks + more.attacks });
      }
      if (known.pending.length === 0) return;
      const left = epochsLeft(known, end);
      if (attack) attacks++;
      else if (left === 0) return;
      epochs += left;
      tasks.push({
        kind,
        method: attack?.attack ?? recipe,
        attack,
        images: attack ? dataset.attack : left * dataset.train,
        size: sizeOf(longest),
        after: [],
      });
      for (const sweep of known.plannedBy ?? []) sweeps.set(sweep.id, sweep);
    },
    sum: () => {
      const oldest = [...sweeps.values()].sort((a, b) => (a.id < b.id ? -1 : 1)).slice(0, maxSweeps);
      const before: Done = { epochs: 0, attacks: 0 };
      for (const id of sweeps.keys()) {
        before.epochs += done.get(id)?.epochs ?? 0;
        before.attacks += done.get(id)?.attacks ?? 0;
      }
      const work = epochs + attacks === 0 ? null : { epochs, attacks, sweeps: oldest, done: before };
      return { work, tasks };
    },
  };
};
