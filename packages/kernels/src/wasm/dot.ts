import {
  advance,
  type Code,
  doWhile,
  f32x4,
  get,
  i32,
  type Local,
  multiplyAdd,
  seq,
  set,
  when,
} from './assembler.ts';
import { assemble, type Module } from './module.ts';

/** What a row of dot products is specialised to. Strides are in bytes. */
export interface DotProducts {
  readonly fused: boolean;
  /** Images computed at once, 1 to 4. */
  readonly images: number;
  readonly inputStride: number;
  readonly outputStride: number;
  /** Columns of the output at one position: few (1 to 3), or `contraction` is faster. */
  readonly columns: number;
  /** From the weights of one column to those of the next. */
  readonly columnStride: number;
  readonly start: 'zero' | 'bias';
  readonly activation: 'linear' | 'relu';
}

/**
 * What `contraction` computes, for outputs of few channels: four k at once instead of eight columns.
 *
 * Parameters and table as for `contraction`, but the weights of a column follow each other and all lengths are multiples of
 * four floats. Sums run over k ≡ 0, 1, 2, 3 (mod 4) apart, then (0 + 2) + (1 + 3); the bias comes last.
 */
export function dotProducts(spec: DotProducts): Module {
  const { fused, images, inputStride, outputStride, columns, columnStride } = spec;
  return assemble(7, ([input, weights, output, bias, table, tableEnd, groups], locals) => {
    const [at, out, segments, a, b, end] = locals.i32(6);
    const vectors = (count: number): Local[] => Array.from({ length: count }, () => locals.v128());
    const sums = Array.from({ length: columns }, () => vectors(images));
    const weight = vectors(columns);
    const [value, total] = [locals.v128(), locals.v128()];

    const step = seq(
      ...weight.map((vector, c) => set(vector, f32x4.load(get(b), c * columnStride))),
      ...Array.from({ length: images }, (_, r) =>
        seq(
          set(value, f32x4.load(get(a), r * inputStride)),
          ...sums.map((column, c) =>
            set(column[r]!, multiplyAdd(fused, get(value), get(weight[c]!), get(column[r]!))),
          ),
        ),
      ),
      advance(a, 16),
      advance(b, 16),
    );
    const segment = seq(
      set(a, i32.add(get(input), i32.load(get(at)))),
      set(b, i32.add(get(weights), i32.load(get(at), 4))),
      set(end, i32.add(get(a), i32.load(get(at), 8))),
      advance(at, 12),
      doWhile(step, i32.lessThan(get(a), get(end))),
      advance(segments, -1),
    );
    /** The four lanes of each image's sum added up: [image 0, image 1, image 2, image 3]. */
    const added = (column: Local[]): Code => {
      const [p, q, r, s] = [0, 1, 2, 3].map((image) => (column[image] ? get(column[image]) : f32x4.zero));
      const halves = (m: Code, n: Code): Code =>
        f32x4.add(f32x4.shuffle(m, n, [0, 1, 4, 5]), f32x4.shuffle(m, n, [2, 3, 6, 7]));
      const [front, back] = [halves(p!, q!), halves(r!, s!)];
      return f32x4.add(f32x4.shuffle(front, back, [0, 2, 4, 6]), f32x4.shuffle(front, back, [1, 3, 5, 7]));
    };
    const finish = (column: Local[], c: number): Code => {
      const biased =
        spec.start === 'bias' ? f32x4.add(added(column), f32x4.loadSplat(get(bias), 4 * c)) : added(column);
      return seq(
        set(total, spec.activation === 'relu' ? f32x4.max(biased, f32x4.zero) : biased),
        ...column.map((_, r) => f32x4.storeLane(get(out), get(total), r, r * outputStride + 4 * c)),
      );
    };
    const position = seq(
      set(out, i32.add(get(output), i32.load(get(at)))),
      set(segments, i32.load(get(at), 4)),
      advance(at, 8),
      ...sums.flat().map((sum) => set(sum, f32x4.zero)),
      when(get(segments), doWhile(segment, get(segments))),
      ...sums.map(finish),
    );
    const group = seq(
      set(at, get(table)),
      doWhile(position, i32.lessThan(get(at), get(tableEnd))),
      advance(input, images * inputStride),
      advance(output, images * outputStride),
      advance(groups, -1),
    );
    return doWhile(group, get(groups));
  });
}
