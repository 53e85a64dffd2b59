/** `funnel attack` on models that the test makes itself. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { attackNames, presetNames } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createNpy, openNpy } from '../src/attack/npy.ts';
import { funnel, spawnFunnel } from './funnel.ts';

const folder = mkdtempSync(join(tmpdir(), 'funnel-attack-'));
const model = join(folder, 'model');
const same = join(folder, 'same.json');
const flat = join(folder, 'flat');
const [softmax, graph, rounding, small, few] = ['softmax', 'graph', 'rounding', 'small', 'few'].map((name) =>
  join(folder, name),
) as [string, string, string, string, string];

/** Saves a model as TensorFlow.js does: model.json beside its weights. */
const save = async (layers: tf.LayersModel, path: string): Promise<void> => {
  await layers.save(
    tf.io.withSaveHandler(async ({ modelTopology, weightSpecs, weightData }) => {
      mkdirSync(path);
      const weightsManifest = [{ paths: ['weights.bin'], weights: weightSpecs }];
      writeFileSync(
        join(path, 'model.json'),
        JSON.stringify({ format: 'layers-model', modelTopology, weightsManifest }),
      );
      writeFileSync(join(path, 'weights.bin'), Buffer.from(weightData as ArrayBuffer));
      return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
    }),
  );
};

/**
 * A linear model. Its scores are the sums of ten vertical bands, plus a little, so that no two are equal. Its accuracy is about that of
 * chance.
 */
const linear = (activation: 'linear' | 'softmax', takesRows = false): tf.LayersModel => {
  const kernel = tf.tidy(() =>
    tf
      .oneHot(
        tf
          .range(0, 784)
          .mod(28)
          .mul(10 / 28)
          .floor()
          .toInt(),
        10,
      )
      .toFloat()
      .add(tf.sin(tf.range(0, 7840)).mul(0.1).reshape([784, 10])),
  );
  const layers = tf.sequential({
    layers: [
      tf.layers.reshape({ inputShape: takesRows ? [784] : [28, 28, 1], targetShape: [784] }),
      tf.layers.dense({ units: 10, activation, weights: [kernel, tf.zeros([10])] }),
    ],
  });
  return layers;
};

const constant = (name: string, dtype: string, shape: readonly number[]) => ({
  name,
  op: 'Const',
  attr: {
    dtype: { type: dtype },
    value: { tensor: { dtype, tensorShape: { dim: shape.map((size) => ({ size: String(size) })) } } },
  },
});

/** The same linear classifier as a graph model, as converters write it: logits = reshape(images) · weights. `rounds`: it rounds pixels first. */
const saveGraph = async (layers: tf.LayersModel, path: string, rounds = false): Promise<void> => {
  const weights = await layers.getWeights()[0]!.data();
  const float = { type: 'DT_FLOAT' };
  const dim = ['-1', '28', '28', '1'].map((size) => ({ size }));
  const node = [
    { name: 'images', op: 'Placeholder', attr: { dtype: float, shape: { shape: { dim } } } },
    constant('rows', 'DT_INT32', [2]),
    constant('weights', 'DT_FLOAT', [784, 10]),
    { name: 'flat', op: 'Reshape', input: ['images', 'rows'], attr: { T: float } },
    ...(rounds ? [{ name: 'rounded', op: 'Round', input: ['flat'], attr: { T: float } }] : []),
    {
      name: 'logits',
      op: 'MatMul',
      input: [rounds ? 'rounded' : 'flat', 'weights'],
      attr: { T: float, transpose_a: { b: false }, transpose_b: { b: false } },
    },
  ];
  const manifest = [
    { name: 'rows', shape: [2], dtype: 'int32' },
    { name: 'weights', shape: [784, 10], dtype: 'float32' },
  ];
  mkdirSync(path);
  writeFileSync(
    join(path, 'model.json'),
    JSON.stringify({
      format: 'graph-model',
      modelTopology: { node, versions: { producer: 1 } },
      weightsManifest: [{ paths: ['a.bin', 'b.bin'], weights: manifest }],
    }),
  );
  writeFileSync(join(path, 'a.bin'), Buffer.from(Int32Array.of(-1, 784).buffer));
  writeFileSync(join(path, 'b.bin'), Buffer.from(Float32Array.from(weights).buffer));
};

const dense = (side: number, units: number): tf.LayersModel =>
  tf.sequential({
    layers: [tf.layers.flatten({ inputShape: [side, side, 1] }), tf.layers.dense({ units })],
  });

