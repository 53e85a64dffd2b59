/** Commands that gave a wrong answer once, or lost one: `funnel attack` on the models of the fixtures, with MNIST's first test images. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadDataset } from '@funnel/engine';
import { encode } from 'fast-png';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openNpy, readRows } from '../src/attack/npy.ts';
import type { Outcome, Result, Row } from '../src/attack/results.ts';
import { createProgress } from '../src/output/progress.ts';
import type { Output } from '../src/output/terminal.ts';
import { funnel } from './funnel.ts';

const fixtures = fileURLToPath(new URL('../../../fixtures', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'funnel-attack-commands-'));
afterAll(() => rmSync(folder, { recursive: true }));

type Document = Result & {
  readonly examination: {
    readonly findings: readonly { readonly name: string; readonly value: number | null }[];
  };
  readonly leftOut: readonly { readonly attack: string; readonly reason: string }[];
  readonly evaluations: readonly Result[];
  readonly worstCase: NonNullable<Outcome['worstCase']>;
  readonly diagnosis?: {
    readonly verdict: string;
    readonly images: number;
    readonly checks: readonly { readonly id: string }[];
  };
};

const env = { FUNNEL_DATA: `${fixtures}/data` };
const onImages = async (...args: readonly string[]): Promise<Document> => {
  const model = ['--model', `${fixtures}/oracle/mnist-conv`, '--backend', 'wasm', '--json'];
  const ran = await funnel(['attack', ...model, ...args], { env });
  expect(ran.status, ran.stderr).toBe(0);
  return JSON.parse(ran.stdout);
};
const onMnist = (...args: readonly string[]) => onImages('--dataset', 'mnist', '--indices', '0-19', ...args);

/** The bytes and the labels of the first twenty test images. */
const firstImages = async () => {
  const spec = { name: 'mnist', train: 1, test: 20, attack: 1 } as const;
  const dataset = await loadDataset(spec, { dir: `${fixtures}/data`, home: folder });
  const { read, labels } = await dataset.test();
  return { images: read(Array.from({ length: 20 }, (_, i) => i)), labels: Uint8Array.from(labels) };
};

describe('settings', () => {
  it.each(['[0.3,0.1]', '[0.1,0.3]'])(
    'fgsm with epsilons=%s finds 0.1, and only listed values',
    async (epsilons) => {
      const { summary, rows, intervals } = await onMnist('--attack', 'fgsm', '--set', `epsilons=${epsilons}`);
      expect(summary).toMatchObject({ attempted: 19, successes: 19 });
      expect(summary.medianLinf).toBeCloseTo(0.1, 6);
      // Of 19 ordered distances, the fifth and the fifteenth are the ends.
      const sorted = rows.flatMap(({ l2 }) => l2 ?? []).sort((a, b) => a - b);
      expect(intervals.medianL2).toEqual([sorted[4], sorted[14]]);
      for (const { linf } of rows)
        if (linf !== null) expect(Math.min(Math.abs(linf - 0.1), Math.abs(linf - 0.3))).toBeLessThan(1e-6);
    },
  );

  it('bim finds the same robust accuracy at ε with a search and without', async () => {
    const args = ['--attack', 'bim', '--set', 'epsilon=0.1', '--set'];
    const [searched, exact] = await Promise.all(
      ['search=true', 'search=false'].map((search) => onMnist(...args, search)),
    );
    expect(exact!.summary).toMatchObject({ attempted: 19, successes: 17, robustAccuracy: 0.1 });
    expect(searched!.summary).toMatchObject({ attempted: 19, successes: 17, robustAccuracy: 0.1 });
  });

  it('cw-l2 keeps the hits that it has with an initial constant of 1e30', async () => {
    const args = ['--dataset', 'mnist', '--indices', '0,1', '--attack', 'cw-l2', '--set'];
    const { summary } = await onImages(...args, 'initialConstant=1e30', '--set', 'steps=200');
    expect(summary).toMatchObject({ attempted: 2, successes: 2 });
  });

  it('bim with a step of 1e30 goes as far as a step across the whole ball', async () => {
    const args = ['--attack', 'bim', '--set', 'epsilon=0.15', '--set', 'search=false', '--set'];
    const [huge, ball] = await Promise.all(
      ['stepSize=1e30', 'stepSize=0.3'].map((step) => onMnist(...args, step)),
    );
    const predicted = ({ rows }: Document) => rows.map((row) => row.predicted);
    expect(predicted(huge!)).toEqual(predicted(ball!));
    expect(huge!.summary.medianL2).toBeCloseTo(Number(ball!.summary.medianL2), 6);
    expect(huge!.summary.successes).toBe(19);
  });
});

