import type { LoadedDataset, Split } from '@funnel/engine';

const side = 28;

/**
 * Images whose brightness says their label, with noise: what they show does not matter to a benchmark, but an auto-encoder that
 * ignores its input does not get to the next stage.
 */
const makeSplit = (count: number): Split => {
  const images = new Uint8Array(count * side * side);
  let state = 1;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  };
  for (let i = 0; i < count; i++) {
    const brightness = 8 + 19 * (i % 10);
    images.subarray(i * side * side, (i + 1) * side * side).forEach((_, p, image) => {
      image[p] = brightness + (next() >> 2);
    });
  }
  const labels = Uint8Array.from({ length: count }, (_, i) => i % 10);
  return { count, shape: [side, side, 1], images, labels };
};

export const syntheticDataset = (train: number, test = 1): LoadedDataset => {
  const splits = { train: makeSplit(train), test: makeSplit(test) };
  return {
    spec: { name: 'mnist', train, test, attack: 1 },
    train: async () => splits.train,
    test: async () => splits.test,
  };
};
