/**
 * The arrays in an NPZ file, a zip archive whose entries are stored or deflated. Reads the directory at the end of the archive and checks
 * every size in it before an entry is read. The format: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 */
import { crc32 } from 'node:zlib';
import { refuseFile } from '../fault.ts';
import { readBlocks, readExactly, withFile } from '../files.ts';
import { refuseBomb, unpack } from '../unpack.ts';

export type ZipEntry = {
  readonly name: string;
  readonly isDeflated: boolean;
  /** Bytes in the archive, and after unpacking. */
  readonly packed: number;
  readonly unpacked: number;
  readonly crc: number;
  /** Where its local header lies. */
  readonly offset: number;
};

const signatures = {
  local: 0x04034b50,
  entry: 0x02014b50,
  end: 0x06054b50,
  end64: 0x06064b50,
  locator64: 0x07064b50,
};
const lengths = { local: 30, entry: 46, end: 22, end64: 56, locator64: 20 };
const maxCommentBytes = 65_535;
const maxDirectoryBytes = 16 * 2 ** 20;
const maxEntries = 10_000;
/** These values say that the true ones are in the extra field of 64 bits. */
const [in64, count64] = [0xffffffff, 0xffff];

const refuse = (path: string, why: string): never =>
  refuseFile(path, `expected an NPZ file, as np.savez writes it, but ${why}`);

const readLong = (path: string, buffer: Buffer, at: number): number => {
  const value = Number(buffer.readBigUInt64LE(at));
  return Number.isSafeInteger(value) ? value : refuse(path, `it declares the size ${value}`);
};

type Directory = { readonly entries: number; readonly bytes: number; readonly offset: number };

/** The directory by the record at the end of the archive, or by its 64-bit version. `tail`: the last bytes of the archive, from byte `from`. */
const findDirectory = (path: string, tail: Buffer, from: number): Directory => {
  for (let at = tail.length - lengths.end; at >= 0; at--) {
    if (
      tail.readUInt32LE(at) !== signatures.end ||
      at + lengths.end + tail.readUInt16LE(at + 20) !== tail.length
    )
      continue;
    const [entries, bytes, offset] = [
      tail.readUInt16LE(at + 10),
      tail.readUInt32LE(at + 12),
      tail.readUInt32LE(at + 16),
    ];
    const locator = at - lengths.locator64;
    const is64 = offset === in64 || entries === count64 || bytes === in64;
    if (!is64 || locator < 0 || tail.readUInt32LE(locator) !== signatures.locator64)
      return { entries, bytes, offset };
    const end64 = readLong(path, tail, locator + 8) - from;
    if (end64 < 0 || end64 + lengths.end64 > locator || tail.readUInt32LE(end64) !== signatures.end64)
      return refuse(path, 'its directory is damaged');
    return {
      entries: readLong(path, tail, end64 + 32),
      bytes: readLong(path, tail, end64 + 40),
      offset: readLong(path, tail, end64 + 48),
    };
  }
  return refuse(path, 'it has no directory at its end: it is cut off');
};

/** The sizes and the place of an entry, of which the extra field has those that need 64 bits, in this order. */
const readSizes = (path: string, header: Buffer, extra: Buffer) => {
  const values = {
    unpacked: header.readUInt32LE(24),
    packed: header.readUInt32LE(20),
    offset: header.readUInt32LE(42),
  };
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== 1) continue;
    let next = at + 4;
    for (const key of ['unpacked', 'packed', 'offset'] as const) {
      if (values[key] !== in64) continue;
      if (next + 8 > extra.length) refuse(path, 'an entry of its directory is damaged');
      values[key] = readLong(path, extra, next);
      next += 8;
    }
  }
  return values;
};

/** One entry of the directory, and the place of the next one. */
const parseEntry = (
  path: string,
  directory: Buffer,
  at: number,
  fileBytes: number,
): { entry: ZipEntry; next: number } => {
  if (at + lengths.entry > directory.length || directory.readUInt32LE(at) !== signatures.entry)
    return refuse(path, `entry ${at} of its directory is damaged`);
  const header = directory.subarray(at, at + lengths.entry);
  const [nameBytes, extraBytes, commentBytes] = [
    header.readUInt16LE(28),
    header.readUInt16LE(30),
    header.readUInt16LE(32),
  ];
  const extraAt = at + lengths.entry + nameBytes;
  const name = directory.toString('utf8', at + lengths.entry, extraAt);
  const sizes = readSizes(path, header, directory.subarray(extraAt, extraAt + extraBytes));
  const place = `${path}: ${name}`;
  const method = header.readUInt16LE(10);
  if (header.readUInt16LE(8) & 1) refuse(place, 'it is encrypted');
  if (method !== 0 && method !== 8)
    refuse(place, `it is compressed by method ${method}: np.savez_compressed uses 8`);
  if (sizes.offset + lengths.local + sizes.packed > fileBytes)
    refuse(place, `its ${sizes.packed} bytes from byte ${sizes.offset} end beyond the file: it is cut off`);
  if (method === 0 && sizes.packed !== sizes.unpacked)
    refuse(place, `its ${sizes.packed} bytes declare ${sizes.unpacked} without compression`);
  refuseBomb(place, sizes.packed, sizes.unpacked);
  return {
    entry: { name, isDeflated: method === 8, crc: header.readUInt32LE(16), ...sizes },
    next: extraAt + extraBytes + commentBytes,
  };
};

/** All entries. Throws DatasetFault for a file that is no archive, or that lies about its sizes. */
export const listZip = (path: string): Promise<readonly ZipEntry[]> =>
  withFile(path, async (file) => {
    const tailBytes = Math.min(file.bytes, lengths.end + maxCommentBytes + lengths.locator64 + lengths.end64);
    const tail = await readExactly(path, file, file.bytes - tailBytes, tailBytes);
    const { entries: count, bytes, offset } = findDirectory(path, tail, file.bytes - tailBytes);
    if (count > maxEntries || bytes > maxDirectoryBytes || offset + bytes > file.bytes)
      refuse(path, `its directory declares ${count} entries in ${bytes} bytes from byte ${offset}`);
    const directory = await readExactly(path, file, offset, bytes);
    const entries: ZipEntry[] = [];
    for (let at = 0; entries.length < count; ) {
      const { entry, next } = parseEntry(path, directory, at, file.bytes);
      entries.push(entry);
      at = next;
    }
    return entries;
  });

/** The bytes of an entry. Throws DatasetFault if they are not as many as declared, or if their checksum is another one. */
export async function* readEntry(path: string, entry: ZipEntry): AsyncGenerator<Uint8Array> {
  const place = `${path}: ${entry.name}`;
  const local = await withFile(path, (file) => readExactly(path, file, entry.offset, lengths.local));
  if (local.readUInt32LE(0) !== signatures.local) refuse(place, 'its local header is damaged');
  const from = entry.offset + lengths.local + local.readUInt16LE(26) + local.readUInt16LE(28);
  const packed = readBlocks(path, from, from + entry.packed);
  let bytes = 0;
  let crc = 0;
  for await (const block of entry.isDeflated ? unpack(place, 'deflate', packed) : packed) {
    bytes += block.length;
    if (bytes > entry.unpacked) refuse(place, `it unpacks to more than the declared ${entry.unpacked} bytes`);
    crc = crc32(block, crc);
    yield block;
  }
  if (bytes < entry.unpacked) refuse(place, `it unpacks to ${bytes} of the declared ${entry.unpacked} bytes`);
  if (crc !== entry.crc) refuse(place, 'its checksum is wrong: it is damaged');
}
