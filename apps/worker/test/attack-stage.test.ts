/** An attack stage on a small trained classifier: how it reads images, what it keeps of them, and when it has no checks. */
import { engineVersion, type StageSpec, SweepDefinition } from '@funnel/contracts';
import { loadDataset, memorySplit, type Split } from '@funnel/engine';
import { outlineSweep } from '@funnel/planner';
import { beforeAll, describe, expect, it } from 'vitest';
import { createAttackStage, createDiagnosis } from '../src/attack-stage.ts';
import { createGallery } from '../src/gallery.ts';
import type { StageHooks, StageStart } from '../src/messages.ts';
import { createStageRunner } from '../src/run-stage.ts';

const attacked = 300;
const sweep = SweepDefinition.parse({
  name: 'small',
  recipes: ['classic'],
  dataset: { name: 'glyphs', train: 300, test: attacked, attack: attacked },
  space: { filters: '8', latent: 16, initialiseEpochs: 1, optimiseEpochs: 1, classifierEpochs: 4 },
  attacks: [{ attack: 'fgsm', search: false, epsilon: 0.05 }],
});

const hooks: Omit<StageHooks, 'onCheckpoint'> = {
  signal: new AbortController().signal,
  onProgress: () => {},
};

let spec: StageSpec;
let start: StageStart;
let test: Split;

beforeAll(async () => {
  const { run } = await createStageRunner({ folders: {}, backend: 'wasm', simulation: null });
  let last = null as Omit<StageStart, 'sameChain'> | null; // assigned in a callback, which the compiler does not follow
  for (const stage of outlineSweep(sweep, engineVersion).stages) {
    spec = stage;
    if (stage.kind === 'attack') break;
    const before = last;
    const ended = await run(
      { spec: stage, start: before && { ...before, sameChain: false }, surrogates: [] },
      {
        ...hooks,
        onCheckpoint: async ({ manifest, blobs }) => {
          last = { manifest, blobs: new Map([...(last?.blobs ?? []), ...blobs]) };
        },
      },
    );
    expect(ended.status).toMatch(/completed|collapsed/);
  }
  start = { ...last!, sameChain: false };
  test = await (await loadDataset(spec.dataset)).test();
}, 120_000);

/** Attacks these images. */
const attack = async (split: Split) => {
  const load = async () => ({ spec: spec.dataset, train: async () => split, test: async () => split });
  const ended = await createAttackStage()(
    { spec, start, surrogates: [] },
    { ...hooks, onCheckpoint: async () => {} },
    load,
  );
  if (ended.status !== 'completed') throw new Error(ended.status);
  return ended.evaluation!;
};

const withLabels = (labels: ArrayLike<number>): Split =>
  memorySplit(test.shape, test.read(Array.from(labels, (_, i) => i)), labels);

describe('an attack stage', () => {
  it('never has more images in memory than one batch, and keeps 24 pictures', async () => {
    let most = 0;
    const counting: Split = {
      ...test,
      read: (indices) => {
        most = Math.max(most, indices.length);
        return test.read(indices);
      },
    };
    const { records, gallery } = await attack(counting);
    expect(records.index).toHaveLength(attacked);
    expect(most).toBe(128);
    expect(gallery.index).toHaveLength(24);
    expect(gallery.original).toEqual(test.read(gallery.index));
    for (const [place, image] of gallery.index.entries()) {
      const part = (bytes: Uint8Array) => bytes.slice(place * 784, (place + 1) * 784);
      const isChanged = String(part(gallery.attacked)) !== String(part(gallery.original));
      expect(isChanged).toBe(records.success[image]);
    }
  }, 60_000);

  it('has no checks where the classifier gets every image wrong, and else a report', async () => {
    const { records, diagnostics } = await attack(test);
    expect(records.correct).toContain(true);
    expect(diagnostics.length).toBeGreaterThan(10);
    // The checks attack at the ε of this attack, not at the usual 0.3.
    expect(diagnostics.find(({ id }) => id === 'H1')?.detail).toContain('L∞ 0.05');
    const wrong = await attack(withLabels(records.predicted.map((k) => (k + 1) % 10)));
    expect(wrong.records.correct).not.toContain(true);
    expect(wrong).toMatchObject({ verdict: 'ok', diagnostics: [] });
  }, 60_000);

  it('fails where the checks refuse their input: this is no report without findings', async () => {
    const model = {
      logits: () => {
        throw new Error('no check may run');
      },
      shape: [2],
      classes: 2,
      bounds: [0, 1] as const,
    };
    const options = { model, images: new Float32Array([0, 3]), labels: [0] };
    await expect(createDiagnosis()({ keys: { model: 'a', surrogates: 'b' }, options })).rejects.toMatchObject(
      { code: 'ATTACK_INPUT', message: expect.stringContaining('got 3 in image 0') },
    );
  });
});

describe('the pictures of an evaluation', () => {
  const size = 4;
  const split = memorySplit(
    [2, 2, 1],
    Uint8Array.from({ length: 60 * size }, (_, i) => i),
    new Array(60).fill(0),
  );
  const records = (fooled: readonly number[]) => {
    const index = Array.from({ length: 60 }, (_, i) => i);
    const none = index.map(() => null);
    return {
      index,
      success: index.map((i) => fooled.includes(i)),
      ...{ label: index, predicted: index, steps: index, queries: index },
      ...{ correct: index.map(() => true), l2: none, linf: none, l0: none },
    };
  };

  it('are those of the first fooled images, in whatever order they come', () => {
    const fooled = Array.from({ length: 30 }, (_, i) => 2 * i);
    const { add, pictures } = createGallery();
    for (const image of fooled.toReversed()) add(image, new Float32Array(size).fill(1));
    const { index, attacked: after } = pictures(records(fooled), split);
    expect(index).toEqual(fooled.slice(0, 24));
    expect(after).toEqual(new Uint8Array(24 * size).fill(255));
  });

  it('are then those of the first others, which stay as they are', () => {
    const { add, pictures } = createGallery();
    add(40, new Float32Array(size).fill(0.5));
    const { index, original, attacked: after } = pictures(records([40]), split);
    expect(index).toEqual([...Array.from({ length: 23 }, (_, i) => i), 40]);
    expect(after.subarray(0, 23 * size)).toEqual(original.subarray(0, 23 * size));
    expect(after.subarray(23 * size)).toEqual(new Uint8Array(size).fill(128));
    expect(original).toEqual(split.read(index));
  });
});
