import {
  type Known,
  type KnownChain,
  type PlannedStage,
  SweepDefinition,
  type SweepInput,
} from '@funnel/contracts';
import { describe, expect, it } from 'vitest';
import { buildPlan, countPlan, outlineSweep, stageId } from '../src/index.ts';
import { type Task, tasksOf } from '../src/seconds.ts';

const outline = (input: Partial<SweepInput>, engineVersion = 'test-1') =>
  outlineSweep(
    SweepDefinition.parse({ name: 'test', dataset: { name: 'glyphs' }, attacks: ['fgsm'], ...input }),
    engineVersion,
  );
const plan = (input: Partial<SweepInput>, known: Known = new Map()) => buildPlan(outline(input), known);
const ofKind = (stages: readonly PlannedStage[], kind: string) =>
  stages.filter((stage) => stage.kind === kind);
/** The images of all tasks of each kind and method. */
const imagesOf = (tasks: readonly Task[]): Readonly<Record<string, number>> => {
  const sums: Record<string, number> = {};
  for (const { kind, method, images } of tasks)
    sums[`${kind} ${method}`] = (sums[`${kind} ${method}`] ?? 0) + images;
  return sums;
};
const chain = (known: Partial<KnownChain>): KnownChain => ({
  recorded: [],
  continuable: [],
  stages: [],
  pending: [],
  ...known,
});

describe('sharing within a sweep', () => {
  it('trains one initialisation for trials that differ only in γ, β or the rates of optimise', () => {
    const { stages } = plan({
      space: { gamma: [1, 3, 5], beta: [0.01, 0.02], optimiseAttackerRate: [1e-5, 1e-4] },
    });
    expect(ofKind(stages, 'initialise')).toHaveLength(1);
    expect(ofKind(stages, 'optimise')).toHaveLength(12);
    expect(new Set(ofKind(stages, 'optimise').map((s) => s.dependsOn))).toEqual(
      new Set([ofKind(stages, 'initialise')[0]?.id]),
    );
  });

  it('trains a short run as a part of the longer one', () => {
    const { stages, plan: counts } = plan({ space: { optimiseEpochs: [31, 11, 21] } });
    const optimise = ofKind(stages, 'optimise');
    expect(optimise.map((s) => [s.epochs, s.startEpoch])).toEqual([[11, 0], [21, 11], [31, 21]]); // biome-ignore format: pairs
    expect(optimise[1]?.dependsOn).toBe(optimise[0]?.id);
    expect(new Set(optimise.map((s) => s.chain)).size).toBe(1);
    // 3 × (9 + 20) + 11 + 21 + 31 alone; 9 + 31 + 3 × 20 shared
    expect(counts.epochs).toEqual({ unshared: 150, needed: 100, cached: 0 });
  });

  it('counts the epochs of a large sweep: 3 γ × 3 β × 3 rates × epochs {11, 21, 31} × 3 seeds', () => {
    const { plan: counts } = plan({
      space: {
        gamma: [1, 3, 5],
        beta: [0.005, 0.01, 0.02],
        optimiseDefenderRate: [1e-5, 3e-5, 1e-4],
        optimiseEpochs: [11, 21, 31],
      },
      seeds: 3,
    });
    // initialise: 3 seeds × 9; optimise: 3 × 27 chains × 31; classify: 243 × 20
    expect(counts).toMatchObject({
      trials: 243,
      epochs: { needed: 27 + 2511 + 4860, unshared: 243 * 29 + 81 * 63, cached: 0 },
    });
  });

  it('runs all attacks on one classifier', () => {
    const { stages } = plan({ attacks: ['fgsm', 'deepfool-l2'] });
    expect(ofKind(stages, 'attack').map((s) => s.dependsOn)).toEqual(
      Array(2).fill(ofKind(stages, 'classify')[0]?.id),
    );
  });
});

