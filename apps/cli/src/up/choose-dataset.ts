import type { DatasetName } from '@funnel/contracts';
import { getDataset } from '@funnel/engine/datasets/get-dataset';
import { findDataset } from '@funnel/engine/datasets/places';
import type { Env } from '../env.ts';
import type { Output } from '../output/output.ts';
import { placesOf } from '../places.ts';

/** Seconds that a mirror has for its first byte. */
const connectSeconds = 3;

/** MNIST where it lies on this machine or can be fetched, else the generated digits; says which, and why. */
export const chooseDataset = async (env: Env, output: Output, signal: AbortSignal): Promise<DatasetName> => {
  const places = placesOf(env);
  const found = findDataset('mnist', places);
  if (found) {
    output.note(`Data: MNIST from ${found}`);
    return 'mnist';
  }
  output.note(
    'Data: MNIST is not on this machine (FUNNEL_DATA names a folder that has it); trying to download it …',
  );
  try {
    const folder = await getDataset('mnist', { ...places, signal, connectSeconds });
    output.note(`Data: MNIST, downloaded to ${folder}`);
    return 'mnist';
  } catch {
    signal.throwIfAborted();
    output.note('Data: no mirror could be reached, so the generated digits (glyphs) are used instead.');
    output.note('      `funnel data get mnist` says what is in the way.');
    return 'glyphs';
  }
};
