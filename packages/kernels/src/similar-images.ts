/**
 * Batches of nearly equal images: which sums a group of images does not share with the group before.
 */
import { type Address, type Heap, perCount, type Table } from './heap.ts';
import { changedEntries } from './wasm/changed-entries.ts';

/** After so many groups of images in a row that have little in common with the group before, nobody looks for more. */
const maxMisses = 2;

/**
 * The sums to compute for each group of images of one batch. An attack that probes one pixel at a time has batches of nearly equal images: most
 * sums of a group are those of the group before, which are still in the scratch space. `inputs`: two places, which the groups take in turn.
 */
export const prepareChanges = (heap: Heap, all: Table, inputStride: number) => {
  const copyChanged = perCount((images) => heap.compile(changedEntries({ images, inputStride })));
  const bytes = all.end - all.start;
  return (inputs: readonly [Address, Address]) => {
    let group = 0;
    let misses = 0;
    return {
      /** Where the next group goes. */
      input: (): Address => inputs[misses < maxMisses ? group % 2 : 0]!,
      /** The table of the sums to compute for this group, of which `input` holds the combined pixels. Its end is its start if there are none. */
      table: (images: number): Table => {
        const isFirst = group === 0;
        const [input, before] = group % 2 === 0 ? inputs : [inputs[1], inputs[0]];
        group++;
        if (isFirst || misses >= maxMisses) return all;
        const start = heap.scratch('changed sums', bytes + 4);
        copyChanged(images)(input, before, all.start, all.end, start, start + bytes);
        const end = heap.integer(start + bytes);
        misses = 2 * (end - start) > bytes ? misses + 1 : 0;
        return { start, end };
      },
    };
  };
};
