/** What is said of files that are no model. */
import { expect, test } from 'vitest';
import { readModelJson } from '../src/models/model-json.ts';

const bytesOf = (latin: string): Uint8Array => Uint8Array.from(latin, (letter) => letter.charCodeAt(0));

const model =
  'Expected F to be a TensorFlow.js model (a folder with a model.json, layers or graph model), but';
const convert = 'Models in other formats must be converted: docs/models.md has the commands';

test.each([
  ['\x93NUMPY\x01\0v\0{', 'it is an array in NPY format, so images or labels'],
  ['\x89PNG\r\n\x1a\n\0\0', 'it is a picture (PNG)'],
  ['\xff\xd8\xff\xe0\0\x10JFIF', 'it is a picture (JPEG)'],
  ['PK\x03\x04\x14\0', `it is a ZIP archive, such as .npz, .keras and .pt. ${convert}`],
  ['\x89HDF\r\n\x1a\n', `it is an HDF5 file, such as Keras writes. ${convert}`],
  ['\x1f\x8b\x08\0', 'it is compressed by gzip. Unpack it first'],
  ['a,b\n1,2\n', 'it is a text that is no JSON'],
  ['\0\x01\x02\x03', `it is a binary file. ${convert}`],
  ['', 'it is empty'],
  ['{"a":1}', 'it is JSON without a modelTopology or without a weightsManifest'],
  ['[1]', 'it is JSON without a modelTopology or without a weightsManifest'],
  ['null', 'it is JSON without a modelTopology or without a weightsManifest'],
])('%j', (text, why) => {
  expect(() => readModelJson('F', bytesOf(text))).toThrow(
    expect.objectContaining({ code: 'ATTACK_INPUT', message: `${model} ${why}` }),
  );
});

test('a model has its parts', () => {
  const text = '{"format":"layers-model","modelTopology":{"a":1},"weightsManifest":[]}';
  expect(readModelJson('F', bytesOf(text))).toEqual(JSON.parse(text));
});
