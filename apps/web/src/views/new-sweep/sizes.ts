/** When the number of images in the form is too large for the workers that are online. */
import { formatRoughDuration, type Worker } from '@funnel/contracts';
import { formatCount, plural } from '../../format.ts';
import type { Draft } from './draft.ts';
import { numberOf } from './typed.ts';

/** Sizes that train and attack within minutes on two cores. */
export const smallSizes = { train: 2000, test: 1000, attack: 200 } as const;
const longSeconds = 3600;

const hasGpu = ({ backend }: Worker): boolean => backend === 'cuda' || backend === 'webgpu';

/** The advice; null if the sweep is small, or the workers are fast enough. */
export const sizeAdvice = (
  dataset: Draft['dataset'],
  seconds: number | null,
  workers: readonly Worker[],
): string | null => {
  const [train, attack] = [numberOf(dataset.train), numberOf(dataset.attack)];
  const isLarge = Number(train) > 10_000 || Number(attack) > 500;
  if (!isLarge || (seconds !== null && seconds < longSeconds)) return null;
  const images = `${formatCount(Number(train))} training images and ${formatCount(Number(attack))} attacked ones`;
  if (seconds !== null) return `${images} take about ${formatRoughDuration(seconds)} on this fleet.`;
  const online = workers.filter(({ status }) => status !== 'gone');
  if (online.length === 0 || online.some(hasGpu)) return null;
  const slots = online.reduce((sum, worker) => sum + worker.slots, 0);
  return `${images} take hours on ${plural(slots, 'slot')} without a GPU.`;
};
