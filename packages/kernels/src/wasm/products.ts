/**
 * Programs for sums of products, which take nearly all the time of training: contraction (convolutions, matrix products), dot products (the same
 * for few channels) and correlation (gradients of weights).
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
  multiplyAdd,
  seq,
  set,
  times,
  when,
} from './assembler.ts';

/** The largest tile of sums that fits into the 16 vector registers of x86-64 beside the operands. */
export const tileRows = 4;
export const tileColumns = 8;

/** A tile of running sums in registers, `rows` × up to 8 columns. */
export interface Tile {
  /** Code for every vector of sums: `column` is its first column, `lanes` the number of its lanes in use. */
  each(body: (sum: Local, row: number, column: number, lanes: number) => Code): Code;
  /** sums[row, column] += left(row) · right(column): `left` has one float in all lanes, `right` four neighbouring floats. */
  accumulate(left: (row: number) => Code, right: (column: number) => Code): Code;
  /** A smaller tile in the same registers. */
  cut(rows: number, columns: number): Tile;
}

export function createTile(locals: Locals, fused: boolean): Tile {
  const sums = Array.from({ length: tileRows }, () => [locals.v128(), locals.v128()]);
  const weights = [locals.v128(), locals.v128()];
  const value = locals.v128();

  const cut = (rows: number, columns: number): Tile => {
    const vectors = weights.slice(0, Math.ceil(columns / 4));
    return {
      cut,
      each: (body) =>
        sums
          .slice(0, rows)
          .flatMap((row, r) =>
            vectors.flatMap((_, v) => body(row[v]!, r, 4 * v, Math.min(4, columns - 4 * v))),
          ),
      accumulate: (left, right) =>
        seq(
          ...vectors.map((vector, v) => set(vector, right(4 * v))),
          ...sums
            .slice(0, rows)
            .map((row, r) =>
              seq(
                set(value, left(r)),
                ...vectors.map((vector, v) =>
                  set(row[v]!, multiplyAdd(fused, get(value), get(vector), get(row[v]!))),
                ),
              ),
            ),
        ),
    };
  };
  return cut(tileRows, tileColumns);
}

/** Stores the first `lanes` floats of a vector. */
export function storeLanes(address: Code, value: Code, lanes: number, offset: number): Code {
  if (lanes === 4) return f32x4.store(address, value, offset);
  return Array.from({ length: lanes }, (_, lane) =>
    f32x4.storeLane(address, value, lane, offset + 4 * lane),
  ).flat();
}

/** The shape for which a contraction is compiled. Strides are in bytes. */
export interface Contraction {
  readonly fused: boolean;
  /** Images computed at once, 1 to 4. A weight is loaded once for all of them. */
  readonly images: number;
  readonly inputStride: number;
  readonly outputStride: number;
  /** Columns of the output at one position (its channels). */
  readonly columns: number;
  /** From one panel of 8 columns, [k, 8], to the next. */
  readonly panelStride: number;
  readonly start: 'zero' | 'bias' | 'output';
  readonly activation: 'linear' | 'relu';
}

/**
 * output[image, position, n] = activation(start + Σ over the position's segments, over k: input[image, segment + k] · weights[k, n]).
 *
 * Parameters: input, weights, output, bias, table, end of the table, groups (of `images` images).
 * For each position the table holds the output offset and the number of segments, and for each segment the input offset, the weight offset
 * and the length. Offsets and lengths are in bytes. Sums run over k in the order of the table, for any number of images at once.
 */
export function contraction(spec: Contraction): Module {
  const { images, inputStride, outputStride, columns, panelStride } = spec;
  return assemble(7, ([input, weights, output, bias, table, tableEnd, groups], locals) => {
    const [at, out, panel, panelBias, panelOut] = locals.i32(5);
    const [segments, a, b, end, count] = locals.i32(5);
    const tile = createTile(locals, spec.fused);

    const panelOf = (width: number): Code => {
      const { each, accumulate } = tile.cut(images, width);
      const step = seq(
        accumulate(
          (row) => f32x4.loadSplat(get(a), row * inputStride),
          (column) => f32x4.load(get(b), 4 * column),
        ),
        advance(a, 4),
        advance(b, 32),
      );
      const segment = seq(
        set(a, i32.add(get(input), i32.load(get(at)))),
        set(b, i32.add(get(panel), i32.load(get(at), 4))),
        set(end, i32.add(get(a), i32.load(get(at), 8))),
        advance(at, 12),
        doWhile(step, i32.lessThan(get(a), get(end))),
        advance(segments, -1),
      );
      const position = seq(
        set(out, i32.add(get(panelOut), i32.load(get(at)))),
        set(segments, i32.load(get(at), 4)),
        advance(at, 8),
        each((sum, row, column) => {
          if (spec.start === 'zero') return set(sum, f32x4.zero);
          if (spec.start === 'bias') return set(sum, f32x4.load(get(panelBias), 4 * column));
          return set(sum, f32x4.load(get(out), row * outputStride + 4 * column));
        }),
        when(get(segments), doWhile(segment, get(segments))),
        each((sum, row, column, lanes) => {
          const value = spec.activation === 'relu' ? f32x4.max(get(sum), f32x4.zero) : get(sum);
          return storeLanes(get(out), value, lanes, row * outputStride + 4 * column);
        }),
      );
      return seq(
        set(at, get(table)),
        doWhile(position, i32.lessThan(get(at), get(tableEnd))),
        advance(panel, panelStride),
        advance(panelBias, 4 * tileColumns),
        advance(panelOut, 4 * tileColumns),
      );
    };

    const group = seq(
      set(panel, get(weights)),
      set(panelBias, get(bias)),
      set(panelOut, get(output)),
      times(count, Math.floor(columns / tileColumns), panelOf(tileColumns)),
      columns % tileColumns > 0 ? panelOf(columns % tileColumns) : [],
      advance(input, images * inputStride),
      advance(output, images * outputStride),
      advance(groups, -1),
    );
    return doWhile(group, get(groups));
  });
}

