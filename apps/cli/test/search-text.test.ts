/** A search in words: its plan, its state, its decisions, and a leaderboard with rungs. */
import type { LeaderboardRow } from '@funnel/contracts';
import { describe, expect, it } from 'vitest';
import { describeLeaderboard } from '../src/output/leaderboard.ts';
import {
  bestText,
  decisionRows,
  describeDecision,
  describeDecisions,
  describePlannedSearch,
  describeSearch,
} from '../src/output/search.ts';
import { describeSweeps, searchText } from '../src/output/sweeps.ts';
import { progressLines } from '../src/watch.ts';
import { decisions, progress, state, sweep, sweepId, two } from './search-fixtures.ts';

const lines = (text: string): readonly string[] =>
  text.split('\n').map((line) => line.replace(/ {2,}/g, ' | '));

describe('a search in words', () => {
  it('before it runs: rungs, epochs at most, the saving, and notes', () => {
    expect(lines(describePlannedSearch(sweep.plan.search, 38).join('\n'))).toEqual([
      'A search of 27 configurations: at most 39 decisions and 38 trials',
      '',
      'rung | epochs | units',
      ' | 0 | 1 | 27',
      ' | 1 | 3 | 9',
      '',
      'At most 45 epochs to train; 81 if every configuration trained as long as at the highest rung (1.8×).',
      'The last bracket is cut short, so it promotes nothing.',
      'The points will follow from results. The numbers below hold for random points.',
    ]);
    const plain = { ...sweep.plan.search, rungs: [], epochsWithoutPromotion: null, notes: [] };
    expect(describePlannedSearch(plain, 27)[2]).toBe('At most 45 epochs to train.');
  });

  it('while it runs, and why it ended', () => {
    expect(searchText(progress)).toBe('3 of 27 configurations; at most 24 trials to come');
    const ended = { ...progress, trialsToCome: 0 };
    expect(searchText({ ...ended, ended: 'exhausted' })).toBe(
      '3 of 27 configurations; it decides no more: its space has no new point',
    );
    expect(searchText({ ...ended, ended: 'stopped' })).toMatch(/a rule of `stop` holds$/);
    expect(searchText({ ...ended, proposed: 27, ended: 'trials' })).toMatch(
      /it has all of its configurations$/,
    );
    const other = { ...sweep, search: undefined };
    const [titles, searched, plain] = lines(describeSweeps([sweep, other] as never));
    expect(titles).toBe('sweep | status | progress | search | trials | created | name');
    expect(searched).toMatch(/ \| 3 of 27 \| 1 completed \| /);
    expect(plain).toMatch(/10\.0 % \| 1 completed \| /);
    expect(describeSweeps([other] as never)).not.toContain('search ');
  });

  it('the best so far, or the Pareto front with its hypervolume', () => {
    expect(bestText(state())).toBe('decision 3, robust accuracy (pgd-linf) 43.1 %');
    expect(bestText(state({ best: null }))).toBeNull();
    const sure = { interval: [0.338, 0.529] as [number, number], images: 200, seeds: 2 };
    expect(
      bestText(state({ best: { decision: 3, values: [0.4312], evidence: [sure], verdict: 'suspect' } })),
    ).toBe('decision 3, robust accuracy (pgd-linf) 43.1 % (33.8–52.9); 200 images; suspect');
    const [first, second] = two.front!;
    const surer = { interval: [1.21, 'Infinity'] as [number, 'Infinity'], images: 24, seeds: 1 };
    const front = [
      { ...first!, evidence: [sure, surer], verdict: 'ok' as const },
      { ...second!, evidence: [sure, { ...surer, interval: null }], verdict: 'masked' as const },
    ];
    expect(lines(describeSearch(state({ ...two, front, rungs: [] })).join('\n')).slice(1, 4)).toEqual([
      ' | decision | clean accuracy | median L2 (deepfool-l2) | images | verdict',
      ' | 1 | 97.0 % (33.8–52.9) | 1.5 (1.21–∞) | 200, 24',
      ' | 2 | 90.0 % (33.8–52.9) | ∞ | 200, 24 | masked',
    ]);
    expect(
      describeSearch(
        state({
          waitingPoints: [
            { gamma: 3, beta: 0.05 },
            { gamma: 4, beta: 0.05 },
          ],
        }),
      ),
    ).toEqual([
      'best      decision 3, robust accuracy (pgd-linf) 43.1 %',
      'rungs     1 epoch 2/3 · 3 epochs 1/1 units ended',
      'try next  gamma=3 beta=0.05',
      '          gamma=4 beta=0.05',
      `→ \`npx funnel decisions ${sweepId}\` lists its decisions.`,
    ]);
    expect(lines(describeSearch(state({ ...two, rungs: [], earlier: 12 })).join('\n'))).toEqual([
      'best | 2 units on the Pareto front, hypervolume 0.75',
      ' | decision | clean accuracy | median L2 (deepfool-l2)',
      ' | 1 | 97.0 % | 1.5',
      ' | 2 | 90.0 % | ∞',
      'earlier | 12 outcomes of the sweeps that it learns from',
      `→ \`npx funnel decisions ${sweepId}\` lists its decisions.`,
    ]);
    const many = Array.from({ length: 12 }, (_, i) => ({ decision: i, values: [0.5, 1] }));
    expect(describeSearch(state({ ...two, front: many })).join('\n')).toMatch(/\n {2}… and 2 more\n/);
  });

  it('its decisions: point, rung, outcome, and why', () => {
    expect(lines(describeDecisions(state(), decisions))).toEqual([
      '# | source | configuration | rung | epochs | gamma | beta | outcome | robust accuracy (pgd-linf) | why',
      '0 | start | 0 | 0 | 1 | 5 | 0.01235 | measured | 40.0 % | One of the first points. 1st of 2 at rung 0; the best 1 went on.',
      '1 | start | 1 | 0 | 1 | 1 | 0.1 | bad | – | Bad: the trial diverged.',
      '2 | hand | 2 | 0 | 1 | 2 | 0.02 | pending | –',
      '3 | promotion | 0 | 1 | 3 | 5 | 0.01235 | measured | 43.1 %',
      '4 | empty | – | – | – | – | – | – | – | The place stays empty.',
    ]);
    expect(lines(describeDecisions(state({ rungs: [] }), decisions))[0]).toBe(
      '# | source | gamma | beta | outcome | robust accuracy (pgd-linf) | why',
    );
    expect(describeDecision(decisions[0]!)).toBe(
      'decision 0 at rung 0 (1 epoch). One of the first points. 1st of 2 at rung 0; the best 1 went on.',
    );
    expect(describeDecision({ ...decisions[1]!, epochs: null, note: 'TPE proposed it.' })).toBe(
      'decision 1. Bad: the trial diverged. TPE proposed it.',
    );
  });

  it('the same decisions in rows with all digits, and without times and ids', () => {
    expect(decisionRows(state(), decisions)[0]).toEqual({
      decision: 0,
      source: 'start',
      configuration: 0,
      rung: 0,
      epochs: 1,
      latent: 32,
      gamma: 5,
      beta: 0.012345678,
      outcome: 'measured',
      'pgd-linf robustAccuracy': 0.4,
      reason: null,
      promoted: true,
      note: 'One of the first points. 1st of 2 at rung 0; the best 1 went on.',
    });
  });

  it.each([40, 80, 140])('fits %i columns below the progress of its sweep', (columns) => {
    const shown = progressLines(sweep as never, [], columns, state(two));
    expect(
      shown.filter((line) => /^ {2}(best so far: 2 units|ended at each rung: 1 epoch 2\/3)/.test(line)),
    ).toHaveLength(2);
    for (const line of shown.slice(-2)) expect([...line].length).toBeLessThan(columns);
    expect(progressLines(sweep as never, [], columns, null).join('\n')).not.toContain('best so far');
  });
});

