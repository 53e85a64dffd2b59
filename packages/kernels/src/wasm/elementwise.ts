/**
 * Kernels that read each input once: activations and their gradients, sums of rows, Adam, combinations.
 */
import {
  advance,
  assemble,
  type Code,
  doWhile,
  f32x4,
  get,
  i32,
  type Local,
  type Locals,
  type Module,
  seq,
  set,
  times,
  when,
} from './assembler.ts';
import { storeLanes, tileColumns } from './products.ts';

/**
 * Runs the body for `count` floats, four at a time and then one at a time, and advances all `addresses`. The body stores through `store`,
 * which writes nothing past the last float.
 */
function forEach(
  locals: Locals,
  count: Local,
  addresses: readonly Local[],
  body: (store: (address: Code, value: Code) => Code, lanes: number) => Code,
): Code {
  const [rest] = locals.i32(1);
  const loop = (lanes: number, counter: Local): Code => {
    const one = seq(
      body((address, value) => storeLanes(address, value, lanes, 0), lanes),
      ...addresses.map((address) => advance(address, 4 * lanes)),
      advance(counter, -1),
    );
    return when(get(counter), doWhile(one, get(counter)));
  };
  return seq(
    set(rest, i32.and(get(count), i32.const(3))),
    set(count, i32.shiftRight(get(count), i32.const(2))),
    loop(4, count),
    loop(1, rest),
  );
}

/** target = bytes / 255. Reads up to three bytes past the last one. Parameters: bytes, target, count. */
export function bytesToUnit(): Module {
  return assemble(3, ([bytes, target, count], locals) =>
    forEach(locals, count, [target], (store, lanes) =>
      seq(
        store(get(target), f32x4.div(f32x4.loadBytes(get(bytes)), f32x4.splat(255))),
        advance(bytes, lanes),
      ),
    ),
  );
}

/** The gradient of a ReLU: target = gradient where output > 0, else 0. Parameters: gradient, output, target, count. */
export function reluGradient(): Module {
  return assemble(4, ([gradient, output, target, count], locals) =>
    forEach(locals, count, [gradient, output, target], (store) => {
      const open = f32x4.greater(f32x4.load(get(output)), f32x4.zero);
      return store(get(target), f32x4.and(f32x4.load(get(gradient)), open));
    }),
  );
}

/**
 * The gradient of a bias: total[n] += Σ_k source[k, n]. Blocks of 8 columns are `blockStride` bytes apart, rows `step` bytes.
 * Parameters: source, total, k.
 */
export function sumRows(spec: { columns: number; step: number; blockStride: number }): Module {
  return assemble(3, ([source, total, rows], locals) => {
    const [from, count, blocks] = locals.i32(3);
    const sums = [locals.v128(), locals.v128()];
    const blockOf = (width: number): Code => {
      const vectors = sums.slice(0, Math.ceil(width / 4));
      return seq(
        set(from, get(source)),
        set(count, get(rows)),
        ...vectors.map((sum) => set(sum, f32x4.zero)),
        doWhile(
          seq(
            ...vectors.map((sum, v) => set(sum, f32x4.add(get(sum), f32x4.load(get(from), 16 * v)))),
            advance(from, spec.step),
            advance(count, -1),
          ),
          get(count),
        ),
        ...vectors.map((sum, v) => {
          const value = f32x4.add(f32x4.load(get(total), 16 * v), get(sum));
          return storeLanes(get(total), value, Math.min(4, width - 4 * v), 16 * v);
        }),
        advance(source, spec.blockStride),
        advance(total, 4 * tileColumns),
      );
    };
    return seq(
      times(blocks, Math.floor(spec.columns / tileColumns), blockOf(tileColumns)),
      spec.columns % tileColumns > 0 ? blockOf(spec.columns % tileColumns) : [],
    );
  });
}

/** Windows that lie side by side: `width` and `mapWidth` in pixels of a row, `taps` [height, width]. */
export interface PoolingRow {
  readonly channels: number;
  readonly width: number;
  readonly mapWidth: number;
  readonly taps: readonly [number, number];
}

/**
 * The gradient of maximum pooling for one row of windows: all of it to the first of the largest values of a window, +0 to the others. A
 * NaN is never the largest; a window of NaN and −∞ passes nothing on. `channels` is a multiple of 4. Parameters: x, dy, dx.
 */