/** The shape for which dot products are compiled. Strides are in bytes. */
export interface DotProducts {
  readonly fused: boolean;
  /** Images computed at once, 1 to 4. */
  readonly images: number;
  readonly inputStride: number;
  readonly outputStride: number;
  /** Columns of the output at one position, 1 to 3. For more, `contraction` is faster. */
  readonly columns: number;
  /** From the weights of one column to the weights of the next. */
  readonly columnStride: number;
  readonly start: 'zero' | 'bias';
  readonly activation: 'linear' | 'relu';
}

/**
 * Computes the same as `contraction`, for outputs of few channels: four k at once instead of eight columns.
 *
 * Parameters and table are the same as for `contraction`, but the weights of a column follow each other, and all lengths are multiples of
 * four floats. Four sums run over k ≡ 0, 1, 2, 3 (mod 4); the result is (0 + 2) + (1 + 3), then the bias is added.
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
    /** The sum of the four lanes for each image: [image 0, image 1, image 2, image 3]. */
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

/** The shape for which a correlation is compiled. Strides and steps are in bytes. */
export interface Correlation {
  readonly fused: boolean;
  /** Rows of the result: the channels of the input at one position. */
  readonly rows: number;
  /** Columns of the result: the channels of the gradient at one position. */
  readonly columns: number;
  /** From one row of the result to the next. */
  readonly resultStride: number;
  /** In the input, from one position of a run to the next. */
  readonly inputStep: number;
  /** In the gradient, from the panel of 8 columns, [position, 8], to the next. */
  readonly panelStride: number;
}

/**
 * result[m, n] += Σ over the table's runs, over k: input[run + k · inputStep + m] · gradient[run + k, n].
 *
 * Parameters: input, gradient, result, table, end of the table. For each run the table holds the input offset, the gradient offset (within
 * a panel) and length · 32, in bytes. Sums run over the runs, then over k.
 */
export function correlation(spec: Correlation): Module {
  const { rows, columns, resultStride, inputStep, panelStride } = spec;
  return assemble(5, ([input, gradient, result, table, tableEnd], locals) => {
    const [at, rowInput, rowResult, panel, out] = locals.i32(5);
    const [a, b, end, count, rowCount] = locals.i32(5);
    const tile = createTile(locals, spec.fused);

    const panelOf = (height: number, width: number): Code => {
      const { each, accumulate } = tile.cut(height, width);
      const step = seq(
        accumulate(
          (row) => f32x4.loadSplat(get(a), 4 * row),
          (column) => f32x4.load(get(b), 4 * column),
        ),
        advance(a, inputStep),
        advance(b, 4 * tileColumns),
      );
      const run = seq(
        set(a, i32.add(get(rowInput), i32.load(get(at)))),
        set(b, i32.add(get(panel), i32.load(get(at), 4))),
        set(end, i32.add(get(b), i32.load(get(at), 8))),
        advance(at, 12),
        doWhile(step, i32.lessThan(get(b), get(end))),
      );
      return seq(
        each((sum) => set(sum, f32x4.zero)),
        set(at, get(table)),
        doWhile(run, i32.lessThan(get(at), get(tableEnd))),
        each((sum, row, column, lanes) => {
          const offset = row * resultStride + 4 * column;
          const total = f32x4.add(f32x4.load(get(out), offset), get(sum));
          return storeLanes(get(out), total, lanes, offset);
        }),
        advance(panel, panelStride),
        advance(out, 4 * tileColumns),
      );
    };

    const band = (height: number): Code =>
      seq(
        set(panel, get(gradient)),
        set(out, get(rowResult)),
        times(count, Math.floor(columns / tileColumns), panelOf(height, tileColumns)),
        columns % tileColumns > 0 ? panelOf(height, columns % tileColumns) : [],
        advance(rowInput, 4 * height),
        advance(rowResult, height * resultStride),
      );
    return seq(
      set(rowInput, get(input)),
      set(rowResult, get(result)),
      times(rowCount, Math.floor(rows / tileRows), band(tileRows)),
      rows % tileRows > 0 ? band(rows % tileRows) : [],
    );
  });
}