describe('a leaderboard with rungs', () => {
  const row = (rank: number, rung: number, value: number): LeaderboardRow => ({
    rank,
    trialId: `t${rung}${rank}`,
    sweepId,
    recipe: 'funn',
    dataset: 'glyphs',
    rung,
    seeds: [0, 1],
    hyperparameters: {},
    attack: 'fgsm',
    settings: {},
    metric: 'robustAccuracy',
    value,
    halfWidth: null,
    interval: null,
    counts: { images: 10, correct: 9, fooled: 0 },
    cleanInterval: null,
    cleanAccuracy: 0.9,
    verdict: 'ok',
    reasons: [],
  });

  it('ranks within each rung, and a shared rank is one of the same rung', () => {
    const rows = [row(1, 2, 0.5), row(2, 2, 0.4), row(1, 1, 0.6), row(1, 1, 0.6)];
    const [, , sentence, , titles, ...shown] = lines(describeLeaderboard(rows, { attack: 'fgsm' }));
    expect(sentence).toMatch(/^Each configuration stands at its highest rung/);
    expect(titles).toMatch(/\| recipe \| rung \| seed \|/);
    expect(shown.map((line) => /^(?: \| )?\s*(\S+)/.exec(line)![1])).toEqual(['1', '2', '1=', '1=']);
  });

  it('ranks all rungs together on demand', () => {
    const rows = [row(1, 1, 0.6), row(2, 2, 0.5), row(2, 1, 0.5)];
    const [, counts, sentence, , , ...shown] = lines(
      describeLeaderboard(rows, { attack: 'fgsm', rungs: 'all' }),
    );
    expect(counts).toBe('Counts are of 5 images × 2 seeds.');
    expect(sentence).toBe('The rungs differ: a run at a lower rung trained for fewer epochs.');
    expect(shown.map((line) => /^(?: \| )?\s*(\S+)/.exec(line)![1])).toEqual(['1', '2=', '2=']);
  });
});
