/** The report of Table 2 on made-up sweeps: its numbers by hand, and sentences that depend on them. */
import { type Diagnostic, SweepDefinition } from '@funnel/contracts';
import { describe, expect, it } from 'vitest';
import { isShareOf } from '../src/printed.ts';
import type { TrialResult } from '../src/results.ts';
import { renderTable2 } from '../src/table2/report.ts';
import { made, passed } from './made.ts';

const sweepOf = (results: readonly TrialResult[], id = 'sweep') => ({
  sweep: {
    ...{ id, name: 'Made up', createdAt: '2026-01-01T00:00:00Z', epochsTrained: 27 },
    ...{ finishedAt: null, plan: {} },
    definition: SweepDefinition.parse({
      name: 'Made up',
      recipes: ['classic', 'funn'],
      dataset: { name: 'mnist', train: 6000, test: 1000, attack: 40 },
      space: { beta: [0.01, 0.05] },
      seeds: 2,
      attacks: ['preset:paper'],
    }),
  } as never, // as above
  results,
});

const render = (results: readonly TrialResult[]): string => renderTable2([sweepOf(results)]).text;

/** The cells of one attack in one configuration's table. */
const row = (text: string, configuration: string, attack: string): string[] => {
  const part = text.split(`### \`${configuration}\`\n`)[1]!;
  return part
    .split('\n')
    .find((line) => line.startsWith(`| ${attack}`))!
    .split('|')
    .map((cell) => cell.trim())
    .slice(1, -1);
};

const plain = [
  made({ number: 0, recipe: 'classic', seed: 0, successes: 38 }),
  made({ number: 1, recipe: 'classic', seed: 1, successes: 36 }),
];

