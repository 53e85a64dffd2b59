/**
 * Two models with known results test the checks of an evaluation. Adversarial training really helps, and the checks must not flag it.
 * Defensive distillation only seems to help, and the checks must flag it.
 */
import { diagnose, evaluateAttack } from '@funnel/attacks';
import { engineVersion, type RecipeName, SweepDefinition } from '@funnel/contracts';
import { gatherImages, loadClassifier, loadDataset, openBackend, runStage } from '@funnel/engine';
import { outlineSweep } from '@funnel/planner';
import { beforeAll, expect, it } from 'vitest';

const attacked = 60;
const dataset = { name: 'glyphs', train: 2000, test: 100, attack: attacked } as const;
const budgets = { linf: 0.1, l2: 1 };
const pgd = { attack: 'pgd-linf', epsilon: budgets.linf } as const;

type Classifier = ReturnType<typeof loadClassifier>;

/** Trains all stages of a recipe, as a sweep does. */
const train = async (recipe: RecipeName, space: Record<string, number | string>): Promise<Classifier> => {
  const sizes = { filters: '8-16', latent: 32, batchSize: 32, classifierUnits: 32 };
  const definition = {
    name: recipe,
    recipes: [recipe],
    dataset,
    space: { ...sizes, ...space },
    attacks: ['fgsm'],
  };
  const { stages } = outlineSweep(SweepDefinition.parse(definition), engineVersion);
  const states: Parameters<typeof loadClassifier>[0][] = [];
  for (const spec of stages.filter(({ kind }) => kind !== 'attack')) {
    const before = states.at(-1);
    const ended = await runStage(
      { spec, start: before ? { ...before, sameChain: false } : null },
      {
        dataset: await loadDataset(spec.dataset),
        signal: new AbortController().signal,
        onCheckpoint: async ({ manifest, blobs }) => {
          states.push({ manifest, blobs: new Map([...(states.at(-1)?.blobs ?? []), ...blobs]) });
        },
      },
    );
    expect(ended).toEqual({ status: 'completed' });
  }
  return loadClassifier(states.at(-1)!);
};

/** The classifier, and the images to attack. */
const given = async (classifier: Classifier) => {
  const test = await (await loadDataset(dataset)).test();
  const rows = Array.from({ length: attacked }, (_, row) => row);
  const model = { ...classifier, bounds: [0, 1] as const };
  return { model, images: gatherImages(test, rows), labels: test.labels.subarray(0, attacked) };
};

beforeAll(async () => void (await openBackend('wasm')));

const supervised = { classifierRate: 3e-3, classifierEpochs: 8 };

it('adversarial training withstands PGD much better than an undefended network, and is not flagged', async () => {
  const robustness = async (trainingEpsilon: number) => {
    const classifier = await train('adversarial-training', {
      ...supervised,
      trainingEpsilon,
      warmupEpochs: 4,
      trainingSteps: 5,
    });
    const options = await given(classifier);
    const { summary } = await evaluateAttack({ ...options, attack: pgd });
    return { classifier, options, summary };
  };
  const [plain, hardened] = [await robustness(0), await robustness(budgets.linf)];
  expect(plain.summary.cleanAccuracy).toBeGreaterThan(0.8);
  expect(hardened.summary.cleanAccuracy).toBeGreaterThan(0.8);
  expect(hardened.summary.robustAccuracy).toBeGreaterThan(plain.summary.robustAccuracy! + 0.3);
  const report = await diagnose({ ...hardened.options, budgets, limit: 30 });
  expect(report.checks.filter(({ verdict }) => verdict !== 'ok')).toEqual([]);
  expect(report.verdict).toBe('ok');
  for (const { classifier } of [plain, hardened]) classifier.dispose();
}, 120_000);

it('distillation withstands PGD on the cross-entropy, is fooled by PGD on the margin, and is flagged', async () => {
  const classifier = await train('distillation', { ...supervised, initialiseEpochs: 8, temperature: 100 });
  const options = await given(classifier);
  const [onCrossEntropy, onMargin] = [
    await evaluateAttack({ ...options, attack: pgd }),
    await evaluateAttack({ ...options, attack: { ...pgd, loss: 'margin' } }),
  ];
  expect(onCrossEntropy.summary.cleanAccuracy).toBeGreaterThan(0.8);
  expect(onCrossEntropy.summary.robustAccuracy).toBeGreaterThan(onMargin.summary.robustAccuracy! + 0.2);
  const report = await diagnose({ ...options, budgets, limit: 30 });
  expect(report.verdict).toBe('masked');
  expect(report.checks.find(({ id }) => id === 'H10')).toMatchObject({ verdict: 'masked' });
  classifier.dispose();
}, 120_000);
