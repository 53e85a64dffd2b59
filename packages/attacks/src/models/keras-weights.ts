/**
 * The weights of Keras 3, layer by layer. Its names are paths: `layers/conv2d_1/vars/0` in a .keras file, which counts the layers of each
 * class, and `block/conv2d/kernel` in a .h5 file. TensorFlow.js expects the names of Keras 2, which are not unique in nested models.
 */
import { AppError } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';

type Weights = Readonly<Record<string, tf.Tensor>>;

/** The part of a topology that gives layers their paths. */
export type LayerTree = {
  readonly name: string;
  readonly className: string;
  /** Of a model, in the order of Keras; TensorFlow.js sorts them by depth. */
  readonly layers: readonly LayerTree[];
};

/** `SeparableConv2D` → `separable_conv2d`: keras/src/utils/naming.py. */
const toSnakeCase = (name: string): string =>
  name
    .replaceAll(/\W+/g, '')
    .replaceAll(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replaceAll(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase();

/** The path in .keras files of each layer: `layers/functional/layers/conv2d_1`. Keys are names joined by `/`, without the outermost model's. */
const archivePaths = (
  { layers }: LayerTree,
  path = 'layers',
  outer = '',
): readonly (readonly [names: string, path: string])[] => {
  const used = new Map<string, number>();
  return layers.flatMap((layer) => {
    const name = toSnakeCase(layer.className);
    const times = used.get(name) ?? 0;
    used.set(name, times + 1);
    const here = `${path}/${times === 0 ? name : `${name}_${times}`}`;
    const names = `${outer}${layer.name}`;
    return [[names, here] as const, ...archivePaths(layer, `${here}/layers`, `${names}/`)];
  });
};

type Leaf = {
  readonly layer: tf.layers.Layer;
  /** Names of the models around it and its own, the outermost first. */
  readonly names: readonly string[];
};

const leavesOf = (model: tf.LayersModel, outer: readonly string[] = []): Leaf[] =>
  model.layers.flatMap((layer) => {
    const names = [...outer, layer.name];
    return layer instanceof tf.LayersModel ? leavesOf(layer, names) : [{ layer, names }];
  });

/** Names of weights by the path of their layer, in the order of the layer. */
const grouped = (names: readonly string[]): ReadonlyMap<string, readonly string[]> => {
  const groups = new Map<string, string[]>();
  for (const name of names) {
    const path = name.slice(0, Math.max(0, name.lastIndexOf('/')));
    groups.set(path, [...(groups.get(path) ?? []), name]);
  }
  return groups;
};

type Groups = ReturnType<typeof grouped>;

/** Of a .keras file: `vars/0`, `vars/1`, …, sorted by number. */
const findInArchive = (groups: Groups, tree: LayerTree) => {
  const paths = new Map(archivePaths(tree));
  const numberOf = (name: string) => Number(name.slice(name.lastIndexOf('/') + 1));
  return (names: readonly string[]): readonly string[] => {
    const path = paths.get(names.join('/'));
    const found = groups.get(`${path}/vars`) ?? groups.get(`${path}/cell/vars`) ?? [];
    return found.toSorted((a, b) => numberOf(a) - numberOf(b));
  };
};

/** Of a .h5 file: the path that ends in most of the layer's names; of equals, the shortest. */
const findInHdf5 = (groups: Groups, tree: LayerTree) => (names: readonly string[]) => {
  const wanted = [tree.name, ...names].reverse();
  const agreement = (path: string): number => {
    const parts = path.split('/').reverse();
    const differs = wanted.findIndex((name, i) => parts[i] !== name);
    return differs < 0 ? wanted.length : differs;
  };
  const [best] = [...groups.keys()]
    .filter((path) => agreement(path) > 0)
    .sort((a, b) => agreement(b) - agreement(a) || a.length - b.length);
  return best === undefined ? [] : groups.get(best)!;
};

const textOf = (shape: readonly (number | null)[]): string => `[${shape.join(', ')}]`;

/**
 * Sets the weights of a model that was made from the topology `tree`. Disposes `weights`. Errors: ATTACK_INPUT when a layer finds no
 * weights, or weights of other shapes.
 */
export const setKeras3Weights = (model: tf.LayersModel, weights: Weights, tree: LayerTree): void => {
  const all = Object.keys(weights);
  const isArchive = all.some((name) => /\/vars\/\d+$/.test(name));
  const find = (isArchive ? findInArchive : findInHdf5)(grouped(all), tree);
  for (const { layer, names } of leavesOf(model)) {
    const wanted = layer.weights.map(({ shape }) => textOf(shape));
    if (wanted.length === 0) continue;
    const found = find(names);
    const shapes = found.map((name) => textOf(weights[name]!.shape));
    if (shapes.join() !== wanted.join())
      throw new AppError(
        'ATTACK_INPUT',
        `Expected weights ${wanted.join(', ')} for the layer ${layer.name}, but the file has ${shapes.join(', ') || 'none'}: export a graph model instead`,
      );
    layer.setWeights(found.map((name) => weights[name]!));
  }
  tf.dispose(Object.values(weights));
};