describe('the report of Table 2', () => {
  it('reads sweeps of different seeds as one, and names each with its command', () => {
    const apart = renderTable2([sweepOf(plain.slice(0, 1), 'first'), sweepOf(plain.slice(1), 'second')]).text;
    expect(row(apart, 'classic', 'DeepFool L2, 50 steps')).toEqual(
      row(render(plain), 'classic', 'DeepFool L2, 50 steps'),
    );
    expect(apart.match(/Sweep “Made up” \((first|second)\)/g)).toHaveLength(2);
    expect(apart.match(/npx funnel submit examples\/table2.yaml/g)).toHaveLength(2);
  });

  it('leaves a row empty where a configuration has not met the attack', () => {
    const { trial, series } = made({ number: 0, recipe: 'magnet', seed: 0, successes: 3 });
    const evaluations = trial.evaluations.filter(
      ({ attack }) => attack === 'deepfool-linf' || attack === 'bim',
    );
    const magnet = sweepOf([{ trial: { ...trial, evaluations }, series }], 'second');
    const { text } = renderTable2([magnet, sweepOf(plain)]);
    expect(text.match(/^### `.+`$/gm)).toEqual(['### `classic`', '### `magnet`']); // the order of the printed columns
    expect(row(text, 'magnet', 'DeepFool L∞, 50 steps').slice(1, 6)).toEqual([
      ...['0.60 %', '7.5 %', '2.6 % … 19.9 %', 'no', '–'], // Wilson: 3 of 40
    ]);
    expect(row(text, 'magnet', 'FGSM 0.005 (fixed ε)').slice(1)).toEqual([
      '3.20 %',
      '–',
      '–',
      '',
      ...Array(4).fill('–'),
    ]);
    expect(row(text, 'classic', 'FGSM 0.005 (fixed ε)')[2]).toBe('92.5 % [60.7, 100.0]');
    expect(text).toContain('- `magnet`: one seed. ');
    expect(text).toContain('- `classic`: two seeds. ');
    expect(text).toContain(
      '**`magnet`**: 1 of 2 rows with a printed success rate agree (Iterative 0.005 (BIM, fixed ε))',
    );
  });

  it('says what one or two seeds cannot say', () => {
    expect(render(plain)).toContain('- Each configuration: two seeds. ');
    expect(render(plain.slice(0, 1))).toContain('- Each configuration: one seed. ');
    const third = made({ number: 2, recipe: 'classic', seed: 2, successes: 37 });
    expect(render([...plain, third])).not.toMatch(/: (one|two) seeds?\. /);
  });

  it('gives means over seeds with their intervals beside the printed numbers, and says whether they agree', () => {
    const text = render(plain);
    // 95 % and 90 %: mean 92.5, s = 3.54, t₁ = 12.706: ± 31.8, cut at 100.
    expect(row(text, 'classic', 'DeepFool L2, 50 steps')).toEqual([
      'DeepFool L2, 50 steps',
      '94.41 %',
      '92.5 % [60.7, 100.0]',
      '84.6 % … 96.5 %',
      'yes',
      '1.25',
      '1.5',
      '1.39 ± 0.476',
      '1.4',
    ]);
    expect(row(text, 'classic', 'Single Pixel')[4]).toBe('no');
    expect(text).toContain('saw 2.3 % of the paper’s images'); // 6000 · 9 of 60000 · 40
    expect(text).toContain('in 2.3 % of its updates'); // 47 · 9 of 469 · 40
    expect(text).toContain('--set \'space={"beta":[0.01,0.05]}\'');
  });

  it('says of a single seed that the intervals are of the images alone', () => {
    const one = render([
      plain[0]!,
      made({ number: 2, recipe: 'funn', seed: 0, hinge: [0, 0], successes: 39 }),
    ]);
    expect(one).toContain('Each configuration: one seed. ');
    expect(one).toContain(' printed noise levels are ours to two decimals');
    expect(one).not.toContain('every seed,');
    expect(render(plain)).not.toContain(': one seed. ');
  });

  it('repeats the recipes of the sweep, and says which epochs other sweeps have trained', () => {
    const { sweep, results } = sweepOf(plain);
    const idle = renderTable2([{ sweep: { ...(sweep as object), epochsTrained: 4 } as never, results }]).text;
    expect(idle).toContain('--set \'recipes=["classic","funn"]\'');
    expect(idle).toContain('18 epochs trained (14 of them by other sweeps with equal stages)');
    expect(render(plain)).toContain(' 27 epochs trained, ');
  });

  it('leaves out trials that did not complete and networks without an attacked image, and says so', () => {
    const text = render([
      ...plain,
      made({ number: 2, recipe: 'classic', seed: 2, status: 'failed', successes: 0 }),
      made({ number: 3, recipe: 'funn', seed: 0, hinge: [0, 0], successes: 0, attempted: 0, checks: [] }),
    ]);
    expect(text).toContain('| 2; seed 2 failed |');
    expect(row(text, 'funn', 'LocalSearch').slice(2, 4)).toEqual(['–', '–']);
    expect(text).toContain('not examined');
  });

  it('writes ∞ for the median where half of the images withstand', () => {
    const text = render([made({ number: 0, recipe: 'funn', seed: 0, hinge: [0], successes: 2 })]);
    expect(row(text, 'funn', 'DeepFool L2, 50 steps')[8]).toBe('∞');
  });

  it('says that the headline does not reproduce only where it does not', () => {
    const fooled = render([
      ...plain,
      made({ number: 2, recipe: 'funn', seed: 0, hinge: [0, 0], successes: 39 }),
    ]);
    expect(fooled).toContain('The headline does not reproduce with `funn`');
    expect(fooled).toContain('in 8.3 steps on average');
    const robust = render([
      ...plain,
      made({ number: 2, recipe: 'funn', seed: 0, hinge: [0, 0], successes: 0 }),
    ]);
    expect(robust).not.toContain('headline');
    expect(robust).toContain('clearly lower success of DeepFool L2, 50 steps');
    expect(fooled).toContain('smaller on some seeds and larger on others, × 1.00');
  });

  it('tells an active constraint from one that was never active, per configuration', () => {
    const text = render([
      ...plain,
      made({ number: 2, recipe: 'funn', seed: 0, hinge: [0, 0], successes: 39 }),
      made({ number: 3, recipe: 'funn', seed: 0, beta: 0.05, hinge: [0.5, 0.7], successes: 39 }),
    ]);
    expect(text).toContain('In `funn, β 0.01` the constraint was never active');
    expect(text).toContain('In `funn, β 0.05` the constraint was active on 60.0 % of the steps');
  });

  it('says that a constraint was hardly ever active when it was active on one step in a hundred', () => {
    const text = render([made({ number: 0, recipe: 'funn', seed: 0, hinge: [0.01, 0.01], successes: 39 })]);
    expect(text).toContain('hardly ever active**: on 1.0 % of the steps');
  });

  it('names the checks that failed', () => {
    const wrong: Diagnostic = { ...passed, id: 'H10', verdict: 'masked', detail: 'Zero on 40.0 %.' };
    const text = render([
      made({ number: 0, recipe: 'funn', seed: 0, hinge: [0], successes: 0, checks: [wrong] }),
    ]);
    expect(text).toContain(
      '`funn` is **masked**: gradient-is-zero (H10) on 1 of 1 seeds (“Zero on 40.0 %.”)',
    );
    expect(render(plain)).toContain('Every configuration passes all checks');
  });
});

it('knows whether a printed percentage is a share of a number of images', () => {
  expect([94.41, 0.41, 1.04, 44.41].every((percent) => isShareOf(percent, 966))).toBe(true);
  expect(isShareOf(9.17, 966)).toBe(false);
});