describe('preset:autoattack with an ε', () => {
  it('attacks only what still stands, and ends in the robust accuracy of the worst case', async () => {
    const out = join(folder, 'autoattack.json');
    const adversarials = join(folder, 'adversarials.npy');
    const document = await onMnist(
      ...['--attack', 'preset:autoattack', '--set', 'epsilon=0.1', '--set', 'queries=300', '--out', out],
      ...['--adversarials', adversarials, '--no-diagnose'],
    );
    expect(JSON.parse(readFileSync(out, 'utf8'))).toEqual(document);
    const { evaluations, worstCase } = document;
    expect(evaluations.map(({ attack }) => attack)).toEqual([
      'apgd-ce-linf',
      'apgd-t-linf',
      'fab-t-linf',
      'square-linf',
    ]);
    expect(document).not.toHaveProperty('diagnosis');
    // Each attack gets the images that no earlier one fooled within L∞ 0.1.
    const within = (row: Row): boolean => row.success && row.linf! <= 0.1 + 1e-6;
    let standing = 19;
    for (const { summary, rows } of evaluations) {
      expect(summary.attempted).toBe(standing);
      standing -= rows.filter(within).length;
    }
    const fab = evaluations[2]!;
    const robust = fab.summary.attempted - fab.rows.filter(within).length;
    expect(fab).toMatchObject({
      robustAtEpsilon: { norm: 'linf', epsilon: 0.1, robust, accuracy: robust / 20 },
    });
    expect(worstCase.balls).toEqual({ linf: 0.1 });
    expect(worstCase.summary).toMatchObject({ images: 20, attempted: 19, robustAccuracy: standing / 20 });
    expect(standing).toBe(2);
    // The file of adversarials: every row says which image of the file is its own.
    const images = openNpy(adversarials);
    const named = evaluations.flatMap(({ rows }) => rows).filter(({ success }) => success);
    expect(images.shape).toEqual([named.length, 28, 28, 1]);
    expect(named.map(({ adversarial }) => adversarial)).toEqual(named.map((_, i) => i));
    const { images: clean } = await firstImages();
    const values = new Float32Array(784);
    for (const row of named) {
      readRows(images, [row.adversarial!], values);
      const changes = values.map((value, k) =>
        Math.abs(value - Math.fround(clean[row.index * 784 + k]! / 255)),
      );
      expect(Math.max(...changes)).toBeCloseTo(row.linf!, 6);
    }
  });

  it('is one table with a sentence to quote, and checks', async () => {
    const ran = await funnel(
      [
        ...['attack', '--model', `${fixtures}/oracle/mnist-conv`, '--dataset', 'mnist', '--indices', '0-4'],
        ...[
          '--attack',
          'preset:autoattack',
          '--set',
          'epsilon=0.3',
          '--set',
          'queries=10',
          '--set',
          'steps=10',
        ],
      ],
      { env },
    );
    expect(ran.status, ran.stderr).toBe(0);
    const [titles, first, ...rest] = ran.stdout.split('\n');
    expect(titles).toMatch(/^attack +fooled +success +robust +median L2 +median L∞ +noise level +settings$/);
    expect(first).toMatch(
      /^apgd-ce-linf +5 of 5 +100\.0 % \(56\.6–100\.0\) +0\.0 % \(0\.0–43\.4\) .* epsilon=0\.3 steps=10$/,
    );
    expect(rest).toContainEqual(expect.stringMatching(/^apgd-t-linf +0 of 0 +– +– +– +– +– +epsilon=0\.3/));
    expect(rest).toContainEqual(
      expect.stringMatching(
        /^worst case +5 of 5 +100\.0 % \(56\.6–100\.0\) +0\.0 % \(0\.0–43\.4\) .* within L∞ 0\.3$/,
      ),
    );
    expect(ran.stdout).toContain(
      'Robust accuracy within L∞ 0.3: 0.0 % (0 of 5 images withstand every attack;',
    );
    expect(ran.stdout).toMatch(/\d+ checks on 5 images: /);
    expect(ran.stdout).not.toContain('\x1b');
  });
});

