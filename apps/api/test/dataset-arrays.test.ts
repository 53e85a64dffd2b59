/** Data sets from notebooks: two arrays of numpy in one request. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { datasetLayout } from '@funnel/contracts';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createArrayStream } from '../src/datasets/array-stream.ts';
import { build, type TestApp } from './build.ts';
import { npy, npyNames } from './npy.ts';

let api: TestApp;
beforeAll(async () => {
  api = await build();
});
afterAll(() => api.close());
beforeEach(() => api.db.pool.query('DELETE FROM dataset_names; DELETE FROM datasets'));

const send = (arrays: readonly Uint8Array[], { name = 'pets', test = 2 } = {}) =>
  api.app.inject({
    method: 'POST',
    url: `/v1/datasets/${name}/arrays?test=${test}`,
    headers: { 'content-type': 'application/octet-stream' },
    payload: Buffer.concat(arrays),
  });

const labels = npy({ type: '<i8', shape: [5] }, BigInt64Array.from([0n, 1n, 1n, 0n, 2n]));
const pixels = Uint8Array.from({ length: 5 * 2 * 3 }, (_, i) => (7 * i) % 256);
const images = npy({ type: '|u1', shape: [5, 2, 3] }, pixels);

/** The canonical form, written from its description. */
const canonical = (classes: readonly string[]): Buffer =>
  Buffer.concat([
    Buffer.from(`{"classes":${JSON.stringify(classes)},"shape":[2,3,1],"test":2,"train":3}\n`),
    Buffer.from([0, 0, 1, 0, 1, 0, 0, 0, 2, 0]),
    pixels,
  ]);
const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

test('labels and images become a data set; the answer is what the service understood', async () => {
  const answer = await send([labels, images]);
  expect(answer.statusCode).toBe(200);
  const bytes = canonical(['0', '1', '2']);
  const mean = pixels.subarray(0, 18).reduce((sum, byte) => sum + byte, 0) / 18 / 255;
  expect(answer.json()).toMatchObject({
    ...{ name: 'pets', digest: digestOf(bytes), shape: [2, 3, 1], classes: ['0', '1', '2'] },
    ...{ train: 3, test: 2, owner: 'local', isStored: true, bytes: bytes.length },
    summary: { trainCounts: [1, 2, 0], testCounts: [1, 0, 1], trainFirsts: [0, 1, null] },
  });
  expect(answer.json().summary.mean).toBeCloseTo(mean, 12);
  const chunk = await api.app.inject({ url: `/v1/datasets/${digestOf(bytes)}/chunks/0` });
  expect(Buffer.compare(chunk.rawPayload, bytes)).toBe(0);
});

test('floats k/255 in 32 and 64 bits, and names of classes, give the same bytes as numbers', async () => {
  const names = ['cat', 'dog', 'dog', 'cat', 'ẽmu'];
  const digest = digestOf(canonical(['cat', 'dog', 'ẽmu']));
  for (const [type, floats] of [
    ['<f4', Float32Array.from(pixels, (byte) => byte / 255)],
    ['<f8', Float64Array.from(pixels, (byte) => byte / 255)],
  ] as const) {
    const answer = await send([npyNames(names), npy({ type, shape: [5, 2, 3, 1], version: 2 }, floats)]);
    expect(answer.json()).toMatchObject({ digest, classes: ['cat', 'dog', 'ẽmu'] });
  }
});

test('a second request with the same arrays changes nothing, and one with others is refused', async () => {
  const first = (await send([labels, images])).json();
  expect((await send([labels, images])).json()).toEqual(first);
  const answer = await send([labels, images], { test: 1 });
  expect(answer.statusCode).toBe(409);
  expect(answer.json().code).toBe('NAME_TAKEN');
  const { rows } = await api.db.pool.query('SELECT digest FROM datasets');
  expect(rows).toEqual([{ digest: first.digest }]);
});

test('a data set of several chunks arrives whole', async () => {
  const count = 2000;
  const many = Uint8Array.from({ length: count * 64 * 64 }, (_, i) => (i * 31) >> 5);
  const own = Uint8Array.from({ length: count }, (_, i) => i % 2);
  const answer = await send(
    [npy({ type: '|u1', shape: [count] }, own), npy({ type: '|u1', shape: [count, 64, 64] }, many)],
    { test: 500 },
  );
  const content = {
    shape: [64, 64, 1] as [number, number, number],
    classes: ['0', '1'],
    train: 1500,
    test: 500,
  };
  const { header } = datasetLayout(content);
  const expected = Buffer.concat([Buffer.from(header), Buffer.from(Uint16Array.from(own).buffer), many]);
  expect(answer.json().digest).toBe(digestOf(expected));
  const { rows } = await api.db.pool.query('SELECT count(*)::int AS chunks FROM dataset_chunks');
  expect(rows).toEqual([{ chunks: 2 }]);
});

