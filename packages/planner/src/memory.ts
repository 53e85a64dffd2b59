/**
 * The memory of a stage in closed form: the weights of its networks, and the values that one image passes through. The engine's
 * architectures (`packages/engine/src/models`) are the same networks layer by layer; a test compares the two.
 */
import {
  type DatasetName,
  datasets,
  type Hyperparameters,
  type RecipeName,
  type StageKind,
} from '@funnel/contracts';

/** The hyperparameters that decide the memory of a stage. */
export const sizes = ['filters', 'latent', 'classifierUnits', 'noise', 'batchSize'] as const;

/** Weights of a network, and values that it computes for one image (the outputs of its layers). */
export type Size = { readonly weights: number; readonly values: number };

const sum = (sizes: readonly Size[]): Size => ({
  weights: sizes.reduce((total, size) => total + size.weights, 0),
  values: sizes.reduce((total, size) => total + size.values, 0),
});

const convolution = (from: number, to: number, pixels: number): Size => ({
  weights: 9 * from * to + to,
  values: pixels * to,
});
const dense = (from: number, to: number): Size => ({ weights: from * to + to, values: to });

/** Channels and pixels of the image and of the feature map after each convolution, which halves height and width. */
const mapsOf = (dataset: DatasetName, filters: string) => {
  const [height, width, channels] = datasets[dataset].shape;
  const maps = [{ height, width, channels: channels as number }];
  for (const count of filters.split('-').map(Number)) {
    const { height, width } = maps.at(-1)!;
    maps.push({ height: Math.ceil(height / 2), width: Math.ceil(width / 2), channels: count });
  }
  return maps.map(({ height, width, channels }) => ({ channels, pixels: height * width }));
};

export type Networks = {
  readonly encoder: Size;
  readonly generator: Size;
  /** The generator that also takes the noise of FUNN's attacker. */
  readonly noisyGenerator: Size;
  /** The classifier's layers above the encoder. */
  readonly head: Size;
};

/** The networks of a trial with these hyperparameters (§3.3, §4.1 of Vigouroux & Picard). */
export const networksOf = (
  dataset: DatasetName,
  {
    filters,
    latent,
    noise,
    classifierUnits,
  }: Pick<Hyperparameters, 'filters' | 'latent' | 'noise' | 'classifierUnits'>,
): Networks => {
  const maps = mapsOf(dataset, filters);
  const last = maps.at(-1)!;
  const flat = last.pixels * last.channels;
  const encoder = sum([
    ...maps.slice(1).map((map, i) => convolution(maps[i]!.channels, map.channels, map.pixels)),
    ...(latent === 0 ? [] : [dense(flat, latent)]),
  ]);
  const generatorWith = (extra: number): Size =>
    sum([
      ...(latent === 0 ? [] : [dense(latent + extra, flat)]),
      ...maps
        .slice(1)
        .map((map, i) =>
          convolution(
            map.channels + (latent === 0 && map === last ? extra : 0),
            maps[i]!.channels,
            maps[i]!.pixels,
          ),
        ),
    ]);
  const code = latent === 0 ? flat : latent;
  const head = sum([dense(code, classifierUnits), dense(classifierUnits, datasets[dataset].classes.length)]);
  return { encoder, generator: generatorWith(0), noisyGenerator: generatorWith(noise), head };
};

/** The networks that a stage trains. MagNet's auto-encoders and the side network of the detector are small, and left out. */
export const trainedBy = (recipe: RecipeName, kind: StageKind, networks: Networks): Size => {
  const { encoder, generator, noisyGenerator, head } = networks;
  const classifier = sum([encoder, head]);
  if (kind === 'classify' || kind === 'attack') return classifier;
  if (recipe === 'funn') return sum([encoder, noisyGenerator, encoder, generator]);
  if (recipe === 'classic') return sum([encoder, generator]);
  if (recipe === 'magnet') return { weights: 0, values: 0 };
  return classifier;
};

const bytesPerNumber = 4;

/**
 * Bytes that a stage needs at least: for training, the weights with their gradients and Adam's two moments, and the values of a batch; for
 * an attack, the weights and the values of one image. The real need is larger: the process itself, data, temporary results.
 */
export const minBytes = (
  { recipe, kind, dataset }: { recipe: RecipeName; kind: StageKind; dataset: DatasetName },
  hyperparameters: Hyperparameters,
): number => {
  const { weights, values } = trainedBy(recipe, kind, networksOf(dataset, hyperparameters));
  return (
    bytesPerNumber * (kind === 'attack' ? weights + values : 4 * weights + hyperparameters.batchSize * values)
  );
};
