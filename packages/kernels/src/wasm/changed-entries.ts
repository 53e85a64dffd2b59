/**
 * The program that finds which sums of a contraction differ between two groups of images.
 */
import { advance, assemble, doWhile, f32x4, get, i32, type Module, seq, set, when } from './assembler.ts';
import type { Contraction } from './products.ts';

/** The bytes of an entry of a contraction's table that has one segment. */
const entryBytes = 20;

/**
 * Copies the entries of a contraction's table whose inputs differ, bit by bit, between two groups of images. Every entry has one segment, whose
 * length is a multiple of 16 bytes.
 *
 * Parameters: input of one group, input of the other, table, end of the table, target, and the address that gets the end of the target.
 */
export function changedEntries({ images, inputStride }: Pick<Contraction, 'images' | 'inputStride'>): Module {
  return assemble(6, ([input, other, table, tableEnd, target, targetEnd], locals) => {
    const [a, b, end] = locals.i32(3);
    const difference = locals.v128();
    const step = seq(
      ...Array.from({ length: images }, (_, row) => {
        const [left, right] = [a, b].map((at) => f32x4.load(get(at), row * inputStride));
        return set(difference, f32x4.or(get(difference), f32x4.xor(left!, right!)));
      }),
      advance(a, 16),
      advance(b, 16),
    );
    const copy = seq(
      ...[0, 4, 8, 12, 16].map((offset) => i32.store(get(target), i32.load(get(table), offset), offset)),
      advance(target, entryBytes),
    );
    const entry = seq(
      set(a, i32.add(get(input), i32.load(get(table), 8))),
      set(b, i32.add(get(other), i32.load(get(table), 8))),
      set(end, i32.add(get(a), i32.load(get(table), 16))),
      set(difference, f32x4.zero),
      doWhile(step, i32.lessThan(get(a), get(end))),
      when(f32x4.anyBit(get(difference)), copy),
      advance(table, entryBytes),
    );
    return seq(
      doWhile(entry, i32.lessThan(get(table), get(tableEnd))),
      i32.store(get(targetEnd), get(target)),
    );
  });
}
