import { type Code, f32x4, get, type Local, multiplyAdd, seq, set } from './assembler.ts';
import type { Locals } from './module.ts';

/** Most rows and columns of sums that the 16 vector registers of x86-64 hold beside the operands. */
export const tileRows = 4;
export const tileColumns = 8;

/** A tile of running sums in registers, `rows` × up to 8 columns. */
export interface Tile {
  /** Code for every sum: `column` is its first column, `lanes` how many of its four are wanted. */
  each(body: (sum: Local, row: number, column: number, lanes: number) => Code): Code;
  /** sums[row, column] += left(row) · right[column]: `left` gives one float in all lanes, `right` four neighbours. */
  accumulate(left: (row: number) => Code, right: (column: number) => Code): Code;
  /** The same registers seen as a smaller tile. */
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