beforeAll(async () => {
  tf.env().set('IS_TEST', true); // else tfjs advertises itself
  await tf.setBackend('cpu');
  await save(linear('linear'), model);
  await save(linear('softmax'), softmax);
  await saveGraph(linear('linear'), graph);
  await saveGraph(linear('linear'), rounding, true);
  await save(dense(14, 10), small);
  await save(dense(28, 5), few);
  await save(linear('linear', true), flat);
});
afterAll(() => rmSync(folder, { recursive: true }));

type Document = {
  readonly backend: string;
  readonly summary: { readonly images: number; readonly attempted: number; readonly successes: number };
  readonly rows: readonly {
    readonly index: number;
    readonly success: boolean;
    readonly l2: number | null;
    readonly steps: number;
  }[];
};
const attack = (...args: string[]) => funnel(['attack', '--dataset', 'glyphs', ...args]);

describe('funnel attack', () => {
  it('exits with 8 when it leaves every attack out, and with 0 when one ran', async () => {
    const out = join(folder, 'left-out.json');
    const args = ['--model', rounding, '--json', '--no-diagnose', '--attack', 'fgsm'];
    const none = await attack(...args, '--out', out);
    expect(none.status, none.stderr).toBe(8);
    const reason = 'the gradients of the model cannot be trusted';
    for (const text of [none.stdout, readFileSync(out, 'utf8')])
      expect(JSON.parse(text)).toMatchObject({ leftOut: [{ attack: 'fgsm', reason }] });
    const one = await attack(...args, '--attack', 'noise-linf');
    expect(one.status, one.stderr).toBe(0);
    expect(JSON.parse(one.stdout).leftOut).toMatchObject([{ attack: 'fgsm', reason }]);
  });

  it('attacks a model that its examination refuses with --force, and the result carries the finding', async () => {
    const ran = await attack('--model', softmax, '--attack', 'fgsm', '--force', '--json');
    expect(ran.status, ran.stderr).toBe(0);
    const { examination, summary } = JSON.parse(ran.stdout);
    expect(examination).toMatchObject({ status: 'refused' });
    expect(summary.attempted).toBeGreaterThan(0);
    expect(ran.stderr).toMatch(/The outputs are probabilities/);
  });

  it('writes a summary and one row per image, in the order of the indices', async () => {
    const out = join(folder, 'rows.json');
    const indices = join(folder, 'indices.json');
    writeFileSync(indices, JSON.stringify([40, 3, 17, ...Array.from({ length: 30 }, (_, i) => 50 + i)]));
    const ran = await attack(
      '--model',
      model,
      '--indices',
      indices,
      '--attack',
      'deepfool-l2',
      '--set',
      'overshoot=0.02',
      '--out',
      out,
      '--json',
    );
    expect(ran.status, ran.stderr).toBe(0);
    const written: Document = JSON.parse(readFileSync(out, 'utf8'));
    expect(JSON.parse(ran.stdout)).toEqual(written);
    expect(written).toMatchObject({ attack: 'deepfool-l2', settings: { overshoot: 0.02, steps: 50 } });
    expect(written.rows.slice(0, 3).map(({ index }) => index)).toEqual([40, 3, 17]);
    expect(written.rows).toHaveLength(33);
    for (const row of written.rows) {
      expect(Object.keys(row)).toEqual([
        'index',
        'label',
        'predicted',
        'success',
        'l2',
        'linf',
        'l0',
        'steps',
      ]);
      if (row.success) expect(row.l2).toBeGreaterThan(0);
      else expect(row.l2).toBeNull();
    }
    expect(written.summary.successes).toBe(written.rows.filter(({ success }) => success).length);
  });

  it('gives the same results for a graph model and the same layers model', async () => {
    // The backend is named, because other backends differ in the last bits.
    const args = ['--indices', '0-29', '--attack', 'deepfool-l2', '--backend', 'wasm', '--json'];
    const [ofLayers, ofGraph] = await Promise.all(
      [model, graph].map(async (path): Promise<Document> => {
        const ran = await attack('--model', path, ...args);
        expect(ran.status, ran.stderr).toBe(0);
        return JSON.parse(ran.stdout);
      }),
    );
    expect([ofGraph!.backend, ofLayers!.backend]).toEqual(['wasm', 'wasm']);
    expect(ofGraph!.summary).toEqual(ofLayers!.summary);
    expect(ofGraph!.summary.successes).toBeGreaterThan(0);
  });

  it('runs all attacks of a preset, one after the other, and reports each', async () => {
    const ran = await attack('--model', model, '--indices', '0-5', '--attack', 'preset:quick', '--json');
    expect(ran.status, ran.stderr).toBe(0);
    const { evaluations }: { evaluations: (Document & { attack: string })[] } = JSON.parse(ran.stdout);
    expect(evaluations.map((one) => one.attack)).toEqual([
      ...['deepfool-l2', 'deepfool-linf', 'fgsm', 'pgd-linf', 'pgd-l2', 'fmn-l2'],
    ]);
    expect(evaluations.every(({ rows }) => rows.length === 6)).toBe(true);
  });

  it('gives a setting to every attack that has it, as a fraction too', async () => {
    const ran = await attack(
      ...[
        '--model',
        model,
        '--indices',
        '0-9',
        '--attack',
        'pgd-linf',
        '--attack',
        'noise-linf',
        '--attack',
        'fmn-l2',
      ],
      ...['--set', 'epsilon=8/255', '--set', 'steps=3', '--json'],
    );
    expect(ran.status, ran.stderr).toBe(0);
    const { evaluations } = JSON.parse(ran.stdout);
    expect(
      evaluations.map(({ settings }: { settings: Record<string, number> }) => [
        settings.epsilon,
        settings.steps,
      ]),
    ).toEqual([
      [8 / 255, 3],
      [8 / 255, undefined],
      [undefined, 3],
    ]);
  });

  it('keeps the results that were finished when another attack fails or Ctrl-C comes', async () => {
    const out = join(folder, 'interrupted.json');
    const adversarials = join(folder, 'interrupted.npy');
    const args = [
      '--model',
      model,
      '--indices',
      '0-99',
      '--attack',
      'noise-linf',
      '--attack',
      'hop-skip-jump-l2',
    ];
    const child = spawnFunnel([
      'attack',
      '--dataset',
      'glyphs',
      ...args,
      '--set',
      'steps=1000',
      '--out',
      out,
      '--adversarials',
      adversarials,
      '--diagnose',
    ]);
    child.stderr.on('data', (chunk) => {
      if (String(chunk).includes('noise-linf: ')) child.kill('SIGINT');
    });
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(130);
    const written = JSON.parse(readFileSync(out, 'utf8'));
    expect(written.evaluations.map((one: { attack: string }) => one.attack)).toEqual(['noise-linf']);
    expect(written.leftOut).toEqual([{ attack: 'hop-skip-jump-l2', reason: 'interrupted' }]);
    expect(written).toMatchObject({ diagnosis: null, noDiagnosis: 'interrupted' });
    expect(written.evaluations[0].rows).toHaveLength(100);
    expect(openNpy(adversarials).shape).toEqual([written.evaluations[0].summary.successes, 28, 28, 1]);
  });

  it('runs all of preset:paper on a model of flat rows, since the data set says that they are images', async () => {
    const args = [
      '--indices',
      '0-9',
      '--attack',
      'preset:paper',
      '--set',
      'steps=10',
      '--no-diagnose',
      '--json',
    ];
    const ran = await attack('--model', flat, ...args);
    expect(ran.status, ran.stderr).toBe(0);
    const { evaluations, leftOut } = JSON.parse(ran.stdout);
    expect(leftOut).toEqual([]);
    const names = evaluations.map((one: { attack: string }) => one.attack);
    expect(names).toEqual(
      expect.arrayContaining(['deepfool-l2', 'fgsm', 'bim', 'single-pixel', 'local-search', 'gradient']),
    );
  });

  it('checks rows that are no images, and leaves only the check of pixels out', async () => {
    const [images, labels] = [join(folder, 'X.npy'), join(folder, 'Y.npy')];
    // Row i lights a band of the image that the linear model gives to class i mod 10.
    const rows = createNpy(images, [784]);
    rows.append(
      Float32Array.from({ length: 20 * 784 }, (_, k) =>
        Math.floor(((k % 28) * 10) / 28) === Math.floor(k / 784) % 10 ? 0.8 : 0.4,
      ),
    );
    rows.close();
    const header = `{'descr': '|u1', 'fortran_order': False, 'shape': (20,), }`.padEnd(117);
    writeFileSync(
      labels,
      Buffer.concat([
        Buffer.from('\x93NUMPY\x01\0v\0', 'latin1'),
        Buffer.from(`${header}\n`),
        Uint8Array.from({ length: 20 }, (_, i) => i % 10),
      ]),
    );
    const args = [
      '--model',
      flat,
      '--images',
      images,
      '--labels',
      labels,
      '--attack',
      'fgsm',
      '--diagnose',
      '--json',
    ];
    const ran = await funnel(['attack', ...args]);
    expect(ran.status, ran.stderr).toBe(0);
    const { summary, diagnosis } = JSON.parse(ran.stdout);
    expect(summary).toMatchObject({ images: 20, attempted: 20 });
    const { checks }: { checks: { id: string; value: number | null; detail: string }[] } = diagnosis;
    expect(checks.length).toBeGreaterThan(15);
    expect(checks.filter(({ value }) => value === null).map(({ id, detail }) => [id, detail])).toEqual([
      ['H2', 'Square needs images of height × width, not [784].'],
    ]);
  });

  it('lists every attack and preset in one line', async () => {
    const { stdout } = await funnel(['attack', '--list']);
    expect(stdout.match(/^[\w:-]+(?= {2})/gm)).toEqual([
      'name',
      ...attackNames,
      'name',
      ...presetNames.map((name) => `preset:${name}`),
    ]);
  });

  it.each([
    [['--model', '/nowhere', '--attack', 'fgsm'], 2, /TensorFlow.js model .*there is none at this path/],
    [['--model', softmax, '--attack', 'fgsm'], 7, /The outputs are probabilities.*--from-probabilities/],
    [['--model', small, '--attack', 'fgsm'], 2, /Expected a model of images \[28, 28, 1\].*\[14, 14, 1\]/],
    [['--model', few, '--attack', 'fgsm'], 2, /Expected labels as whole numbers from 0 to 4, but got \d/],
    [['--model', model, '--attack', 'transfer-l2'], 2, /needs other models/],
    [
      ['--model', model, '--attack', 'fgsm', '--backend', 'cuda'],
      2,
      /`npx funnel doctor` says which backends work\.\n$/,
    ],
    [['--model', model, '--attack', 'fgsm', '--indices', '9-3'], 2, /last index lies before the first/],
    [['--model', model, '--attack', 'fgsm', '--backend', 'gpu'], 2, /Allowed choices are auto/],
    [['--model', model, '--attack', 'fgsm', '--indices', '20000'], 2, /Expected indices below 10000/],
    [['--model', model, '--attack', 'fgsm', '--set', 'stepz=1'], 2, /stepz/],
    [['--model', model, '--attack', 'fgsm', '--indices', '0-4294967296'], 2, /at most 100000 images/],
    [['--model', model, '--attack', 'fgsm', '--set', 'epsilon=8'], 2, /did you mean epsilon=8\/255\?/],
    [['--model', model, '--attack', 'fgsm', '--out', folder], 2, /it is a folder/],
    [['--model', model, '--attack', 'fgsm', '--out', '/proc/none/x.json'], 2, /after --out/],
    [
      ['--model', model, '--attack', 'fgsm', '--adversarials', folder],
      2,
      /after --adversarials, but got .* it is a folder/,
    ],
    [
      ['--model', model, '--attack', 'fgsm', '--adversarials', same, '--out', same],
      2,
      /same\.json is also the file of another option/,
    ],
    [
      ['--model', model, '--attack', 'fgsm', '--images', 'X.npy'],
      2,
      /from one place, but got --dataset and --images/,
    ],
    [['--model', model, '--attack', 'fgsm', '--bounds', '1,0'], 2, /such as 0,255/],
    [['--attack', 'fgsm'], 2, /--model PATH/],
  ] as const)('%j ends with %i and says why', async (args, status, words) => {
    const ran = await attack(...args);
    expect(ran.stderr).toMatch(words);
    expect(ran.status).toBe(status);
  });
});

const fixtures = fileURLToPath(new URL('../../../fixtures', import.meta.url));

describe('funnel attack on networks without a defence', () => {
  it.each([
    ['mnist-conv', 199],
    ['mnist-mlp', 188],
  ] as const)('fmn fools all images of %s that it classifies correctly', async (name, correct) => {
    const args = ['--dataset', 'mnist', '--indices', '0-199', '--backend', 'wasm', '--json'];
    const ran = await funnel(
      [
        'attack',
        '--model',
        `${fixtures}/oracle/${name}`,
        ...args,
        '--attack',
        'fmn-l2',
        '--attack',
        'fmn-linf',
      ],
      { env: { FUNNEL_DATA: `${fixtures}/data` } },
    );
    expect(ran.status, ran.stderr).toBe(0);
    const { evaluations }: { evaluations: Document[] } = JSON.parse(ran.stdout);
    for (const { summary } of evaluations)
      expect(summary).toMatchObject({ images: 200, attempted: correct, successes: correct });
  });
});