it('a preset with ε makes one stage for each of its attacks, all on the classifier and none on another attack', () => {
  const { stages } = plan({ attacks: [{ attack: 'preset:autoattack', epsilon: 0.1 }] });
  const attacks = ofKind(stages, 'attack');
  expect(attacks.map(({ attack }) => [attack!.attack, attack!.settings.epsilon])).toEqual([
    ['apgd-ce-linf', 0.1],
    ['apgd-t-linf', 0.1],
    ['fab-t-linf', 0.1],
    ['square-linf', 0.1],
  ]);
  expect(attacks.map((stage) => stage.dependsOn)).toEqual(Array(4).fill(ofKind(stages, 'classify')[0]?.id));
  const separate = plan({
    attacks: (['apgd-ce-linf', 'apgd-t-linf', 'fab-t-linf', 'square-linf'] as const).map(
      (attack) => ({ attack, epsilon: 0.1 }) as { attack: 'apgd-ce-linf'; epsilon: number },
    ),
  });
  expect(separate.stages.map(({ id }) => id)).toEqual(stages.map(({ id }) => id));
});

it('the numbers of a plan need the attacks on those classifiers only that the database has', () => {
  const all = outline({ space: { gamma: [1, 2, 3] }, attacks: ['fgsm', 'deepfool-l2', 'pgd-linf'] });
  const [classifier] = all.classifiers;
  const stored = [...all.training.slice(0, 3), all.attacksOn(classifier!)[1]!];
  const known: Known = new Map(stored.map((s) => [s.chain, chain({ stages: [s.epochs] })]));
  const { stages, plan: expected } = buildPlan(all, known);
  expect(expected.stages.attack).toEqual({ total: 9, cached: 1 });
  const { plan: counted, tasks } = countPlan(all, known, [classifier!]);
  expect(counted).toEqual(expected);
  expect(imagesOf(tasks)).toEqual(imagesOf(tasksOf(stages, () => 0)));
});

describe('identity', () => {
  const ids = (input: Partial<SweepInput>, version?: string) =>
    outline(input, version).stages.map((stage) => stage.id);
  const base = ids({});

  it('does not depend on names, on the order of keys, or on other trials of the sweep', () => {
    expect(ids({ name: 'other', priority: 3, space: { beta: 0.01, gamma: 5 } })).toEqual(base);
    expect(ids({ space: { gamma: [5, 1] } })).toEqual(expect.arrayContaining(base));
  });

  it.each<[string, Partial<SweepInput>, number]>([
    ['gamma changes all but initialise', { space: { gamma: 6 } }, 1],
    ['the classifier’s rate changes only classify and attack', { space: { classifierRate: 0.01 } }, 2],
    ['an attack’s setting changes only the attack', { attacks: [{ attack: 'fgsm', epsilon: 0.2 }] }, 3],
    ['the number of attacked images changes only the attack', { dataset: { name: 'glyphs', attack: 10 } }, 3],
    ['test images change classify and attack', { dataset: { name: 'glyphs', test: 2000 } }, 2],
    ['training images change everything', { dataset: { name: 'glyphs', train: 10 } }, 0],
    ['another data set changes everything', { dataset: { name: 'mnist' } }, 0],
    ['the seed changes everything', { seeds: [1] }, 0],
    ['an initialisation hyperparameter changes everything', { space: { latent: 32 } }, 0],
  ])('%s', (_, input, kept) => {
    expect(ids(input).filter((id) => base.includes(id))).toHaveLength(kept);
  });

  it('changes with the engine', () => expect(ids({}, 'test-2').some((id) => base.includes(id))).toBe(false));
});

