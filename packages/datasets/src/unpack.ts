/** Unpacks compressed bytes as a stream, so that no more than a block is in memory, and refuses what would unpack to far too much. */
import { Readable, type Transform } from 'node:stream';
import { createGunzip, createInflateRaw } from 'node:zlib';
import { DatasetFault, reasonOf, refuseFile } from './fault.ts';

/** A small file cannot do harm, whatever it unpacks to: a sorted array of labels may be a thousand times smaller than its numbers. */
const harmlessBytes = 16 * 2 ** 20;
const maxRatio = 200;

/** Throws DatasetFault for a declared size that no real data have. Call it before memory is taken or bytes are unpacked. */
export const refuseBomb = (path: string, packed: number, unpacked: number): void => {
  if (unpacked > harmlessBytes && unpacked > maxRatio * packed)
    refuseFile(
      path,
      `expected data that unpack to at most ${maxRatio} times their size, but ${packed} bytes declare ${unpacked}`,
    );
};

const blockBytes = 2 ** 20;
const unpackers = {
  gzip: () => createGunzip({ chunkSize: blockBytes }),
  deflate: () => createInflateRaw({ chunkSize: blockBytes }),
} as const satisfies Record<string, () => Transform>;

/** Throws DatasetFault if the bytes are damaged or cut off. The reader of the stream counts the bytes, and ends the stream when there are too many. */
export async function* unpack(
  path: string,
  method: keyof typeof unpackers,
  blocks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const source = Readable.from(blocks);
  const unpacked = unpackers[method]();
  source.on('error', (error) => unpacked.destroy(error));
  source.pipe(unpacked);
  try {
    yield* unpacked as AsyncIterable<Uint8Array>;
  } catch (error) {
    if (error instanceof DatasetFault) throw error;
    refuseFile(path, `expected whole ${method} data, but they are damaged or cut off (${reasonOf(error)})`);
  } finally {
    source.destroy();
    unpacked.destroy();
  }
}