export function maxPoolRowGradient({ channels, width, mapWidth, taps }: PoolingRow): Module {
  return assemble(3, ([x, dy, dx], locals) => {
    const [windows, quads] = locals.i32(2);
    const [greatest, open, hit] = [locals.v128(), locals.v128(), locals.v128()];
    const offsets = Array.from({ length: taps[0] * taps[1] }, (_, tap) => {
      return 4 * channels * (Math.floor(tap / taps[1]) * width + (tap % taps[1]));
    });
    const lowest = f32x4.splat(Number.NEGATIVE_INFINITY);
    const quad = seq(
      set(greatest, lowest),
      ...offsets.map((offset) => set(greatest, f32x4.max(get(greatest), f32x4.load(get(x), offset)))),
      set(open, f32x4.greater(get(greatest), lowest)),
      ...offsets.map((offset) =>
        seq(
          set(hit, f32x4.and(get(open), f32x4.equal(f32x4.load(get(x), offset), get(greatest)))),
          f32x4.store(get(dx), f32x4.add(f32x4.zero, f32x4.and(f32x4.load(get(dy)), get(hit))), offset),
          set(open, f32x4.andNot(get(open), get(hit))),
        ),
      ),
      ...[x, dy, dx].map((address) => advance(address, 16)),
    );
    const rest = 4 * channels * (taps[1] - 1); // to the first pixel of the next window
    return times(
      windows,
      mapWidth,
      seq(times(quads, channels / 4, quad), advance(x, rest), advance(dx, rest)),
    );
  });
}

/** tanh as a quotient of polynomials in x², as in Eigen and XLA. Its error is a few units in the last place of a float. */
const tanhOdd = [
  -2.76076847742355e-16, 2.00018790482477e-13, -8.60467152213735e-11, 5.12229709037114e-8,
  1.48572235717979e-5, 6.37261928875436e-4, 4.89352455891786e-3,
];
const tanhEven = [1.19825839466702e-6, 1.18534705686654e-4, 2.268434632439e-3, 4.89352518554385e-3];
const tanhLimit = 7.905311107635498; // tanh rounds to 1 beyond this

/** target = (1 + tanh(source)) / 2, or tanh itself. Parameters: source, target, count. */
export function tanh(spec: { range: 'unit' | 'symmetric' }): Module {
  return assemble(3, ([source, target, count], locals) => {
    const [x, square, top, bottom] = [locals.v128(), locals.v128(), locals.v128(), locals.v128()];
    const horner = (into: Local, coefficients: readonly number[]): Code =>
      coefficients.flatMap((coefficient, i) => {
        const higher = f32x4.mul(get(into), get(square));
        return set(into, i === 0 ? f32x4.splat(coefficient) : f32x4.add(higher, f32x4.splat(coefficient)));
      });
    const symmetric = f32x4.div(f32x4.mul(get(x), get(top)), get(bottom));
    const half = f32x4.splat(0.5);
    const value = spec.range === 'unit' ? f32x4.add(f32x4.mul(symmetric, half), half) : symmetric;
    const [low, high] = [f32x4.splat(-tanhLimit), f32x4.splat(tanhLimit)];
    return forEach(locals, count, [source, target], (store) =>
      seq(
        set(x, f32x4.min(f32x4.max(f32x4.load(get(source)), low), high)),
        set(square, f32x4.mul(get(x), get(x))),
        horner(top, tanhOdd),
        horner(bottom, tanhEven),
        store(get(target), value),
      ),
    );
  });
}

/** The gradient of y = (1 + tanh z) / 2: target = gradient · 2·y·(1 − y). Parameters: gradient, y, target, count. */
export function unitTanhGradient(): Module {
  return assemble(4, ([gradient, output, target, count], locals) => {
    const y = locals.v128();
    return forEach(locals, count, [gradient, output, target], (store) => {
      const slope = f32x4.mul(f32x4.add(get(y), get(y)), f32x4.sub(f32x4.splat(1), get(y)));
      return seq(
        set(y, f32x4.load(get(output))),
        store(get(target), f32x4.mul(f32x4.load(get(gradient)), slope)),
      );
    });
  });
}

/**
 * One step of Adam (Kingma & Ba 2015, §2, the efficient order of computation), in place:
 *   m ← β₁·m + (1 − β₁)·g    v ← β₂·v + (1 − β₂)·g²    w ← w − rate · m / (√v + ε)
 * Parameters: w, g, m, v, count; β₁, 1 − β₁, β₂, 1 − β₂, rate, ε.
 */
