/** How long the work that is left would take at measured speeds. */
import type { AttackRun, FleetSpeed, NeededStage, PlannedStage, StageKind } from '@funnel/contracts';
import { memoize, memoizeBy } from './memoize.ts';
import type { Outline } from './outline.ts';
import { keyOf, measuredOf, type Rate, ratesOf, sizeOfNetwork } from './rates.ts';
import type { Sized } from './training.ts';

/** The work that is left of a stage, or of several at once. */
export type Task = {
  readonly kind: StageKind;
  readonly method: string;
  /** For training, the images of all epochs; for an attack, those that are attacked. */
  readonly images: number;
  readonly attack: AttackRun | null;
  /** Values that the networks compute for one image. */
  readonly size: number;
  /** The stages that must end first: of these tasks, those with these ids. */
  readonly after: readonly (string | null)[];
  /** (Default: no task waits for this one) */
  readonly id?: string;
};

export type SizeOf = (stage: Pick<NeededStage, 'id' | 'kind' | 'parent' | 'dataset'>) => number;

/** The sizes of the stages of a sweep. An attack has those of its classifier. */
export const sizesOf = ({ training, sized }: Outline): SizeOf => {
  const places = new Map(training.map(({ id }, place) => [id, sized[place]!]));
  const sizesBy = memoize((one: Sized) =>
    memoizeBy(
      ({ kind }: Parameters<SizeOf>[0]) => kind,
      ({ kind, dataset }) => sizeOfNetwork(kind, { ...one, dataset }),
    ),
  );
  return (stage) => sizesBy(places.get(stage.kind === 'attack' ? stage.parent! : stage.id)!)(stage);
};

/** The tasks of these stages, parents before children, without those that have a result. */
export const tasksOf = (stages: readonly PlannedStage[], sizeOf: SizeOf): readonly Task[] =>
  stages
    .filter(({ cached, passed }) => !cached && !passed)
    .map((stage): Task => {
      const { id, kind, recipe, attack, dataset, epochs, startEpoch, dependsOn, surrogates } = stage;
      return {
        ...{ id, kind, method: attack?.attack ?? recipe, attack, after: [dependsOn, ...surrogates] },
        images: kind === 'attack' ? dataset.attack : (epochs - startEpoch) * dataset.train,
        size: sizeOf(stage),
      };
    });

/**
 * The time if all slots work at these speeds, and the part of attacks in it. It is at least the time of the longest chain of tasks, which run
 * one after the other on any number of slots. Null when the fleet has no slot, or has not yet run one of the kinds: `unmeasured` names these,
 * such as `attack square-linf`. `otherSizes`: some speeds are those of networks of other sizes. `otherSettings`: the attacks whose speeds are those
 * with other settings.
 */
export const timeLeft = (
  tasks: readonly Task[],
  { speeds, slots }: FleetSpeed,
): {
  readonly seconds: number | null;
  readonly attackSeconds: number | null;
  readonly unmeasured: string[];
  readonly slots: number;
  readonly otherSizes?: ('smaller' | 'larger')[];
  readonly otherSettings?: string[];
} => {
  const measured = measuredOf(speeds);
  const others = new Set<Rate['sizes']>();
  const otherSettings = new Set<string>();
  const left = tasks.filter(({ images }) => images > 0);
  const keys = left.map(keyOf);
  const unmeasured = [...new Set(keys)].filter((key) => !measured.has(key));
  if (slots === 0 || unmeasured.length > 0) return { seconds: null, attackSeconds: null, unmeasured, slots };
  /** The earliest end of each task. */
  const ends = new Map<string, number>();
  let [work, attacking, longest] = [0, 0, 0];
  const rates = new Map([...measured].map(([key, list]) => [key, ratesOf(list)]));
  for (const [place, task] of left.entries()) {
    const { secondsPerImage, sizes, settings } = rates.get(keys[place]!)!(task);
    others.add(sizes);
    if (settings === 'other') otherSettings.add(task.method);
    const seconds = task.images * secondsPerImage;
    let start = 0;
    for (const id of task.after) start = Math.max(start, (id !== null && ends.get(id)) || 0);
    if (task.id !== undefined) ends.set(task.id, start + seconds);
    work += seconds;
    if (task.kind === 'attack') attacking += seconds;
    longest = Math.max(longest, start + seconds);
  }
  const otherSizes = (['smaller', 'larger'] as const).filter((sizes) => others.has(sizes));
  const whole = Math.max(work / slots, longest);
  return {
    seconds: Math.round(whole),
    attackSeconds: work === 0 ? 0 : Math.round((whole * attacking) / work),
    unmeasured,
    slots,
    ...(otherSizes.length > 0 && { otherSizes }),
    ...(otherSettings.size > 0 && { otherSettings: [...otherSettings] }),
  };
};
