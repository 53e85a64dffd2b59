import { type AttackInput, type PlannedStage, SweepDefinition, type SweepInput } from '@funnel/contracts';
import { describe, expect, it } from 'vitest';
import { buildPlan, outlineSweep } from '../src/index.ts';

const outline = (input: Partial<SweepInput>) =>
  outlineSweep(
    SweepDefinition.parse({
      name: 'test',
      dataset: { name: 'glyphs' },
      attacks: ['transfer-linf'],
      ...input,
    }),
    'test-1',
  );
const plan = (input: Partial<SweepInput>) => buildPlan(outline(input), new Map());
const gammas = (n: number) => ({ gamma: Array.from({ length: n }, (_, i) => i + 1) });

/** For each trial, the trials (by number) that give the surrogates of its last attack. */
const surrogateTrials = (input: Partial<SweepInput>): number[][] => {
  const { trials, stages } = plan(input);
  const byId = new Map(stages.map((stage) => [stage.id, stage]));
  const classifier = (ids: readonly string[]) => ids.findLast((id) => byId.get(id)!.kind === 'classify')!;
  const owner = new Map(trials.map((trial) => [classifier(trial.stages), trial.number]));
  return trials.map((trial) =>
    byId
      .get(trial.stages.at(-1)!)!
      .surrogates.map((id) => owner.get(id)!)
      .sort((a, b) => a - b),
  );
};

describe('the surrogates of a transfer attack', () => {
  it('are the first other classifiers of the sweep, and the same ones for all later trials', () => {
    expect(surrogateTrials({ space: gammas(6) })).toEqual([
      [1, 2, 3],
      [0, 2, 3],
      [0, 1, 3],
      [0, 1, 2],
      [0, 1, 2],
      [0, 1, 2],
    ]);
    const two: AttackInput = { attack: 'transfer-l2', surrogates: 2 };
    expect(surrogateTrials({ seeds: 4, attacks: [two] })).toEqual([[1, 2], [0, 2], [0, 1], [0, 1]]); // biome-ignore format: pairs
  });

  it('are all other classifiers if the sweep has fewer of them than the attack asks for', () => {
    expect(surrogateTrials({ space: gammas(2) })).toEqual([[1], [0]]);
  });

  it('grow linearly with the trials', () => {
    const edges = plan({ space: gammas(200) }).stages.reduce(
      (sum, stage) => sum + stage.surrogates.length,
      0,
    );
    expect(edges).toBe(600);
  });

  it('may come from other recipes', () => {
    expect(surrogateTrials({ recipes: ['classic', 'funn'] })).toEqual([[1], [0]]);
  });

  it('are classifiers of the plan, but never the attacked one', () => {
    const { stages } = plan({ space: gammas(5), attacks: ['fgsm', 'transfer-linf', 'transfer-l2'] });
    const kinds = new Map(stages.map((stage) => [stage.id, stage.kind]));
    for (const stage of stages) {
      expect(stage.surrogates.every((id) => kinds.get(id) === 'classify' && id !== stage.parent)).toBe(true);
      expect(stage.surrogates).toEqual([...stage.surrogates].sort());
      expect(stage.surrogates.length).toBe(stage.attack?.attack.startsWith('transfer') ? 3 : 0);
    }
  });

  it('do not change the counts of the plan', () => {
    const { plan: counts } = plan({ space: gammas(4), attacks: ['fgsm', 'transfer-linf'] });
    expect(counts).toMatchObject({ trials: 4, stages: { attack: { total: 8, cached: 0 } } });
    expect(counts.epochs).toEqual(plan({ space: gammas(4), attacks: ['fgsm'] }).plan.epochs);
  });
});

describe('identity', () => {
  const attackIds = (input: Partial<SweepInput>): string[] =>
    outline(input)
      .stages.filter((stage: Pick<PlannedStage, 'kind'>) => stage.kind === 'attack')
      .map((stage) => stage.id);

  it('of a transfer attack depends on the first trials of the sweep; the identity of another attack does not', () => {
    const fgsm = (n: number) => attackIds({ space: gammas(n), attacks: ['fgsm'] });
    expect(fgsm(6)).toEqual(expect.arrayContaining(fgsm(4)));
    const [first] = attackIds({ space: gammas(4) });
    expect(attackIds({ space: gammas(6) })[0]).toBe(first); // the same first four
    expect(attackIds({ space: gammas(3) })).not.toContain(first);
  });

  it('does not depend on the order of the surrogates', () => {
    const [forwards, backwards] = [[1, 2, 3, 4], [4, 1, 3, 2]].map((gamma) => attackIds({ space: { gamma } })); // biome-ignore format: pairs
    expect(new Set(backwards)).toEqual(new Set(forwards));
  });
});

it.each<[string, Partial<SweepInput>, string]>([
  ['named', { attacks: ['fgsm', 'transfer-l2'] }, 'attacks'],
  ['in a preset', { attacks: { preset: 'full' } }, 'attacks.preset'],
  ['in a preset of a list', { attacks: ['preset:full'] }, 'attacks'],
])('a transfer attack on a sweep with one classifier is refused: %s', (_, input, path) => {
  expect(() => outline(input)).toThrow(
    expect.objectContaining({
      code: 'INVALID_REQUEST',
      details: {
        issues: [
          {
            path,
            expected: expect.stringMatching(/at least two classifiers, since transfer-l/),
            received: '1',
          },
        ],
      },
    }),
  );
});
