/** Which versions made a stage, found out from its identity. */
import { attackSpec, engineVersion, type StageSpec, SweepDefinition } from '@funnel/contracts';
import { expect, it } from 'vitest';
import { chainId, presentVersions, stageId, type Versions } from '../src/identity.ts';
import { outlineSweep } from '../src/outline.ts';
import { idsOfVersions, versionChanges } from '../src/versions.ts';

const { stages } = outlineSweep(
  SweepDefinition.parse({
    name: 'all kinds',
    dataset: { name: 'glyphs', train: 100, test: 20, attack: 20 },
    space: {},
    attacks: ['fgsm', 'cw-l2'],
  }),
  engineVersion,
);

/** The stage with the identity that these versions gave it. */
const madeWith = (stage: StageSpec, versions: Partial<Versions>, engine = engineVersion): StageSpec => {
  const chain = chainId(stage, { ...presentVersions(stage, engine), ...versions });
  return { ...stage, chain, id: stageId(chain, stage.epochs) };
};

const stageOf = (kind: string, attack?: string): StageSpec =>
  stages.find((stage) => stage.kind === kind && (!attack || stage.attack?.attack === attack))!;

it('the present version made every stage of a new sweep', () => {
  expect(stages.map(({ kind }) => kind)).toEqual(['initialise', 'optimise', 'classify', 'attack', 'attack']);
  expect(stages.flatMap((stage) => versionChanges(stage, engineVersion))).toEqual([]);
});

it('an earlier engine made a stage', () => {
  const old = madeWith(stageOf('classify'), { engine: '2' }, '3');
  expect(versionChanges(old, '3')).toEqual([
    { kind: 'classify', method: 'funn', part: 'engine', made: '2', now: '3' },
  ]);
});

it('an earlier version of an attack and of its checks made a stage', () => {
  const stage = stageOf('attack', 'cw-l2');
  const now = presentVersions(stage, engineVersion);
  const old = madeWith(stage, { attack: 1, checks: 1 });
  const named = { kind: 'attack', method: 'cw-l2' };
  expect(versionChanges(old, engineVersion)).toEqual([
    { ...named, part: 'attack', made: '1', now: String(now.attack) },
    { ...named, part: 'checks', made: '1', now: '2' },
  ]);
});

it('version 0.1.0 checked an evaluation of four images otherwise', () => {
  const stage: StageSpec = {
    kind: 'attack',
    recipe: 'funn',
    hyperparameters: {},
    seed: 7,
    dataset: { name: 'glyphs', train: 1, test: 100, attack: 4 },
    epochs: 0,
    parent: null,
    attack: attackSpec('fgsm'),
    surrogates: [],
    // As version 0.1.0 computed it.
    chain: '8e602a718088636fa0628cf130b0d3bd33dc22ddcbd9899a93d8f402ad7b2fa4',
    id: '',
  };
  expect(versionChanges(stage, '1')).toEqual([
    { kind: 'attack', method: 'fgsm', part: 'checks', made: '2', now: '3' },
  ]);
});

it('only checks at another ε than the usual one have a version of their own', () => {
  const checksOf = (attack: Parameters<typeof attackSpec>[0], name = 'glyphs', attacked = 20) =>
    presentVersions(
      {
        recipe: 'funn',
        attack: attackSpec(attack),
        dataset: { name, train: 1, test: attacked, attack: attacked },
      },
      '1',
    ).checks;
  const pgd = (epsilon: number) => ({ attack: 'pgd-linf', epsilon }) as const;
  expect([checksOf(pgd(0.3)), checksOf(pgd(0.1)), checksOf(pgd(0.1), 'fashion-mnist')]).toEqual([2, 4, 2]);
  expect([checksOf(pgd(0.3), 'glyphs', 4), checksOf(pgd(0.1), 'glyphs', 4)]).toEqual([3, 4]);
  // Another norm, a search without a fixed ε, and an ε at which nothing falls.
  expect([checksOf({ attack: 'pgd-l2', epsilon: 1 }), checksOf('fgsm'), checksOf(pgd(0.005))]).toEqual([
    2, 2, 2,
  ]);
});

it('an older version checked an evaluation at ε = 0.1 at the usual ε', () => {
  const stage: StageSpec = {
    ...stageOf('attack', 'fgsm'),
    attack: attackSpec({ attack: 'pgd-linf', epsilon: 0.1 }),
  };
  expect(versionChanges(madeWith(stage, { checks: 2 }), engineVersion)).toEqual([
    { kind: 'attack', method: 'pgd-linf', part: 'checks', made: '2', now: '4' },
  ]);
  expect(madeWith(stage, { checks: 2 }).id).not.toBe(madeWith(stage, {}).id);
});

it('no known version made a stage', () => {
  const unknown = { kind: 'initialise', method: 'funn', part: 'unknown', made: null, now: null };
  expect(versionChanges({ ...stageOf('initialise'), chain: 'f'.repeat(64) }, '1')).toEqual([unknown]);
  // A newer engine, or one whose version is no number.
  expect(versionChanges(madeWith(stageOf('initialise'), { engine: '3' }), '2')).toEqual([unknown]);
  expect(versionChanges(madeWith(stageOf('initialise'), { engine: '1' }), 'test')).toEqual([unknown]);
});

it('lists the identities of all versions, newest first', () => {
  const stage = madeWith(stageOf('classify'), {}, '3');
  const ids = idsOfVersions(stage, '3');
  expect(ids.map(({ id }) => id)).toEqual([
    stage.id,
    madeWith(stage, { engine: '2' }).id,
    madeWith(stage, { engine: '1' }).id,
  ]);
  expect(ids.map(({ changes }) => changes.map(({ made }) => made))).toEqual([[], ['2'], ['1']]);
});
