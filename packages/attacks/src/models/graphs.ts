/** Graph models that converters optimise into forms that some backends of TensorFlow.js lack, turned into forms that all backends have. */
import * as tf from '@tensorflow/tfjs';

type Node = {
  readonly name: string;
  readonly op: string;
  readonly input?: readonly string[];
  readonly attr?: { readonly fused_ops?: { readonly list?: { readonly s?: readonly string[] } } };
};
type Spec = tf.io.WeightsManifestEntry;

/** The name of an operator that the optimiser of TensorFlow has, and TensorFlow.js does not have. */
const fusedHardSwish = '_FusedHardSwish';
const hardSwish = 'FunnelHardSwish';

let isRegistered = false;
const registerHardSwish = (): void => {
  if (isRegistered) return;
  isRegistered = true;
  tf.registerOp(hardSwish, ({ inputs: [x] }) => tf.mul(x!, tf.div(tf.relu6(tf.add(x!, 3)), 6)));
};

const isFused = ({ op }: Node): boolean => /Fused/.test(op);
const fusedOps = ({ attr }: Node): readonly string[] => attr?.fused_ops?.list?.s ?? [];

/** A convolution with a last step `_FusedHardSwish` becomes one without, and the step becomes a node. */
const withoutHardSwish = (node: Node): readonly Node[] => {
  const ops = fusedOps(node);
  if (ops.length === 0 || atob(ops.at(-1)!) !== fusedHardSwish) return [node];
  const before = `${node.name}/before_hard_swish`;
  const attr = { ...node.attr, fused_ops: { list: { s: ops.slice(0, -1) } } };
  return [
    { ...node, name: before, attr },
    { name: node.name, op: hardSwish, input: [before], attr: {} },
  ];
};

/** [1, 1, 1, c] → [c]. Folded batch normalisation leaves such biases, and fused convolutions on wasm take only rows. */
const asRow = (spec: Spec): Spec =>
  spec.shape.length > 1 && spec.shape.slice(0, -1).every((size) => size === 1)
    ? { ...spec, shape: spec.shape.slice(-1) }
    : spec;

/** `topology` and `specs` as the file of a graph model has them. */
export const readGraph = <T extends object>(
  topology: T,
  specs: readonly Spec[],
): { readonly topology: T; readonly specs: Spec[] } => {
  registerHardSwish();
  const nodes = (topology as { node?: readonly Node[] }).node ?? [];
  const biases = new Set(nodes.filter(isFused).map(({ input = [] }) => input[2]));
  return {
    topology: { ...topology, node: nodes.flatMap(withoutHardSwish) },
    specs: specs.map((spec) => (biases.has(spec.name) ? asRow(spec) : spec)),
  };
};
