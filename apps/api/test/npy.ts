/** Arrays as numpy.save writes them: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html */

export type Npy = {
  /** numpy's name of the type, such as `<f4`. */
  readonly type: string;
  readonly shape: readonly number[];
  readonly isFortran?: boolean;
  /** (Default: 1) */
  readonly version?: 1 | 2;
};

/** `data`: the elements in the machine's order, which is little endian. */
export const npy = (
  { type, shape, isFortran = false, version = 1 }: Npy,
  data: Uint8Array | Float32Array | Float64Array | BigInt64Array | Uint32Array,
): Buffer<ArrayBuffer> => {
  const axes = `(${shape.join(', ')}${shape.length === 1 ? ',' : ''})`;
  const dictionary = `{'descr': '${type}', 'fortran_order': ${isFortran ? 'True' : 'False'}, 'shape': ${axes}, }`;
  const start = version === 1 ? 10 : 12;
  const text = `${dictionary.padEnd(128 - start - 1)}\n`;
  const head = Buffer.alloc(start);
  head.write('\x93NUMPY', 'latin1');
  head[6] = version;
  if (version === 1) head.writeUInt16LE(text.length, 8);
  else head.writeUInt32LE(text.length, 8);
  return Buffer.concat([
    head,
    Buffer.from(text, 'latin1'),
    new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  ]);
};

/** Names as numpy keeps them: UTF-32, filled up with zeros. */
export const npyNames = (names: readonly string[]): Buffer<ArrayBuffer> => {
  const characters = Math.max(...names.map((name) => [...name].length));
  const data = new Uint32Array(names.length * characters);
  for (const [i, name] of names.entries())
    for (const [k, character] of [...name].entries()) data[i * characters + k] = character.codePointAt(0)!;
  return npy({ type: `<U${characters}`, shape: [names.length] }, data);
};
