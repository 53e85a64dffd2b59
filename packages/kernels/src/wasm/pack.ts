/**
 * Programs that rearrange: matrices into panels, images into rows and patches.
 */
import { advance, assemble, doWhile, f32x4, get, i32, type Module, seq, set } from './assembler.ts';
import { tileColumns } from './products.ts';

/** A *panel* has the weights of 8 columns, [k, 8]. `panelRow`: bytes per k. `panelCount`: the number of panels for `columns` columns. */
export const panelRow = 4 * tileColumns;
export const panelCount = (columns: number): number => Math.ceil(columns / tileColumns);

/**
 * Packs a matrix [k, columns] into panels of 8 columns, [column / 8, k, 8]. Lanes past the last column are undefined.
 * Parameters: source, target, k.
 */
export function packRows(spec: { columns: number; panelStride: number }): Module {
  const { columns, panelStride } = spec;
  return assemble(3, ([source, target, rows], locals) => {
    const [from, to, count, panels, panel] = locals.i32(5);
    const row = seq(
      f32x4.store(get(to), f32x4.load(get(from))),
      f32x4.store(get(to), f32x4.load(get(from), 16), 16),
      advance(from, 4 * columns),
      advance(to, panelRow),
      advance(count, -1),
    );
    return seq(
      set(panels, i32.const(Math.ceil(columns / tileColumns))),
      set(panel, get(target)),
      doWhile(
        seq(
          set(from, get(source)),
          set(to, get(panel)),
          set(count, get(rows)),
          doWhile(row, get(count)),
          advance(source, panelRow),
          advance(panel, panelStride),
          advance(panels, -1),
        ),
        get(panels),
      ),
    );
  });
}

/**
 * Packs a transposed matrix [columns, k] into panels of 8 columns, [column / 8, k, 8]. `depth` is k. Lanes past the last column do not change.
 * Parameters: source, target.
 */
export function packColumns(spec: { columns: number; depth: number; panelStride: number }): Module {
  const { columns, depth, panelStride } = spec;
  return assemble(2, ([source, target], locals) => {
    const [from, to, end, panel, lastPanel] = locals.i32(5);
    const panelOf = (width: number) =>
      seq(
        set(from, get(source)),
        set(to, get(panel)),
        set(end, i32.add(get(from), i32.const(4 * depth))),
        doWhile(
          seq(
            ...Array.from({ length: width }, (_, c) =>
              i32.store(get(to), i32.load(get(from), 4 * c * depth), 4 * c),
            ),
            advance(from, 4),
            advance(to, panelRow),
          ),
          i32.lessThan(get(from), get(end)),
        ),
        advance(source, 4 * width * depth),
        advance(panel, panelStride),
      );
    const full = Math.floor(columns / tileColumns);
    return seq(
      set(panel, get(target)),
      set(lastPanel, i32.add(get(target), i32.const(full * panelStride))),
      full > 0 ? doWhile(panelOf(tileColumns), i32.lessThan(get(panel), get(lastPanel))) : [],
      columns % tileColumns > 0 ? panelOf(columns % tileColumns) : [],
    );
  });
}

/**
 * Copies rows of `length` floats from several images. A table holds the offset of each row, in bytes. The copy is [entry, image, length]
 * or, with a `panelStride`, in panels of 8, [column / 8, entry, image, 8]. With `masked`, a value becomes 0 where `mask` is not above 0, as
 * in the gradient of a ReLU.
 *
 * Parameters: source, mask, target, table, end of the table, images. Writes up to 28 bytes past the target's end.
 */
export function gather(spec: {
  length: number;
  imageStride: number;
  panelStride: number | undefined;
  masked: boolean;
}): Module {
  const { length, imageStride, panelStride, masked } = spec;
  const chunk = panelStride === undefined ? 4 : tileColumns;
  const rewind = imageStride - 4 * chunk * Math.ceil(length / chunk);
  return assemble(6, ([source, mask, target, table, tableEnd, images], locals) => {
    const [from, gate, to, count, rowEnd] = locals.i32(5);
    const both = (distance: number) => seq(advance(from, distance), masked ? advance(gate, distance) : []);
    const copy = (offset: number) => {
      const value = f32x4.load(get(from), offset);
      const open = f32x4.greater(f32x4.load(get(gate), offset), f32x4.zero);
      return f32x4.store(get(to), masked ? f32x4.and(value, open) : value, offset);
    };
    const row = seq(
      set(rowEnd, i32.add(get(from), i32.const(4 * length))),
      doWhile(
        seq(copy(0), chunk > 4 ? copy(16) : [], both(4 * chunk), advance(to, panelStride ?? 4 * chunk)),
        i32.lessThan(get(from), get(rowEnd)),
      ),
    );
    const image = seq(
      set(to, get(target)),
      row,
      advance(target, panelStride === undefined ? 4 * length : panelRow),
      both(rewind),
      advance(count, -1),
    );
    return doWhile(
      seq(
        set(from, i32.add(get(source), i32.load(get(table)))),
        masked ? set(gate, i32.add(get(mask), i32.load(get(table)))) : [],
        advance(table, 4),
        set(count, get(images)),
        doWhile(image, get(count)),
      ),
      i32.lessThan(get(table), get(tableEnd)),
    );
  });
}

/**
 * Copies the patch of `length` floats under each position of an image. Patches are `step` bytes apart.
 * Parameters: image, scratch (its first float is 0; the program copies the image to it after 16 bytes), target, table, end of the table.
 * For each value the table holds its offset in the scratch, in bytes: 0 outside the image, else 16 + the offset in the image.
 */
export function patches(spec: { length: number; imageBytes: number; step: number }): Module {
  const { length, imageBytes, step } = spec;
  return assemble(5, ([image, scratch, target, table, tableEnd], locals) => {
    const [to, end] = locals.i32(2);
    return seq(
      set(to, get(scratch)),
      set(end, i32.add(get(scratch), i32.const(imageBytes))),
      doWhile(
        seq(f32x4.store(get(to), f32x4.load(get(image)), 16), advance(image, 16), advance(to, 16)),
        i32.lessThan(get(to), get(end)),
      ),
      doWhile(
        seq(
          ...Array.from({ length }, (_, k) =>
            i32.store(get(target), i32.load(i32.add(get(scratch), i32.load(get(table), 4 * k))), 4 * k),
          ),
          advance(table, 4 * length),
          advance(target, step),
        ),
        i32.lessThan(get(table), get(tableEnd)),
      ),
    );
  });
}
