/** Fetches a data set until it has two chunks, says so, and waits: for a test that kills this process. Arguments: folder, digest, file. */
import { readFileSync } from 'node:fs';
import { datasetChunkBytes } from '@funnel/contracts';
import { fetchDataset } from '../../src/datasets/dataset-cache.ts';

const [folder, digest, source] = process.argv.slice(2) as [string, string, string];
const bytes = readFileSync(source);

await fetchDataset({
  folder,
  digest,
  maxBytes: 2 ** 40,
  fetchChunk: async (_, number) => {
    if (number < 2) return bytes.subarray(number * datasetChunkBytes, (number + 1) * datasetChunkBytes);
    process.send?.('two chunks');
    return new Promise(() => setInterval(() => {}, 1000));
  },
});