describe('images of the user', () => {
  const images = join(folder, 'X.npy');
  const labels = join(folder, 'Y.npy');
  /** An NPY file of bytes. */
  const save = (path: string, shape: string, values: Uint8Array): void => {
    const header = `{'descr': '|u1', 'fortran_order': False, 'shape': ${shape}, }`.padEnd(117);
    writeFileSync(
      path,
      Buffer.concat([
        Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, 118, 0]),
        Buffer.from(`${header}\n`),
        values,
      ]),
    );
  };
  beforeAll(async () => {
    const test = await firstImages();
    save(images, '(20, 28, 28)', test.images);
    save(labels, '(20,)', test.labels);
  });

  it('give the rows of the data set that they come from, without its name', async () => {
    const own = await onImages(
      '--images',
      images,
      '--labels',
      labels,
      '--attack',
      'pgd-linf',
      '--set',
      'epsilon=0.15',
    );
    const ofDataset = await onMnist('--attack', 'pgd-linf', '--set', 'epsilon=0.15');
    expect(own).toMatchObject({ images, labels, summary: { images: 20, attempted: 19, successes: 19 } });
    expect(own.rows).toEqual(ofDataset.rows);
    expect(own).not.toHaveProperty('dataset');
  });

  it('give the same rows as PNG files, one of each class in turn', async () => {
    const pictures = join(folder, 'pictures');
    const { images: bytes, labels: classes } = await firstImages();
    for (let i = 0; i < 20; i++) {
      mkdirSync(join(pictures, String(classes[i])), { recursive: true });
      const data = bytes.slice(i * 784, (i + 1) * 784);
      writeFileSync(
        join(pictures, String(classes[i]), `${i}.png`),
        encode({ width: 28, height: 28, channels: 1, data }),
      );
    }
    const args = ['--attack', 'fgsm', '--set', 'search=false', '--set', 'epsilon=0.1'];
    const own = await onImages('--images', pictures, ...args);
    const ofDataset = await onMnist(...args);
    expect(own.rows.slice(0, 10).map(({ label }) => label)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 9, 0]);
    const numberOf = (row: Row): number => Number(basename(row.file!, '.png'));
    const sorted = own.rows.toSorted((a, b) => numberOf(a) - numberOf(b));
    expect(sorted.map(({ file: _, index: __, ...row }) => row)).toEqual(
      ofDataset.rows.map(({ index: _, ...row }) => row),
    );
  });

  it('say the shape that the model needs', async () => {
    const rows = join(folder, 'rows.npy');
    save(rows, '(20, 784)', new Uint8Array(20 * 784));
    const ran = await funnel(
      [
        'attack',
        '--model',
        `${fixtures}/oracle/mnist-conv`,
        '--images',
        rows,
        '--labels',
        labels,
        '--attack',
        'fgsm',
      ],
      { env },
    );
    expect(ran.stderr).toMatch(/Expected a model of images \[784\], but this one takes \[28, 28, 1\]/);
    expect(ran.status).toBe(2);
  });
});

it('shows the result although its file cannot be written', async () => {
  const subject = ['--model', `${fixtures}/oracle/mnist-conv`, '--dataset', 'mnist', '--indices', '0-3'];
  const run = ['--backend', 'wasm', '--attack', 'fgsm', '--set', 'search=false', '--set', 'epsilon=0.1'];
  const ran = await funnel(['attack', ...subject, ...run, '--out', '/dev/full'], { env });
  expect(ran.stdout).toMatch(/^fgsm +3 of 4 /m);
  expect(ran.stderr).toMatch(/\/dev\/full was not written: the disk is full$/m);
  expect(ran.status).toBe(1);
});

describe('the progress of an attack', () => {
  const drawn: string[][] = [];
  const output = (columns: number | null) =>
    ({ columns: () => columns, draw: (lines: string[]) => drawn.push(lines) }) as unknown as Output;

  it('says how many images are finished and how long the others take, and disappears', () => {
    let now = 0;
    const progress = createProgress(output(80), 'images', () => now);
    progress.draw('fgsm', { done: 0, total: 100 });
    now = 1000;
    progress.draw('fgsm', { done: 10, total: 100 });
    expect(drawn).toEqual([]); // within two seconds there is none
    now = 30_000;
    progress.draw('fgsm', { done: 25, total: 100 });
    expect(drawn).toEqual([['fgsm: 25 of 100 images · 1 min 30 s left']]);
    expect(progress.end()).toBe('30 s');
    expect(drawn.at(-1)).toEqual([]);
    expect(progress.end()).toBe('< 1 s');
  });

  it('is for terminals only', () => {
    drawn.length = 0;
    let now = 0;
    const progress = createProgress(output(null), 'images', () => now);
    now = 30_000;
    progress.draw('fgsm', { done: 25, total: 100 });
    progress.end();
    expect(drawn).toEqual([]);
  });
});
