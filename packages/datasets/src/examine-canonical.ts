/** Reads a canonical file once: its digest, the digests of its chunks, and what it holds. */
import { createHash } from 'node:crypto';
import {
  createDatasetReader,
  type DatasetContent,
  type DatasetSummary,
  datasetChunkBytes,
} from '@funnel/contracts';
import { readBlocks } from './files.ts';

export type Examined = {
  /** SHA-256 of the file. */
  readonly digest: string;
  /** SHA-256 of each chunk of `datasetChunkBytes` bytes. */
  readonly chunks: readonly string[];
  readonly summary: DatasetSummary;
};

/** `onBytes` is called for every block of bytes. */
export const examineCanonical = async (
  path: string,
  content: DatasetContent,
  onBytes: (count: number) => void = () => {},
): Promise<Examined> => {
  const whole = createHash('sha256');
  const reader = createDatasetReader(content);
  const chunks: string[] = [];
  let chunk = createHash('sha256');
  let room = datasetChunkBytes;
  for await (const block of readBlocks(path)) {
    whole.update(block);
    reader.push(block);
    onBytes(block.length);
    for (let at = 0; at < block.length; ) {
      const part = block.subarray(at, at + room);
      chunk.update(part);
      at += part.length;
      room -= part.length;
      if (room > 0) continue;
      chunks.push(chunk.digest('hex'));
      [chunk, room] = [createHash('sha256'), datasetChunkBytes];
    }
  }
  if (room < datasetChunkBytes) chunks.push(chunk.digest('hex'));
  const fault = reader.fault();
  if (fault !== null) throw new Error(`The canonical file that was written is wrong. ${fault}`);
  return { digest: whole.digest('hex'), chunks, summary: reader.summary() };
};
