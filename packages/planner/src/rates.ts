/** How long a fleet takes for an image, from what it measured. */
import {
  type AttackRun,
  type AttackSpec,
  attackKey,
  dataOf,
  defaultHyperparameters,
  type FleetSpeed,
  isBuiltIn,
  queriesOf,
  type StageKind,
} from '@funnel/contracts';
import { memoize } from './memoize.ts';
import { trainedBy } from './memory.ts';
import { networksOf } from './network-sizes.ts';

type Network = NonNullable<FleetSpeed['speeds'][number]['network']>;

/** The values that the networks compute for one image; 0 if not known. */
export const sizeOfNetwork = (kind: StageKind, { recipe, hyperparameters, dataset }: Network): number => {
  if (!dataset.content && !isBuiltIn(dataset.name)) return 0;
  const networks = networksOf(dataOf(dataset), { ...defaultHyperparameters, ...hyperparameters });
  return trainedBy(recipe, kind, networks).values;
};

export const keyOf = ({ kind, method }: { readonly kind: string; readonly method: string }): string =>
  `${kind} ${method}`;

/** The settings of an attack in one text, and the passes that an image may cost with them. Training costs one pass. */
type Cost = { readonly settings: string; readonly passes: number };

const costOfAttack = memoize(
  (run: AttackRun): Cost => ({
    settings: attackKey(run as AttackSpec), // stages store what AttackSpec has read
    passes: queriesOf(run),
  }),
);
const costOf = (run: AttackRun | null): Cost => (run ? costOfAttack(run) : { settings: '', passes: 1 });

type Speed = Cost & { readonly size: number; readonly seconds: number; readonly images: number };

export type Rate = {
  readonly secondsPerImage: number;
  readonly sizes: 'alike' | 'smaller' | 'larger';
  readonly settings: 'same' | 'other';
};

/** The measured speeds of each kind and method. */
export const measuredOf = (speeds: FleetSpeed['speeds']): ReadonlyMap<string, readonly Speed[]> => {
  const measured = new Map<string, Speed[]>();
  for (const speed of speeds) {
    const { seconds, images, network, attack } = speed;
    const size = network ? sizeOfNetwork(speed.kind, network) : 0;
    const known = measured.get(keyOf(speed)) ?? [];
    measured.set(keyOf(speed), [...known, { ...costOf(attack), size, seconds, images }]);
  }
  return measured;
};

/** The speeds with these settings, else all, with the time of an image in proportion to the passes that it may cost. */
const withSettings = (measured: readonly Speed[], { settings, passes }: Cost) => {
  const same = measured.filter((speed) => speed.settings === settings);
  if (same.length > 0) return { speeds: same, settings: 'same' } as const;
  const scaled = measured.map((speed) => {
    const factor = passes / speed.passes;
    // Stages of an older version may lack a setting that decides the passes.
    return { ...speed, seconds: speed.seconds * (Number.isFinite(factor) ? factor : 1) };
  });
  return { speeds: scaled, settings: 'other' } as const;
};

/** Networks are of about the same size up to this factor. */
const alike = 2;

/**
 * The speed on networks of this size, from those that were measured: from all of about the same size, else from the nearest. The time of an image
 * grows about like the values that the networks compute for it: from the filters 4-8 to 64-128, an epoch of `classic` took 16 times as long with
 * 12 times as many values. A size of 0 is not known.
 */
const withSize = (measured: readonly Speed[], size: number): Omit<Rate, 'settings'> => {
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

/** The rate of a task. Computed once for each size and settings: a large sweep has few of them. */
export const ratesOf = (
  measured: readonly Speed[],
): ((task: { readonly size: number; readonly attack: AttackRun | null }) => Rate) => {
  const rates = new Map<string, Rate>();
  return ({ size, attack }) => {
    const cost = costOf(attack);
    const key = `${size} ${cost.settings}`;
    const known = rates.get(key);
    if (known) return known;
    const { speeds, settings } = withSettings(measured, cost);
    const rate = { ...withSize(speeds, size), settings };
    rates.set(key, rate);
    return rate;
  };
};