describe('against a database', () => {
  const optimiseOf = (input: Partial<SweepInput>) =>
    outline(input).stages.find((s) => s.kind === 'optimise')!;
  const { chain: line } = optimiseOf({});
  const plannedStages = (epochs: number[], known: Partial<KnownChain>) =>
    ofKind(plan({ space: { optimiseEpochs: epochs } }, new Map([[line, chain(known)]])).stages, 'optimise');

  it('finds the whole sweep in the database', () => {
    const known: Known = new Map(
      outline({}).stages.map((s) => [s.chain, chain({ stages: [s.epochs], recorded: [s.epochs] })]),
    );
    const { stages, plan: counts } = plan({}, known);
    expect(stages.every((s) => s.cached)).toBe(true);
    expect(counts.epochs).toEqual({ unshared: 60, needed: 0, cached: 60 });
  });

  it('uses an epoch that a longer run recorded', () => {
    expect(plannedStages([11], { recorded: [1, 11, 31], stages: [31] })[0]).toMatchObject({
      passed: true,
      startEpoch: 11,
      dependsOn: null,
    });
  });

  it('waits for a longer run that is in progress', () => {
    expect(plannedStages([11], { stages: [31], pending: [31] })[0]).toMatchObject({
      passed: false,
      cached: false,
      startEpoch: 11,
      dependsOn: stageId(line, 31),
    });
  });

  it('continues from the longest checkpoint that has moments', () => {
    const [stage] = plannedStages([31], { recorded: [5, 11, 20], continuable: [5, 11], stages: [11] });
    expect(stage).toMatchObject({ startEpoch: 11, dependsOn: null });
  });

  it('continues a shorter run after its end when it is in progress', () => {
    expect(plannedStages([31], { stages: [11], pending: [11] })[0]).toMatchObject({
      startEpoch: 11,
      dependsOn: stageId(line, 11),
    });
  });

  it('counts epochs that it trains again because their checkpoint has no moments', () => {
    const known = new Map([[line, chain({ recorded: [20] })]]);
    const { plan: counts } = plan({ space: { optimiseEpochs: 31 } }, known);
    expect(counts.epochs.needed).toBe(60);
  });

  it('says which epochs and attacks other sweeps have planned and not done, and counts their images', () => {
    const others = [
      { id: 'b', name: 'P2', status: 'running' as const },
      { id: 'a', name: 'P1', status: 'paused' as const },
    ];
    const attack = outline({}).stages.find((s) => s.kind === 'attack')!;
    const classify = outline({}).stages.find((s) => s.kind === 'classify')!;
    const known: Known = new Map([
      [
        line,
        chain({
          stages: [11],
          pending: [11],
          recorded: [1, 4],
          continuable: [4],
          plannedBy: others,
          spans: [
            { sweep: 'b', from: 1, to: 11 },
            { sweep: 'old', from: 0, to: 1 },
          ],
        }),
      ],
      [
        classify.chain,
        chain({
          stages: [classify.epochs],
          recorded: [classify.epochs],
          spans: [{ sweep: 'a', from: 0, to: classify.epochs }],
        }),
      ],
      [attack.chain, chain({ stages: [0], pending: [0], plannedBy: others.slice(0, 1) })],
    ]);
    const all = outline({});
    const { plan: counts, tasks } = countPlan(all, known, all.classifiers);
    expect(counts.awaited).toEqual({
      epochs: 7,
      attacks: 1,
      sweeps: [others[1], others[0]],
      done: { epochs: 3 + classify.epochs, attacks: 0 },
    });
    expect(imagesOf(tasks)['optimise funn']).toBe((31 - 11 + 7) * all.training[0]!.dataset.train);
    expect(imagesOf(tasks)['attack fgsm']).toBe(attack.dataset.attack);
    expect(buildPlan(all, known).plan).toEqual(counts);
    expect(plan({}).plan.awaited).toBeUndefined();
  });

  it.each([
    ['a longer run that is before the end', { stages: [31], pending: [31], recorded: [5] }, 6],
    ['a longer run that has passed the end', { stages: [31], pending: [31], recorded: [5, 11, 20] }, 0],
    ['a run that diverged', { stages: [11], recorded: [5] }, 0],
  ])('awaits of %s only what is missing', (_, part, epochs) => {
    const { plan: counts } = plan({ space: { optimiseEpochs: 11 } }, new Map([[line, chain(part)]]));
    expect(counts.awaited?.epochs ?? 0).toBe(epochs);
  });

  it('plans every epoch of a chain exactly once, with any state of the database', () => {
    // Goes through the stages in order and counts the epochs that each trains: none twice, none missing.
    for (const known of [
      {},
      { recorded: [7], continuable: [7] },
      { stages: [11], pending: [11] },
      { recorded: [21], continuable: [] },
    ]) {
      const stages = plannedStages([11, 21, 31], known);
      const trained = stages
        .filter((s) => !s.cached && !s.passed)
        .flatMap((s) => Array.from({ length: s.epochs - s.startEpoch }, (_, i) => s.startEpoch + i + 1));
      expect(new Set(trained).size).toBe(trained.length);
      const start = Math.max(
        0,
        ...('continuable' in known ? (known.continuable ?? []) : []),
        ...('pending' in known ? (known.pending ?? []) : []),
      );
      expect([...trained].sort((a, b) => a - b)).toEqual(
        Array.from({ length: 31 - start }, (_, i) => start + i + 1),
      );
    }
  });
});
