/** How long the work that is left would take at measured speeds. */
import {
  dataOf,
  defaultHyperparameters,
  type FleetSpeed,
  isBuiltIn,
  type NeededStage,
  type PlannedStage,
  type StageKind,
} from '@funnel/contracts';
import { memoize, memoizeBy } from './memoize.ts';
import { trainedBy } from './memory.ts';
import { networksOf } from './network-sizes.ts';
import type { Outline } from './outline.ts';
import type { Sized } from './training.ts';

/** The work that is left of a stage, or of several at once. */
export type Task = {
  readonly kind: StageKind;
  readonly method: string;
  /** For training, the images of all epochs; for an attack, those that are attacked. */
  readonly images: number;
  /** Values that the networks compute for one image. */
  readonly size: number;
  /** The stages that must end first: of these tasks, those with these ids. */
  readonly after: readonly (string | null)[];
  /** (Default: no task waits for this one) */
  readonly id?: string;
};

export type SizeOf = (stage: Pick<NeededStage, 'id' | 'kind' | 'parent' | 'dataset'>) => number;

type Network = NonNullable<FleetSpeed['speeds'][number]['network']>;

const sizeOfNetwork = (kind: StageKind, { recipe, hyperparameters, dataset }: Network): number => {
  if (!dataset.content && !isBuiltIn(dataset.name)) return 0;
  const networks = networksOf(dataOf(dataset), { ...defaultHyperparameters, ...hyperparameters });
  return trainedBy(recipe, kind, networks).values;
};

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
        ...{ id, kind, method: attack?.attack ?? recipe, after: [dependsOn, ...surrogates] },
        images: kind === 'attack' ? dataset.attack : (epochs - startEpoch) * dataset.train,
        size: sizeOf(stage),
      };
    });

const keyOf = ({ kind, method }: { readonly kind: string; readonly method: string }): string =>
  `${kind} ${method}`;

type Speed = { readonly size: number; readonly seconds: number; readonly images: number };
type Rate = { readonly secondsPerImage: number; readonly sizes: 'alike' | 'smaller' | 'larger' };

/** Networks are of about the same size up to this factor. */
const alike = 2;

/**
 * The speed on networks of this size, from those that were measured: from all of about the same size, else from the nearest. The time of an image
 * grows about like the values that the networks compute for it: from the filters 4-8 to 64-128, an epoch of `classic` took 16 times as long with
 * 12 times as many values. A size of 0 is not known.
 */
const rateOf = (measured: readonly Speed[], size: number): Rate => {
  const known = measured.filter((speed) => size > 0 && speed.size > 0);
  const factor = (speed: Speed): number => Math.max(speed.size / size, size / speed.size);
  const nearest = known.reduce<Speed | null>((a, b) => (a !== null && factor(a) <= factor(b) ? a : b), null);
  const near = known.filter((speed) => factor(speed) <= alike);
  const used = near.length > 0 ? near : known.filter((speed) => speed.size === nearest?.size);
  const perImage = (speeds: readonly Speed[], values: (speed: Speed) => number): number =>
    speeds.reduce((sum, { seconds }) => sum + seconds, 0) /
    speeds.reduce((sum, speed) => sum + speed.images * values(speed), 0);
  if (nearest === null) return { secondsPerImage: perImage(measured, () => 1), sizes: 'alike' };
  const other = nearest.size < size ? 'smaller' : 'larger';
  return {
    secondsPerImage: perImage(used, (speed) => speed.size / size),
    sizes: near.length > 0 ? 'alike' : other,
  };
};

/** The measured speeds of each kind and method. */
const measuredOf = (speeds: FleetSpeed['speeds']): ReadonlyMap<string, readonly Speed[]> => {
  const measured = new Map<string, Speed[]>();
  for (const speed of speeds) {
    const { seconds, images, network } = speed;
    const size = network ? sizeOfNetwork(speed.kind, network) : 0;
    measured.set(keyOf(speed), [...(measured.get(keyOf(speed)) ?? []), { size, seconds, images }]);
  }
  return measured;
};

/** `rateOf` for each size once: a large sweep has few sizes. */
const ratesOf = (measured: readonly Speed[]): ((size: number) => Rate) => {
  const rates = new Map<number, Rate>();
  return (size) => {
    const rate = rates.get(size) ?? rateOf(measured, size);
    rates.set(size, rate);
    return rate;
  };
};

/**
 * The time if all slots work at these speeds, and the part of attacks in it. It is at least the time of the longest chain of tasks, which run
 * one after the other on any number of slots. Null when the fleet has no slot, or has not yet run one of the kinds: `unmeasured` names these,
 * such as `attack square-linf`. `otherSizes`: some speeds are those of networks of other sizes.
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
} => {
  const measured = measuredOf(speeds);
  const others = new Set<Rate['sizes']>();
  const left = tasks.filter(({ images }) => images > 0);
  const keys = left.map(keyOf);
  const unmeasured = [...new Set(keys)].filter((key) => !measured.has(key));
  if (slots === 0 || unmeasured.length > 0) return { seconds: null, attackSeconds: null, unmeasured, slots };
  /** The earliest end of each task. */
  const ends = new Map<string, number>();
  let [work, attacking, longest] = [0, 0, 0];
  const rates = new Map([...measured].map(([key, list]) => [key, ratesOf(list)]));
  for (const [place, task] of left.entries()) {
    const { secondsPerImage, sizes } = rates.get(keys[place]!)!(task.size);
    others.add(sizes);
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
  };
};
