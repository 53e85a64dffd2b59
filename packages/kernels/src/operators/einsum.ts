/**
 * Einstein sums of one or two tensors, as matrix products: the kernel for backends that lack it, and its gradient.
 */
import * as tf from '@tensorflow/tfjs';

/** A tensor, and one letter for each of its axes. */
interface Labelled {
  readonly tensor: tf.Tensor;
  readonly axes: string;
}

const has = (axes: string) => (axis: string) => axes.includes(axis);
const not = (test: (axis: string) => boolean) => (axis: string) => !test(axis);
const pick = (axes: string, ...tests: ((axis: string) => boolean)[]): string =>
  [...axes].filter((axis) => tests.every((test) => test(axis))).join('');

const arrange = ({ tensor, axes }: Labelled, wanted: string): tf.Tensor =>
  axes === wanted
    ? tensor
    : tf.transpose(
        tensor,
        [...wanted].map((axis) => axes.indexOf(axis)),
      );

/** Sums over the axes that are not wanted. */
function reduce({ tensor, axes }: Labelled, wanted: string): Labelled {
  const summed = [...axes].flatMap((axis, i) => (wanted.includes(axis) ? [] : [i]));
  if (summed.length === 0) return { tensor, axes };
  return { tensor: tf.sum(tensor, summed), axes: pick(axes, has(wanted)) };
}

/** Σ over all axes that are not in `output` of the product of the operands. */
function contract(operands: readonly Labelled[], output: string): tf.Tensor {
  if (operands.length === 1) return arrange(reduce(operands[0]!, output), output);
  const [first, second] = operands as readonly [Labelled, Labelled];
  const a = reduce(first, output + second.axes);
  const b = reduce(second, output + first.axes);
  const batch = pick(a.axes, has(b.axes), has(output));
  const inner = pick(a.axes, has(b.axes), not(has(output)));
  const rows = pick(a.axes, not(has(b.axes)));
  const columns = pick(b.axes, not(has(a.axes)));
  const sizeOf = (axis: string): number =>
    a.axes.includes(axis) ? a.tensor.shape[a.axes.indexOf(axis)]! : b.tensor.shape[b.axes.indexOf(axis)]!;
  const size = (axes: string): number => [...axes].reduce((product, axis) => product * sizeOf(axis), 1);
  const left = tf.reshape(arrange(a, batch + rows + inner), [size(batch), size(rows), size(inner)]);
  const right = tf.reshape(arrange(b, batch + inner + columns), [size(batch), size(inner), size(columns)]);
  const axes = batch + rows + columns;
  const product = tf.reshape(tf.matMul(left, right), [...axes].map(sizeOf));
  return arrange({ tensor: product, axes }, output);
}

function parse(equation: string): { inputs: readonly string[]; output: string } {
  const [inputs, output, ...rest] = equation.replace(/\s/g, '').split('->');
  if (inputs === undefined || output === undefined || rest.length > 0 || /[^a-zA-Z,]/.test(inputs + output))
    throw new Error(`Expected an equation like 'ij,jk->ik', but got '${equation}'`);
  const names = inputs.split(',');
  if (names.length > 2 || [...names, output].some((axes) => new Set(axes).size !== axes.length))
    throw new Error(
      `'${equation}' has more than two tensors, or repeats an axis of one tensor: that is not supported.`,
    );
  return { inputs: names, output };
}

/** The kernel: the operands go by position. */
export const einsumKernel: tf.KernelFunc = ({ inputs, attrs }) => {
  const { equation } = attrs as unknown as tf.EinsumAttrs;
  const { inputs: names, output } = parse(equation);
  const tensors = Object.values(inputs) as tf.Tensor[];
  return tf.tidy(() =>
    contract(
      names.map((axes, i) => ({ tensor: tensors[i]!, axes })),
      output,
    ),
  );
};

/** Repeats a tensor along the axes that it lacks. */
function widen({ tensor, axes }: Labelled, wanted: string, shape: readonly number[]): tf.Tensor {
  const ordered = arrange({ tensor, axes }, pick(wanted, has(axes)));
  const kept = shape.map((size, i) => (axes.includes(wanted[i]!) ? size : 1));
  return tf.broadcastTo(tf.reshape(ordered, kept), [...shape]);
}

export const einsumGradient: tf.GradConfig = {
  kernelName: 'Einsum',
  saveAllInputs: true,
  gradFunc: (dy, tensors, attributes) => {
    const { inputs, output } = parse((attributes as unknown as tf.EinsumAttrs).equation);
    const upstream: Labelled = { tensor: dy as tf.Tensor, axes: output };
    const gradientOf = (axes: string, i: number) => (): tf.Tensor => {
      const others = inputs.flatMap((other, j) => (j === i ? [] : [{ tensor: tensors[j]!, axes: other }]));
      const known = pick(axes, has(output + others.map((other) => other.axes).join('')));
      return widen({ tensor: contract([upstream, ...others], known), axes: known }, axes, tensors[i]!.shape);
    };
    return Object.fromEntries(inputs.map((axes, i) => [i, gradientOf(axes, i)]));
  },
};
