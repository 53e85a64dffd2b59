/** Models in other people's wrappings give what the same network gives without them, row by row. */
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { AttackInput } from '@funnel/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ClassifierModel, evaluateAttack, type LoadOptions, loadClassifier } from '../src/index.ts';
import { loadImages, loadClassifier as loadOracleClassifier } from './helpers/oracle.ts';
import { writeOtherModels } from './helpers/other-models.ts';
import { useWasm } from './helpers/tiny.ts';

let folder: string;
/** The rows of the bare network, attack by attack. */
let expected: (readonly number[] | null)[][];
const shape = [28, 28, 1];
const first20 = Array.from({ length: 20 }, (_, i) => i);
const { images, labels } = loadImages('mnist-conv', first20);

beforeAll(async () => {
  await useWasm();
  folder = mkdtempSync(join(tmpdir(), 'funnel-models-'));
  await writeOtherModels(folder);
  const bare = await loadOracleClassifier('mnist-conv');
  expected = [];
  for (const attack of attacks) expected.push(await rowsOf(bare, attack));
  expect(expected.map((rows) => rows.filter(Boolean).length)).toEqual([18, 19, 19, 0, 4]);
});
afterAll(() => rmSync(folder, { recursive: true }));

const load = (name: string, options: LoadOptions = {}) =>
  loadClassifier(join(folder, name), { shape, ...options });

const attacks: readonly AttackInput[] = [
  { attack: 'fgsm', epsilon: 0.15, search: false },
  { attack: 'pgd-linf', epsilon: 0.15, steps: 10 },
  { attack: 'fmn-l2', steps: 30 },
  { attack: 'single-pixel', pixels: 100 },
  { attack: 'square-linf', epsilon: 0.15, queries: 50 },
];

/** Attacks give rows of distances. Scaling pixels to other bounds and back rounds. */
const rowsOf = async (model: ClassifierModel, attack: AttackInput) => {
  const [low, high] = model.bounds;
  const scaled = images.map((value) => low + value * (high - low));
  const { records } = await evaluateAttack({ model, images: scaled, labels, attack });
  return records.success.map((success, row) =>
    success ? [records.l2[row]!, records.linf[row]!, records.l0[row]!] : null,
  );
};

const wrappings: readonly (readonly [name: string, options?: LoadOptions])[] = [
  ['base'],
  ['channels-first'],
  ['no-channel'],
  ['flat'],
  ['dropout'],
  ['depthwise'],
  ['dilated'],
  ['conv3d'],
  ['upsample-and-pool'],
  ['keras-3'],
  ['graph'],
  ['fixed-batch'],
  ['fixed-batch-of-8'],
  ['softmax', { fromProbabilities: true }],
  ['softmax-layer', { fromProbabilities: true }],
  ['graph-softmax', { fromProbabilities: true }],
  ['sigmoid', { fromProbabilities: true }],
  ['two-outputs', { output: 'logits' }],
  ['dynamic', { output: 'logits' }],
  ['rescaling-255', { bounds: [0, 255] }],
  ['minus-one-to-one', { bounds: [-1, 1] }],
];

describe.each(wrappings.map(([name, options = {}]) => ({ name, options })))('$name', ({ name, options }) => {
  it('gives the rows of the bare network', async () => {
    const model = await load(name, options);
    expect(model.shape).toEqual(shape);
    for (const [at, attack] of attacks.entries()) {
      const found = await rowsOf(model, attack);
      expect(found.map((row) => row !== null)).toEqual(expected[at]!.map((row) => row !== null));
      found.forEach((row, i) => {
        row?.forEach((distance, k) => {
          const right = expected[at]![i]![k]!;
          // A pixel that rounds to its clean value counts in L0.
          expect(Math.abs(distance - right)).toBeLessThanOrEqual(
            k === 2 ? Math.max(3, 0.02 * right) : 1e-3 * right,
          );
        });
      });
    }
  });
});

