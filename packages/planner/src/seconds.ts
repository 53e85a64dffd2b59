/** How long the work that is left would take at measured speeds. */
import type { FleetSpeed, PlannedStage } from '@funnel/contracts';

const keyOf = (kind: string, method: string): string => `${kind} ${method}`;

/** Images of the work that is left: for training, those of each epoch; for attacks, those that are attacked. */
const imagesLeft = (stages: readonly PlannedStage[]): ReadonlyMap<string, number> => {
  const images = new Map<string, number>();
  for (const { kind, recipe, attack, dataset, epochs, startEpoch, cached, passed } of stages) {
    if (cached || passed) continue;
    const key = keyOf(kind, attack?.attack ?? recipe);
    const more = kind === 'attack' ? dataset.attack : (epochs - startEpoch) * dataset.train;
    images.set(key, (images.get(key) ?? 0) + more);
  }
  return images;
};

/** Seconds if all slots work at these speeds; null when the fleet has not run one of the kinds, or has no slot. */
export const secondsLeft = (
  stages: readonly PlannedStage[],
  { speeds, slots }: FleetSpeed,
): number | null => {
  if (slots === 0) return null;
  const secondsPerImage = new Map(
    speeds.map(({ kind, method, seconds, images }) => [keyOf(kind, method), seconds / images]),
  );
  let total = 0;
  for (const [key, images] of imagesLeft(stages)) {
    const each = secondsPerImage.get(key);
    if (each === undefined) return null;
    total += images * each;
  }
  return Math.round(total / slots);
};
