/** Brings a data set in canonical form to the service, as far as it does not have it yet. */
import {
  type DatasetProgress,
  type DatasetUpload,
  datasetChunkBytes,
  datasetLayout,
} from '@funnel/contracts';
import type { Client } from './client.ts';
import { wait } from './request.ts';

export type UploadOptions = DatasetUpload & {
  /** The bytes from `from` up to `to` (exclusive) of the canonical form. */
  readonly read: (from: number, to: number) => Promise<Uint8Array<ArrayBuffer>>;
  /** Called after each chunk: how many of all bytes the service has. */
  readonly onProgress?: (progress: { readonly sent: number; readonly bytes: number }) => void;
  readonly signal?: AbortSignal;
};

/** Milliseconds between two questions whether the check of the whole has ended. */
const checkMs = 500;

/**
 * Sends the chunks that the service does not have, and resolves when the name stands for the data set. An upload that was interrupted goes on
 * where it stopped. Throws FunnelError: NAME_TAKEN, DATASET_TOO_LARGE, TOO_MANY_DATASETS, and DATASET_CORRUPT if the bytes are not those that
 * `digest` and `chunks` promise.
 */
export const uploadDataset = async (
  client: Pick<Client, 'addDataset' | 'putDatasetChunk'>,
  { read, onProgress, signal, ...body }: UploadOptions,
): Promise<DatasetProgress> => {
  const { digest, content } = body;
  const { bytes } = datasetLayout(content);
  const options = signal ? { signal } : {};
  for (;;) {
    const progress = await client.addDataset({ body }, options);
    if (progress.status === 'complete') return progress;
    if (progress.status === 'checking') await wait(checkMs, signal);
    for (const [i, number] of progress.missing.entries()) {
      const from = number * datasetChunkBytes;
      const part = await read(from, Math.min(bytes, from + datasetChunkBytes));
      await client.putDatasetChunk({ params: { digest, number }, bytes: part }, options);
      const left = (progress.missing.length - i - 1) * datasetChunkBytes;
      onProgress?.({ sent: Math.max(0, bytes - left), bytes });
    }
  }
};
