/** Settings and models at the edge of what an attack expects: two classes, lists of ε, models that take noise for the image's own class. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AttackInput } from '@funnel/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ClassifierModel, evaluateAttack, loadClassifier } from '../src/index.ts';
import { loadImages, loadClassifier as loadOracleClassifier } from './helpers/oracle.ts';
import { writeOtherModels } from './helpers/other-models.ts';
import { useWasm } from './helpers/tiny.ts';

const firsts = (count: number) => Array.from({ length: count }, (_, i) => i);
let folder: string;
beforeAll(async () => {
  await useWasm();
  folder = mkdtempSync(join(tmpdir(), 'funnel-two-'));
  await writeOtherModels(folder);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('two classes', () => {
  it('targeted attacks find at least what the cross-entropy finds', async () => {
    const model = await loadClassifier(join(folder, 'two-classes'), { shape: [28, 28, 1] });
    const { images, labels } = loadImages('mnist-conv', firsts(50));
    const parity = labels.map((label) => label % 2);
    const hits = async (attack: AttackInput) =>
      (
        await evaluateAttack({
          model,
          images,
          labels: parity,
          attack,
        })
      ).summary.successes;
    const found = await hits({ attack: 'apgd-ce-linf', epsilon: 0.1, steps: 50 });
    expect(found).toBeGreaterThan(35);
    expect(await hits({ attack: 'apgd-t-linf', epsilon: 0.1, steps: 50 })).toBeGreaterThanOrEqual(found);
    const fab = await evaluateAttack({
      model,
      images,
      labels: parity,
      attack: { attack: 'fab-t-linf', epsilon: 0.1 },
    });
    const within = fab.records.linf.filter((distance) => distance !== null && distance <= 0.1 + 1e-6).length;
    expect(within).toBeGreaterThanOrEqual(found - 1);
  });
});

it.each(['deepfool-l2', 'deepfool-linf'] as const)(
  '%s fools a model of two classes on every image',
  async (attack) => {
    const model = await loadClassifier(join(folder, 'two-classes'), { shape: [28, 28, 1] });
    const { images, labels } = loadImages('mnist-conv', firsts(50));
    const parity = labels.map((label) => label % 2);
    // Foolbox 3.3.4 fools all 47 that the model classifies correctly, in both norms; a copy of Foolbox 1.8's loop fools 38.
    const { summary } = await evaluateAttack({ model, images, labels: parity, attack });
    expect(summary).toMatchObject({ attempted: 47, successes: 47 });
  },
);

describe('fgsm with a list of ε', () => {
  let model: ClassifierModel;
  const { images, labels } = loadImages('mnist-conv', firsts(20));
  const run = async (epsilons: number[]) =>
    (await evaluateAttack({ model, images, labels, attack: { attack: 'fgsm', epsilons } })).records;
  beforeAll(async () => {
    model = await loadOracleClassifier('mnist-conv');
  });

  it('keeps the smallest one that fools the model, in whichever order they stand', async () => {
    const sorted = await run([0.1, 0.3]);
    expect(await run([0.3, 0.1])).toEqual(sorted);
    expect(
      new Set(
        sorted.linf.filter((distance) => distance !== null).map((distance) => Math.round(distance! * 1000)),
      ),
    ).toEqual(new Set([100, 300]));
  });

  it('tries no ε that is not in the list', async () => {
    const { linf } = await run([0.15]);
    const found = linf.filter((distance) => distance !== null);
    expect(found).toHaveLength(18);
    for (const distance of found) expect(distance).toBeCloseTo(0.15, 5);
  });
});

describe('hop-skip-jump', () => {
  it('fools a model that takes all noise for a bag, from images of other classes', async () => {
    const model = await loadOracleClassifier('fashion-mlp');
    const all = loadImages('fashion-mlp', firsts(100));
    const rows = firsts(100).filter((i) => all.labels[i] === 8 || i < 10);
    const images = Float32Array.from(
      rows.flatMap((row) => [...all.images.subarray(row * 784, (row + 1) * 784)]),
    );
    const labels = Int32Array.from(rows, (row) => all.labels[row]!);
    const attack = { attack: 'hop-skip-jump-l2', steps: 4 } as const;
    const { summary, records } = await evaluateAttack({ model, images, labels, attack });
    expect(labels.filter((label) => label === 8).length).toBeGreaterThan(5);
    expect(summary.successes).toBe(summary.attempted);
    expect(records.l2.every((distance) => distance === null || distance < 12)).toBe(true);
  });

  it('starts from coarse patterns where the evaluation has no other class', async () => {
    const model = await loadOracleClassifier('fashion-mlp');
    const all = loadImages('fashion-mlp', firsts(100));
    const rows = firsts(100).filter((i) => all.labels[i] === 8);
    const images = Float32Array.from(
      rows.flatMap((row) => [...all.images.subarray(row * 784, (row + 1) * 784)]),
    );
    const labels = rows.map(() => 8);
    const attack = { attack: 'hop-skip-jump-l2', steps: 2 } as const;
    const { summary } = await evaluateAttack({ model, images, labels, attack });
    expect(summary.successes).toBe(summary.attempted);
  });
});
