/** How long the work that is left would take at measured speeds. */
import type { FleetSpeed, PlannedStage, StageKind } from '@funnel/contracts';

/** Images by kind of stage and method: for training, those of each epoch; for attacks, those that are attacked. */
export type ImagesLeft = ReadonlyMap<string, number>;

/** Images of one kind of stage and method. */
export type ImagesOf = { readonly kind: StageKind; readonly method: string; readonly images: number };

const keyOf = (kind: string, method: string): string => `${kind} ${method}`;

/** The images of the work that is left of these stages, and `more`. */
export const imagesLeft = (stages: readonly PlannedStage[], more: Iterable<ImagesOf> = []): ImagesLeft => {
  const images = new Map<string, number>();
  const add = (kind: string, method: string, count: number): void => {
    const key = keyOf(kind, method);
    if (count > 0) images.set(key, (images.get(key) ?? 0) + count);
  };
  for (const { kind, recipe, attack, dataset, epochs, startEpoch, cached, passed } of stages)
    if (!cached && !passed)
      add(
        kind,
        attack?.attack ?? recipe,
        kind === 'attack' ? dataset.attack : (epochs - startEpoch) * dataset.train,
      );
  for (const { kind, method, images: count } of more) add(kind, method, count);
  return images;
};

/**
 * The time if all slots work at these speeds, and the part of attacks in it. Null when the fleet has no slot, or has not yet run one of the
 * kinds: `unmeasured` names these, such as `attack square-linf`.
 */
export const timeLeft = (
  images: ImagesLeft,
  { speeds, slots }: FleetSpeed,
): {
  readonly seconds: number | null;
  readonly attackSeconds: number | null;
  readonly unmeasured: string[];
  readonly slots: number;
} => {
  const secondsPerImage = new Map(
    speeds.map(({ kind, method, seconds, images }) => [keyOf(kind, method), seconds / images]),
  );
  const unmeasured = [...images.keys()].filter((key) => !secondsPerImage.has(key));
  if (slots === 0 || unmeasured.length > 0) return { seconds: null, attackSeconds: null, unmeasured, slots };
  const secondsOf = (isCounted: (key: string) => boolean): number => {
    let total = 0;
    for (const [key, count] of images) if (isCounted(key)) total += count * secondsPerImage.get(key)!;
    return Math.round(total / slots);
  };
  return {
    seconds: secondsOf(() => true),
    attackSeconds: secondsOf((key) => key.startsWith(keyOf('attack', ''))),
    unmeasured,
    slots,
  };
};