it('inverts probabilities of a function, whose softmax cannot be dropped', async () => {
  const { classifierModel } = await import('../src/index.ts');
  const tf = await import('@tensorflow/tfjs');
  const bare = await load('base');
  const model = classifierModel((x) => tf.softmax(bare.logits(x)), { shape, fromProbabilities: true });
  const attack = { attack: 'fgsm', epsilon: 0.15, search: false } as const;
  expect((await rowsOf(model, attack)).filter(Boolean)).toHaveLength(18);
});

it('reads one sigmoid as two classes: 0 for the digit 0, 1 for the others', async () => {
  const model = await load('one-sigmoid');
  expect(model.classes).toBe(2);
  const two = Int32Array.from(labels, (label) => (label === 0 ? 0 : 1));
  const { summary, records } = await evaluateAttack({
    model,
    images,
    labels: two,
    attack: { attack: 'pgd-linf', epsilon: 0.15 },
  });
  expect(summary.cleanAccuracy).toBe(0.65);
  expect(summary.successes).toBeGreaterThanOrEqual(10);
  const fooled = new Set(records.label.filter((_, i) => records.success[i]));
  expect(fooled).toContain(1);
});

describe('refuses in a sentence', () => {
  it.each([
    ['two outputs', 'two-outputs', {}, /2: probabilities, d2\/sum\. Give `output`/],
    ['an output that is not there', 'two-outputs', { output: 'nothing' }, /Expected an output of the model/],
    ['a misspelt output', 'two-outputs', { output: 'probabilitys' }, /did you mean "probabilities"\?/],
    [
      'images of another shape',
      'base',
      { shape: [32, 32, 3] },
      /Expected a model of images \[32, 32, 3\].*\[28, 28, 1\]/,
    ],
    ['an input that is not there', 'base', { input: 'nothing' }, /Expected the input of the model/],
    [
      'a dynamic operator',
      'dynamic',
      {},
      /contains Where, which has no gradient.*before Where with `output`/,
    ],
    ['a folder without a model', '.', {}, /there is none at this path/],
    ['a Keras file that does not exist', 'missing.keras', {}, /there is none at this path/],
  ] as const)('%s', async (_, name, options, message) => {
    await expect(load(name, options)).rejects.toThrow(message);
  });

  it.each([
    ['model.h5', /tensorflowjs_converter --input_format=keras .*model\.h5 OUT/],
    [
      'model.keras',
      /--input_format=keras_keras --output_format=tfjs_layers_model .*model\.keras OUT.*examples\/own-model\/convert\.py/,
    ],
    ['model.onnx', /onnx2tf -i .*model\.onnx/],
    ['model.pt', /torch\.onnx\.export/],
    ['lone.bin', /torch\.onnx\.export/],
    [
      'dynamic/w.bin',
      /the weights .*w\.bin of one\. Give its folder .*dynamic or its file .*dynamic[\\/]model\.json$/,
    ],
    ['saved/saved_model.pb', /--input_format=tf_saved_model .*saved OUT/],
  ])('%s, with what to do about it', async (file, message) => {
    const path = join(folder, file);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, '', { flag: 'a' });
    await expect(loadClassifier(path)).rejects.toThrow(message);
  });
});

describe('an address', () => {
  let server: Server;
  let url: string;
  const asked: string[] = [];

  beforeAll(async () => {
    server = createServer(async (request, response) => {
      asked.push(`${request.headers.authorization} ${request.url}`);
      const bytes = await readFile(join(folder, request.url!)).catch(() => null);
      response.writeHead(bytes ? 200 : 404).end(bytes ?? 'none');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => server.close());

  it('is read with its weights, from a folder or a file', async () => {
    for (const path of ['base', 'base/', 'base/model.json']) {
      const model = await loadClassifier(`${url}/${path}`, {
        shape,
        headers: { authorization: 'Bearer abc' },
      });
      const attack = { attack: 'fgsm', epsilon: 0.15, search: false } as const;
      expect((await rowsOf(model, attack)).filter(Boolean)).toHaveLength(18);
    }
    expect(asked).toContain('Bearer abc /base/model.json');
    expect(asked).toContain('Bearer abc /base/weights.bin');
  });

  it('that has no model says so', async () => {
    await expect(loadClassifier(`${url}/nothing`, { shape })).rejects.toThrow(
      /nothing\/model\.json: HTTP 404/,
    );
  });
});