export function adam(): Module {
  return assemble(
    5,
    ([weight, gradient, first, second, count], locals, floats) => {
      const [g, m, v] = [locals.v128(), locals.v128(), locals.v128()];
      const scalars = floats.map((scalar) => ({ vector: locals.v128(), scalar }));
      const [beta1, rest1, beta2, rest2, rate, epsilon] = scalars.map(({ vector }) => get(vector)) as [
        ...[Code, Code, Code, Code, Code, Code],
      ];
      const decayed = (moment: Local, beta: Code, rest: Code, value: Code): Code =>
        f32x4.add(f32x4.mul(beta, f32x4.load(get(moment))), f32x4.mul(rest, value));
      const change = f32x4.div(f32x4.mul(rate, get(m)), f32x4.add(f32x4.sqrt(get(v)), epsilon));
      return seq(
        ...scalars.map(({ vector, scalar }) => set(vector, f32x4.splatOf(get(scalar)))),
        forEach(locals, count, [weight, gradient, first, second], (store) =>
          seq(
            set(g, f32x4.load(get(gradient))),
            set(m, decayed(first, beta1, rest1, get(g))),
            set(v, decayed(second, beta2, rest2, f32x4.mul(get(g), get(g)))),
            store(get(first), get(m)),
            store(get(second), get(v)),
            store(get(weight), f32x4.sub(f32x4.load(get(weight)), change)),
          ),
        ),
      );
    },
    6,
  );
}

/** The shape for which a combination is compiled. Strides are in bytes. */
export interface Combination {
  /** Channels at a position, a multiple of 8. */
  readonly channels: number;
  /** From one position of the target to the next. */
  readonly positionStride: number;
  /** From one block of 8 channels of the target to the next block of the same position: 32, or the size of a panel. */
  readonly blockStride: number;
  readonly start: 'zero' | 'bias';
  readonly activation: 'linear' | 'relu';
}

/**
 * Each position of the target is a weighted sum of a few positions of the source:
 * target[position, c] = activation(start + Σ factor · source[term, c]) for every channel c.
 *
 * Parameters: source, target, bias, table, end of the table. For each position the table holds the number of terms (at least one), and for
 * each term the offset in the source, in bytes, and the factor (a 32-bit float).
 */
export function combination(spec: Combination): Module {
  const { channels, positionStride, blockStride } = spec;
  if (channels % tileColumns !== 0) throw new Error(`Expected a multiple of 8 channels, but got ${channels}`);
  // Computes 16 channels per reading of the table, the most that the registers hold, or 8 where 16 does not divide the number of channels.
  const panels = channels % (2 * tileColumns) === 0 ? 2 : 1;
  const vectors = Array.from({ length: 2 * panels }, (_, v) => v);
  return assemble(5, ([source, target, bias, table, tableEnd], locals) => {
    const [at, terms, from, to, channel, biasAt] = locals.i32(6);
    const sums = vectors.map(() => locals.v128());
    const factor = locals.v128();
    const term = seq(
      set(from, i32.add(i32.add(get(source), get(channel)), i32.load(get(at)))),
      set(factor, f32x4.loadSplat(get(at), 4)),
      ...sums.map((sum, v) =>
        set(sum, f32x4.add(get(sum), f32x4.mul(get(factor), f32x4.load(get(from), 16 * v)))),
      ),
      advance(at, 8),
      advance(terms, -1),
    );
    const block = seq(
      set(terms, i32.load(get(table))),
      set(at, i32.add(get(table), i32.const(4))),
      ...sums.map((sum, v) => set(sum, spec.start === 'bias' ? f32x4.load(get(biasAt), 16 * v) : f32x4.zero)),
      doWhile(term, get(terms)),
      ...sums.map((sum, v) => {
        const value = spec.activation === 'relu' ? f32x4.max(get(sum), f32x4.zero) : get(sum);
        return f32x4.store(get(to), value, blockStride * Math.floor(v / 2) + 16 * (v % 2));
      }),
      advance(to, panels * blockStride),
      advance(biasAt, 4 * panels * tileColumns),
      advance(channel, 4 * panels * tileColumns),
    );
    return doWhile(
      seq(
        set(to, get(target)),
        set(biasAt, get(bias)),
        set(channel, i32.const(0)),
        doWhile(block, i32.lessThan(get(channel), i32.const(4 * channels))),
        set(table, get(at)),
        advance(target, positionStride),
      ),
      i32.lessThan(get(table), get(tableEnd)),
    );
  });
}
