import { advance, type Code, doWhile, f32x4, get, i32, seq, set, times, when } from './assembler.ts';
import { assemble, type Module } from './module.ts';
import { createTile, storeLanes, tileColumns } from './tile.ts';

/** What a contraction is specialised to. Strides are in bytes. */
export interface Contraction {
  readonly fused: boolean;
  /** Images computed at once, 1 to 4: each weight loaded serves them all. */
  readonly images: number;
  readonly inputStride: number;
  readonly outputStride: number;
  /** Columns of the output at one position (its channels). */
  readonly columns: number;
  /** All weights of 8 columns, [k, 8], follow each other; then those of the next 8. */
  readonly panelStride: number;
  readonly start: 'zero' | 'bias' | 'output';
  readonly activation: 'linear' | 'relu';
}

/**
 * output[image, position, n] = activation(start + Σ over the position's segments, over k: input[image, segment + k] · weights[k, n]).
 *
 * Parameters: input, weights, output, bias, table, table's end, groups (of `images` images).
 * The table holds for each position: output offset, number of segments, then per segment input offset, weight offset and
 * length, all in bytes of the respective array. Sums run over k in the table's order, whatever the number of images at once.
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
