/** PNG files chunk by chunk, also such as no program writes. */
import { crc32, deflateSync } from 'node:zlib';

const chunk = (type: string, content: Uint8Array): Buffer => {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), content]);
  const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(content.length);
  checksum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, checksum]);
};

export type PngParts = {
  readonly width: number;
  readonly height: number;
  /** Bits per sample. */
  readonly depth?: number;
  /** 0 grey, 2 colour, 3 palette, 4 grey and alpha, 6 colour and alpha. */
  readonly colour?: number;
  /** The rows, each after a byte 0 for its filter. */
  readonly rows: Uint8Array;
  readonly palette?: Uint8Array;
  /** Chunks before the pixels. */
  readonly extra?: readonly (readonly [type: string, content: Uint8Array])[];
};

export const rawPng = ({
  width,
  height,
  depth = 8,
  colour = 0,
  rows,
  palette,
  extra = [],
}: PngParts): Buffer => {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([depth, colour], 8);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    ...(palette ? [chunk('PLTE', palette)] : []),
    ...extra.map(([type, content]) => chunk(type, content)),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', new Uint8Array()),
  ]);
};
