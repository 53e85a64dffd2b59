/** `bench upload`: the memory of the API while a large data set comes in and goes out, and the time of both. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createClient, uploadDataset } from '@funnel/client';
import {
  type DatasetContent,
  type DatasetUpload,
  datasetChunkBytes,
  datasetChunks,
  datasetLayout,
} from '@funnel/contracts';
import { z } from 'zod';
import { readOptions } from './options.ts';
import { openApi, untilInterrupted } from './processes.ts';
import { openTables } from './service.ts';

export const uploadUsage = `upload [--bytes 2000000000]
  Brings a data set of so many bytes to an API on a private PostgreSQL, waits for the check of the whole, and reads it back. Prints the
  resident memory of the API before, at most and after each part (from /proc, so on Linux only), and the seconds.`;

const Options = z.strictObject({
  bytes: z.coerce.number().pipe(z.int().min(1e6).max(4e9)).default(2e9),
});

/** Images of 64×64×3 with ten classes. */
const contentOf = (bytes: number): DatasetContent => {
  const test = 10;
  const train = Math.floor(bytes / (64 * 64 * 3)) - test;
  const classes = Array.from({ length: 10 }, (_, label) => `class ${label}`);
  return { shape: [64, 64, 3], classes, train, test };
};

/** Any part of the canonical form, without the whole in memory: header and labels, then pixels that repeat every chunk. */
const makeCanonical = (content: DatasetContent) => {
  const { header, labels, pixels, bytes } = datasetLayout(content);
  const start = Buffer.alloc(pixels.train);
  start.write(header);
  for (const split of ['train', 'test'] as const)
    for (let i = 0; i < content[split]; i++) start.writeUInt16LE(i % 10, labels[split] + 2 * i);
  const pattern = Uint8Array.from({ length: datasetChunkBytes }, (_, i) => (i * 2654435761) >>> 24);
  const read = (from: number, to: number): Uint8Array<ArrayBuffer> => {
    const part = pattern.slice(0, to - from); // chunks begin at multiples of the length of the pattern
    if (from < start.length) part.set(start.subarray(from, Math.min(to, start.length)));
    return part;
  };
  return { bytes, read };
};

type Canonical = ReturnType<typeof makeCanonical>;

const announce = (content: DatasetContent, { bytes, read }: Canonical): DatasetUpload => {
  const whole = createHash('sha256');
  const chunks = Array.from({ length: datasetChunks(bytes) }, (_, number) => {
    const from = number * datasetChunkBytes;
    const part = read(from, Math.min(bytes, from + datasetChunkBytes));
    whole.update(part);
    return createHash('sha256').update(part).digest('hex');
  });
  return { name: 'large', digest: whole.digest('hex'), content, chunks };
};

const residentMegabytes = (pid: number): number => {
  const [, kilobytes = '0'] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Math.round(Number(kilobytes) / 1024);
};

/** Runs one part of the benchmark, and prints its seconds and the memory of the process. */
const observe = async (name: string, pid: number, run: () => Promise<unknown>): Promise<void> => {
  const before = residentMegabytes(pid);
  let most = before;
  const look = setInterval(() => {
    most = Math.max(most, residentMegabytes(pid));
  }, 20);
  const start = performance.now();
  try {
    await run();
  } finally {
    clearInterval(look);
  }
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  const after = residentMegabytes(pid);
  console.log(
    `${name.padEnd(26)} ${seconds.padStart(7)} s   memory of the API: ${before} MiB before, ${most} MiB at most (+${most - before}), ${after} MiB after`,
  );
};

const measure = async (
  { bytes }: z.infer<typeof Options>,
  onEnd: (end: () => Promise<void>) => void,
): Promise<void> => {
  const content = contentOf(bytes);
  const canonical = makeCanonical(content);
  const body = announce(content, canonical);
  const tables = await openTables();
  onEnd(tables.close);
  const api = await openApi(await tables.create('upload'));
  onEnd(api.close);
  const client = createClient({ url: api.url });
  const numbers = body.chunks.map((_, number) => number);
  const { digest } = body;
  console.log(`${canonical.bytes} bytes in ${numbers.length} chunks`);
  await client.listDatasets();

  await observe('upload of all chunks', api.pid, async () => {
    const { missing } = await client.addDataset({ body });
    for (const number of missing) {
      const from = number * datasetChunkBytes;
      const part = canonical.read(from, Math.min(canonical.bytes, from + datasetChunkBytes));
      await client.putDatasetChunk({ params: { digest, number }, bytes: part });
    }
  });
  const read = async (from: number, to: number) => canonical.read(from, to);
  await observe('check of the whole', api.pid, () => uploadDataset(client, { ...body, read }));
  await observe('all chunks, read back', api.pid, async () => {
    const hash = createHash('sha256');
    for (const number of numbers) hash.update(await client.getDatasetChunk({ params: { digest, number } }));
    if (hash.digest('hex') !== digest) throw new Error('Expected the bytes that were sent, but got others');
  });
};

export const upload = async (args: readonly string[]): Promise<void> => {
  const options = readOptions(Options, args);
  await untilInterrupted((onEnd) => measure(options, onEnd));
};