describe('arrays are refused, and nothing is stored:', () => {
  const floats = (value: number) =>
    npy(
      { type: '<f4', shape: [5, 2, 3] },
      Float32Array.from({ length: 30 }, (_, i) => (i === 14 ? value : 1)),
    );
  const lied = Buffer.from(images);
  lied.writeUInt16LE(65_535, 8);
  const long = Buffer.from(npy({ type: '|u1', shape: [5, 2, 3], version: 2 }, pixels));
  long.writeUInt32LE(2 ** 31, 8);
  const cases: readonly (readonly [why: string, arrays: readonly Uint8Array[], detail: string])[] = [
    ['no bytes', [], 'In labels: expected 12 more bytes after byte 0, but got the end of the body'],
    [
      'other bytes',
      [Buffer.from('PK\x03\x04 an archive')],
      'In labels: expected an array as numpy.save writes it',
    ],
    [
      'labels in the order of the classes',
      [npy({ type: '|u1', shape: [5] }, Uint8Array.from([0, 0, 0, 1, 1])), images],
      'In labels: expected training images of at least two classes, but got only 0 before the 2 of the test split: shuffle',
    ],
    ['labels alone', [labels], 'In images: expected 12 more bytes'],
    ['images first', [images, labels], 'In labels: expected the shape [count], but got [5, 2, 3]'],
    [
      'one image too few',
      [labels, npy({ type: '|u1', shape: [4, 2, 3] }, pixels.subarray(6))],
      'expected 5 images',
    ],
    ['a byte too few', [labels, images.subarray(0, -1)], 'expected 1 more bytes after byte'],
    ['a byte too many', [labels, images, new Uint8Array(1)], 'expected the end of the body after them'],
    ['a header longer than the body', [labels, lied], 'In images: expected 65387 more bytes'],
    ['a header of 2 GiB', [labels, long], 'In images: expected a header of at most 65536 bytes'],
    [
      'a label of −1',
      [npy({ type: '|i1', shape: [1] }, new Uint8Array([255])), images],
      'but got -1 as label 0',
    ],
    [
      'a label of 1,000',
      [npy({ type: '<i8', shape: [1] }, BigInt64Array.from([1000n])), images],
      'from 0 to 999',
    ],
    [
      'labels as objects',
      [npy({ type: '|O', shape: [5] }, new Uint8Array(5)), images],
      'but got the type |O',
    ],
    [
      'a billion labels',
      [npy({ type: '|u1', shape: [1e9] }, new Uint8Array(5)), images],
      'at most 4194304 labels',
    ],
    ['0.5', [labels, floats(0.5)], 'but got 0.5 in image 2: save (255 * images).round()'],
    ['NaN', [labels, floats(Number.NaN)], 'but got NaN in image 2'],
    ['2', [labels, floats(2)], 'but got 2 in image 2'],
    [
      'signed pixels',
      [labels, npy({ type: '<i4', shape: [5, 2, 3] }, pixels)],
      "save images.astype('uint8')",
    ],
    ['big endian', [labels, npy({ type: '>f4', shape: [5, 2, 3] }, pixels)], 'in little endian'],
    [
      'Fortran order',
      [labels, npy({ type: '|u1', shape: [5, 2, 3], isFortran: true }, pixels)],
      'numpy.ascontiguousarray',
    ],
    [
      'images of 513 pixels',
      [labels, npy({ type: '|u1', shape: [5, 513, 1] }, pixels)],
      'shape[0]: expected at most 512',
    ],
    ['one class', [npy({ type: '|u1', shape: [5] }, new Uint8Array(5)), images], 'at least two classes'],
    [
      'a name of a line break',
      [npyNames(['a', 'b', 'a', 'b', 'c\nd']), images],
      'without control characters',
    ],
  ];
  test.each(cases)('%s', async (_, arrays, detail) => {
    const answer = await send(arrays);
    expect(answer.statusCode).toBe(400);
    expect(answer.json().code).toBe('INVALID_REQUEST');
    expect(answer.json().detail).toContain(detail);
    expect((await api.db.pool.query('SELECT FROM datasets')).rowCount).toBe(0);
  });

  test('a test split with all images', async () => {
    const answer = await send([labels, images], { test: 5 });
    expect(answer.json().detail).toContain('expected more than the 5 labels of the test split, but got 5');
  });

  test('more than 256 MiB, as the header says', async () => {
    const answer = await api.app.inject({
      method: 'POST',
      url: '/v1/datasets/pets/arrays?test=2',
      headers: { 'content-type': 'application/octet-stream', 'content-length': String(2 ** 28 + 1) },
      payload: labels,
    });
    expect(answer.statusCode).toBe(413);
  });

  test('more bytes than a limit of the service', async () => {
    const strict = await build({ limits: { datasetBytes: 50 } });
    try {
      const answer = await strict.app.inject({
        method: 'POST',
        url: '/v1/datasets/pets/arrays?test=2',
        headers: { 'content-type': 'application/octet-stream' },
        payload: Buffer.concat([labels, images]),
      });
      expect(answer.statusCode).toBe(413);
      expect(answer.json().code).toBe('DATASET_TOO_LARGE');
    } finally {
      await strict.close();
    }
  });
});

test('a client that reads no answer before it has sent everything gets the refusal', async () => {
  const url = new URL(await api.app.listen({ port: 0 }));
  const count = 4000;
  const arrays = [
    npy({ type: '<f4', shape: [count] }, new Float32Array(count)), // no labels
    npy({ type: '|u1', shape: [count, 64, 64] }, new Uint8Array(count * 64 * 64)),
  ];
  for (const [query, detail] of [
    ['test=2', 'In labels: expected whole numbers'],
    ['test=many', 'In the query, test'],
  ]) {
    const sent = request(new URL(`/v1/datasets/pets/arrays?${query}`, url), {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream', connection: 'close' },
    });
    const answered = once(sent, 'response');
    for (const array of arrays) if (!sent.write(array)) await once(sent, 'drain');
    sent.end();
    const [response] = (await answered) as [IncomingMessage];
    expect(response.statusCode).toBe(400);
    expect((await response.toArray()).join('')).toContain(detail);
  }
});

test('a stream of arrays takes no part before somebody asks for its bytes', async () => {
  let given = 0;
  const parts = async function* () {
    for (const part of [labels, images, images, images]) {
      given++;
      yield part;
    }
  };
  const stream = createArrayStream(parts());
  await stream.header('labels');
  expect(given).toBe(1);
  await stream.take('labels', 40);
  expect(given).toBe(1);
  await stream.header('images');
  expect(given).toBe(2);
  expect(await stream.isAtEnd()).toBe(false);
});
