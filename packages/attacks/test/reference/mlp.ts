/** A two-layer perceptron and its Jacobian in plain double precision, one image at a time. The tests compare the batched code with it. */
export type Mlp = {
  readonly inputs: number;
  readonly hidden: number;
  readonly classes: number;
  /** Row-major `[inputs, hidden]`, `[hidden]`, `[hidden, classes]`, `[classes]`. */
  readonly w1: ArrayLike<number>;
  readonly b1: ArrayLike<number>;
  readonly w2: ArrayLike<number>;
  readonly b2: ArrayLike<number>;
};

const hiddenUnits = ({ inputs, hidden, w1, b1 }: Mlp, x: ArrayLike<number>): number[] =>
  Array.from({ length: hidden }, (_, j) => {
    let sum = b1[j]!;
    for (let i = 0; i < inputs; i++) sum += x[i]! * w1[i * hidden + j]!;
    return Math.max(0, sum);
  });

export const logitsOf = (mlp: Mlp, x: ArrayLike<number>): number[] => {
  const h = hiddenUnits(mlp, x);
  return Array.from({ length: mlp.classes }, (_, k) => {
    let sum = mlp.b2[k]!;
    for (let j = 0; j < mlp.hidden; j++) sum += h[j]! * mlp.w2[j * mlp.classes + k]!;
    return sum;
  });
};

/** ∂⟨cotangent, logits⟩/∂x. */
export const pullback = (mlp: Mlp, x: ArrayLike<number>, cotangent: readonly number[]): number[] => {
  const { inputs, hidden, classes, w1, w2 } = mlp;
  const back = hiddenUnits(mlp, x).map((unit, j) => {
    if (unit === 0) return 0;
    let sum = 0;
    for (let k = 0; k < classes; k++) sum += cotangent[k]! * w2[j * classes + k]!;
    return sum;
  });
  return Array.from({ length: inputs }, (_, i) => {
    let sum = 0;
    for (let j = 0; j < hidden; j++) sum += back[j]! * w1[i * hidden + j]!;
    return sum;
  });
};

export const argMax = (values: readonly number[]): number =>
  values.reduce((best, value, k) => (value > values[best]! ? k : best), 0);
