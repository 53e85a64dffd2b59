/** Reads the canonical form of a data set part by part, and checks and sums up what it holds. Pure. */
import { type DatasetContent, datasetLayout } from './dataset-content.ts';
import type { DatasetSummary } from './resources/datasets.ts';

const byteValues = 256;

export type DatasetReader = {
  /** Takes the next bytes of the canonical form, of any length. */
  readonly push: (bytes: Uint8Array) => void;
  /** What is wrong with the bytes so far, in a sentence; null if nothing is. */
  readonly fault: () => string | null;
  /** Of all bytes. */
  readonly summary: () => DatasetSummary;
};

type Labels = { readonly counts: number[]; readonly firsts: (number | null)[]; seen: number; low: number };

const noLabels = (classes: number): Labels => ({
  counts: Array<number>(classes).fill(0),
  firsts: Array<number | null>(classes).fill(null),
  seen: 0,
  low: 0,
});

export const createDatasetReader = (content: DatasetContent): DatasetReader => {
  const layout = datasetLayout(content);
  const header = new TextEncoder().encode(layout.header);
  const train = noLabels(content.classes.length);
  const test = noLabels(content.classes.length);
  const values = new Float64Array(byteValues); // how often each value occurs among the training pixels
  let at = 0;
  let fault: string | null = null;

  // The loops over labels and pixels use indices: iterators would take several times as long.

  const readHeader = (bytes: Uint8Array, from: number): void => {
    if (bytes.some((byte, i) => byte !== header[from + i]))
      fault ??= 'Expected the header to be the canonical JSON of the announced content, but it is not';
  };

  /** A label has two bytes, the lower one first; a part may end between them. */
  const readLabels = (labels: Labels, bytes: Uint8Array, from: number): void => {
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i]!;
      if ((from + i) % 2 === 0) {
        labels.low = byte;
        continue;
      }
      const label = labels.low + 256 * byte;
      const index = labels.seen++;
      if (label >= labels.counts.length) {
        fault ??= `Expected labels below ${labels.counts.length}, but image ${index} of a split has ${label}`;
        continue;
      }
      labels.counts[label]!++;
      labels.firsts[label] ??= index;
    }
  };

  const readPixels = (bytes: Uint8Array): void => {
    for (let i = 0; i < bytes.length; i++) values[bytes[i]!]!++;
  };

  /** The parts in their order: where each begins, and what reads its bytes. `from`: the place within the part. */
  const parts: readonly (readonly [
    begin: number,
    end: number,
    read: (bytes: Uint8Array, from: number) => void,
  ])[] = [
    [0, layout.labels.train, readHeader],
    [layout.labels.train, layout.labels.test, (bytes, from) => readLabels(train, bytes, from)],
    [layout.labels.test, layout.pixels.train, (bytes, from) => readLabels(test, bytes, from)],
    [layout.pixels.train, layout.pixels.test, readPixels],
  ];

  const moments = (): Pick<DatasetSummary, 'mean' | 'deviation'> => {
    let [count, sum, squares] = [0, 0, 0];
    for (const [value, times] of values.entries()) {
      count += times;
      sum += times * value;
      squares += times * value * value;
    }
    const mean = sum / count;
    return { mean: mean / 255, deviation: Math.sqrt(Math.max(0, squares / count - mean * mean)) / 255 };
  };

  return {
    push: (bytes) => {
      for (const [begin, end, read] of parts) {
        const from = Math.max(begin, at);
        const to = Math.min(end, at + bytes.length);
        if (from < to) read(bytes.subarray(from - at, to - at), from - begin);
      }
      at += bytes.length;
    },
    fault: () => {
      if (fault !== null) return fault;
      if (at !== layout.bytes) return `Expected ${layout.bytes} bytes of canonical form, but got ${at}`;
      const [only, ...others] = content.classes.filter((_, i) => train.counts[i]! > 0);
      return others.length > 0
        ? null
        : `Expected training images of at least two classes, but got only ${only}`;
    },
    summary: () => ({
      trainCounts: train.counts,
      testCounts: test.counts,
      trainFirsts: train.firsts,
      ...moments(),
    }),
  };
};
