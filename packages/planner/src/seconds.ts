/** How long the work that is left would take at measured speeds. */
import type { FleetSpeed, PlannedStage, StageKind } from '@funnel/contracts';

/** The work that is left of a stage, or of several at once. */
export type Task = {
  readonly kind: StageKind;
  readonly method: string;
  /** For training, the images of all epochs; for an attack, those that are attacked. */
  readonly images: number;
  /** The stages that must end first: of these tasks, those with these ids. */
  readonly after: readonly (string | null)[];
  /** (Default: no task waits for this one) */
  readonly id?: string;
};

/** The tasks of these stages, parents before children, without those that have a result. */
export const tasksOf = (stages: readonly PlannedStage[]): readonly Task[] =>
  stages
    .filter(({ cached, passed }) => !cached && !passed)
    .map(({ id, kind, recipe, attack, dataset, epochs, startEpoch, dependsOn, surrogates }) => ({
      ...{ id, kind, method: attack?.attack ?? recipe, after: [dependsOn, ...surrogates] },
      images: kind === 'attack' ? dataset.attack : (epochs - startEpoch) * dataset.train,
    }));

const keyOf = ({ kind, method }: { readonly kind: string; readonly method: string }): string =>
  `${kind} ${method}`;

/**
 * The time if all slots work at these speeds, and the part of attacks in it. It is at least the time of the longest chain of tasks, which run
 * one after the other on any number of slots. Null when the fleet has no slot, or has not yet run one of the kinds: `unmeasured` names these,
 * such as `attack square-linf`.
 */
export const timeLeft = (
  tasks: readonly Task[],
  { speeds, slots }: FleetSpeed,
): {
  readonly seconds: number | null;
  readonly attackSeconds: number | null;
  readonly unmeasured: string[];
  readonly slots: number;
} => {
  const secondsPerImage = new Map(speeds.map((speed) => [keyOf(speed), speed.seconds / speed.images]));
  const left = tasks.filter(({ images }) => images > 0);
  const unmeasured = [...new Set(left.map(keyOf))].filter((key) => !secondsPerImage.has(key));
  if (slots === 0 || unmeasured.length > 0) return { seconds: null, attackSeconds: null, unmeasured, slots };
  /** The earliest end of each task. */
  const ends = new Map<string, number>();
  let [work, attacking, longest] = [0, 0, 0];
  for (const task of left) {
    const seconds = task.images * secondsPerImage.get(keyOf(task))!;
    let start = 0;
    for (const id of task.after) start = Math.max(start, (id !== null && ends.get(id)) || 0);
    if (task.id !== undefined) ends.set(task.id, start + seconds);
    work += seconds;
    if (task.kind === 'attack') attacking += seconds;
    longest = Math.max(longest, start + seconds);
  }
  const whole = Math.max(work / slots, longest);
  return {
    seconds: Math.round(whole),
    attackSeconds: work === 0 ? 0 : Math.round((whole * attacking) / work),
    unmeasured,
    slots,
  };
};
