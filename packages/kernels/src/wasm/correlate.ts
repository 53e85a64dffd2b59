import { advance, type Code, doWhile, f32x4, get, i32, seq, set, times } from './assembler.ts';
import { assemble, type Module } from './module.ts';
import { createTile, storeLanes, tileColumns, tileRows } from './tile.ts';

/** What a correlation is specialised to. Strides and steps are in bytes. */
export interface Correlation {
  readonly fused: boolean;
  /** Rows of the result: neighbouring values of the input at one position (its channels). */
  readonly rows: number;
  /** Columns of the result: the gradient's values at one position (its channels). */
  readonly columns: number;
  /** From one row of the result to the next. */
  readonly resultStride: number;
  /** From one position of a run to the next, in the input. */
  readonly inputStep: number;
  /** The gradient is packed: all positions of 8 columns, [position, 8], then those of the next 8. */
  readonly panelStride: number;
}

/**
 * result[m, n] += Σ over the table's runs, over k: input[run + k · inputStep + m] · gradient[run + k, n].
 *
 * Parameters: input, gradient, result, table, table's end. The table holds for each run: input offset, gradient offset (within
 * a panel) and the run's length · 32, in bytes. Sums run over the runs, then k.
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
