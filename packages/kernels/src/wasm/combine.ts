import { advance, doWhile, f32x4, get, i32, seq, set } from './assembler.ts';
import { assemble, type Module } from './module.ts';
import { tileColumns } from './tile.ts';

/** What a combination is specialised to. Strides are in bytes. */
export interface Combination {
  /** Channels at a position, a multiple of 8. */
  readonly channels: number;
  /** From one position of the target to the next. */
  readonly positionStride: number;
  /** From 8 channels of a position of the target to the next 8: 32, or a panel. */
  readonly blockStride: number;
  readonly start: 'zero' | 'bias';
  readonly activation: 'linear' | 'relu';
}

/**
 * target[position, c] = activation(start + Σ sign · source[term, c]): sums of a few positions, all channels alike.
 *
 * Parameters: source, target, bias, table, table's end. The table holds for each position the number of its terms, at least one, and
 * for each term its offset in the source, in bytes, and its factor (a 32-bit float).
 */
export function combination(spec: Combination): Module {
  const { channels, positionStride, blockStride } = spec;
  if (channels % tileColumns !== 0) throw new Error(`Expected a multiple of 8 channels, but got ${channels}`);
  // As many channels at once as the registers and the count allow: a term is found once for all of them.
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
