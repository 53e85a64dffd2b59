/** A ranking names its metric, and says when this metric cannot rank the rows. */
import { type AttackName, type LeaderboardRow, type RankingNotes, SweepDefinition } from '@funnel/contracts';
import { describe, expect, it } from 'vitest';
import {
  type LeaderboardOptions,
  orByDistance,
  type Ranked,
  readRanked,
} from '../src/commands/leaderboard.ts';
import type { Context } from '../src/context.ts';
import { describeLeaderboard, distanceInstead, joinReasons } from '../src/output/leaderboard.ts';
import type { Output } from '../src/output/terminal.ts';

const row = (changes: Partial<LeaderboardRow>): LeaderboardRow => ({
  rank: 1,
  trialId: 'a-0',
  sweepId: 'a',
  recipe: 'classic',
  dataset: 'glyphs',
  seeds: [0, 1],
  hyperparameters: {},
  attack: 'deepfool-linf',
  settings: { steps: 50 },
  metric: 'robustAccuracy',
  value: 0,
  halfWidth: null,
  interval: null,
  counts: { images: 10, correct: 9, fooled: 0 },
  cleanInterval: null,
  cleanAccuracy: 0.9,
  verdict: 'ok',
  reasons: [],
  ...changes,
});
const fgsm = (epsilon: number, value: number): LeaderboardRow =>
  row({ attack: 'fgsm', settings: { search: false, epsilon, epsilons: 1000 }, value });

describe('a ranking in words', () => {
  it('names metric, attack, settings and direction', () => {
    const text = describeLeaderboard([fgsm(0.1, 0.4), { ...fgsm(0.1, 0.3), rank: 2 }], { attack: 'fgsm' });
    expect(text).toMatch(
      /^Ranked by robust accuracy under fgsm \(search=false epsilon=0\.1\); higher is better\.\nCounts are of 5 images × 2 seeds\.\n\n#/,
    );
    const within = { linf: 0.1, l2: 2 };
    expect(describeLeaderboard([{ ...fgsm(0.1, 0.4), within }], { attack: undefined })).toMatch(
      /^Ranked by robust accuracy in the worst case over the attacks of each, within L∞ 0\.1 or L2 2; higher is better\.\n/,
    );
    expect(describeLeaderboard([row({ within: {} })], { attack: undefined })).toMatch(
      /^Ranked by robust accuracy in the worst case over the attacks of each; /,
    );
  });

  it('shows the settings in every row when they differ', () => {
    const text = describeLeaderboard([fgsm(0.1, 0.4), fgsm(0.3, 0.1)], { attack: 'fgsm' });
    expect(text).toMatch(/^Ranked by robust accuracy under fgsm; /);
    expect(text).toContain('The attack settings differ: only rows with the same settings can be compared.');
    expect(text).toMatch(/40\.0 %\s+search=false epsilon=0\.1\n/);
    expect(text).toMatch(/10\.0 %\s+search=false epsilon=0\.3\n/);
  });

  it('tells rows of one configuration apart by the versions that made them', () => {
    const old = { kind: 'attack', method: 'fgsm', now: '3' } as const;
    const text = describeLeaderboard(
      [
        { ...fgsm(0.1, 0.4), trialId: 'new' },
        { ...fgsm(0.1, 0.3), trialId: 'old', older: [{ ...old, part: 'checks', made: '2' }] },
        {
          ...fgsm(0.1, 0.2),
          trialId: 'oldest',
          older: [
            { kind: 'classify', method: 'funn', part: 'engine', made: '1', now: '2' },
            { ...old, part: 'engine', made: '1', now: '2' },
            { ...old, part: 'checks', made: '1' },
          ],
        },
        {
          ...fgsm(0.1, 0.1),
          trialId: 'odd',
          older: [{ kind: 'classify', method: 'funn', part: 'unknown', made: null, now: null }],
        },
      ],
      { attack: 'fgsm' },
    );
    expect(text.split('\n').map((line) => line.replace(/ {2,}/g, ' | '))).toEqual([
      expect.stringContaining('Ranked by'),
      'Counts are of 5 images × 2 seeds.',
      '',
      expect.stringMatching(/\| version$/),
      expect.stringMatching(/\| new \+1 \|.*\| 40\.0 % \| present$/),
      expect.stringMatching(/\| old \+1 \|.*\| 30\.0 % \| checks 2$/),
      expect.stringMatching(/\| oldest \+1 \|.*\| 20\.0 % \| engine 1, checks 1$/),
      expect.stringMatching(/\| odd \+1 \|.*\| 10\.0 % \| another version$/),
      ' | old: made by another version: attack fgsm (checks 2, now 3)',
      ' | oldest: made by another version: classify funn (engine 1, now 2), attack fgsm (engine 1, now 2; checks 1, now 3)',
      ' | odd: made by another version: classify funn (another version)',
      'FGSM takes one step. Attacks of many steps, such as pgd-linf, usually fool more images at the same ε.',
    ]);
  });

  it('warns when data sets or budgets differ', () => {
    const mixed = [{ ...fgsm(0.1, 0.4), within: { linf: 0.1 } }, row({ dataset: 'mnist', within: {} })];
    const text = describeLeaderboard(mixed, { attack: undefined });
    expect(text).toContain('The data sets differ: --dataset glyphs keeps one of them.');
    expect(text).toContain('The attack budgets differ: only rows with the same budget can be compared.');
    expect(text).toMatch(/classic\s+mnist/);
    expect(text).toMatch(/fgsm\s+search=false epsilon=0\.1|fgsm\s+L∞ 0\.1/);
    const alike = describeLeaderboard([fgsm(0.1, 0.4), fgsm(0.1, 0.3)], { attack: undefined });
    expect(alike).not.toMatch(/differ|within/);
  });

  const sure = (changes: Partial<LeaderboardRow>): LeaderboardRow =>
    row({
      attack: 'fgsm',
      settings: { search: false, epsilon: 0.1 },
      seeds: [0, 1],
      counts: { images: 100, correct: 78, fooled: 40 },
      value: 0.38,
      interval: [0.291, 0.4781],
      letters: 'a',
      ...changes,
    });

  it('says how sure each value is, and the images behind it', () => {
    const text = describeLeaderboard(
      [
        sure({}),
        sure({ rank: 2, trialId: 'a-1', value: 0.3, interval: [0.2189, 0.3959], letters: 'abc' }),
        sure({
          rank: 3,
          trialId: 'a-2',
          verdict: 'untrained',
          reasons: ['the clean accuracy (7–19.8 % of 100 images) reaches 15 %'],
        }),
      ],
      { attack: 'fgsm' },
    );
    const [, certain, , few, below, , titles, first, second, third, reason, remedy] = text.split('\n');
    expect(few).toMatch(/^Rows of 2 seeds hardly show /);
    expect(below).toMatch(/^1 of these 3 rows \(untrained\) stands below the others whatever the value\./);
    expect(certain).toMatch(/95 % intervals\. Rows with a letter in common cannot be told apart/);
    expect(titles!.split(/ {2,}/)).toEqual(
      expect.arrayContaining(['fooled', 'robust', 'robust accuracy', 'letters']),
    );
    expect(first).toMatch(/ 40 of 78 {2,}38 of 100 {2,}38\.0 % \(29\.1–47\.8\) {2}a$/);
    expect(text).toContain('\nCounts are of 50 images × 2 seeds.\n');
    expect(second).toMatch(/ 30\.0 % \(21\.9–39\.6\) {2}a–c$/);
    expect(third).toMatch(/ untrained$/);
    expect(reason).toBe('  a-2 +1: untrained: the clean accuracy (7–19.8 % of 100 images) reaches 15 %');
    expect(remedy).toBe(
      '  → untrained: train for more epochs, or try other learning rates, before you compare its robustness.',
    );
    expect(text).not.toContain('→ too few');
    expect(text).not.toContain('--why');
    expect(text).not.toContain('one seed');
  });

  it('counts the attacks of a reason that is about many', () => {
    const attacks = ['fgsm', 'bim', 'pgd-linf', 'single-pixel'];
    const rows = [
      sure({ verdict: 'suspect', reasons: attacks.map((name) => `${name}: the boundary bends.`) }),
    ];
    expect(describeLeaderboard(rows, { attack: 'fgsm' })).toContain(
      ': suspect: fgsm, bim and 2 more attacks: the boundary bends\n',
    );
  });

  it('names the trial that says what to do about a verdict of the checks', () => {
    const rows = [sure({}), sure({ trialId: 'a-1', verdict: 'suspect', reasons: ['restarts find more'] })];
    expect(describeLeaderboard(rows, { attack: 'fgsm' })).toContain(
      '\n  a-1 +1: suspect: restarts find more\n  → suspect: `npx funnel show a-1 --why` says what to do.\n',
    );
  });

  it('marks the rows of which gradients miss images, also without a verdict, and explains the mark once', () => {
    const missing = (missed: number): LeaderboardRow['missedByGradients'] => [
      { attacks: ['square-linf'], norm: 'linf', epsilon: 0.1, missed, images: 10 },
    ];
    const rows = [
      sure({ missedByGradients: missing(3) }),
      sure({ trialId: 'a-1', missedByGradients: missing(2), verdict: 'suspect', reasons: ['flat'] }),
      sure({ trialId: 'a-2' }),
    ];
    const lines = describeLeaderboard(rows, { attack: undefined }).split('\n');
    expect(lines.filter((line) => /^ *1=? /.test(line)).map((line) => line.split(/ {2,}/).at(-1))).toEqual([
      'gradients miss 3 of 10 images',
      'suspect; gradients miss 2 of 10 images',
      'fgsm',
    ]);
    const note =
      '“Gradients miss” images that square-linf fools and no gradient attack of the run fools at the same ε, ';
    expect(lines.filter((line) => line.startsWith(note))).toHaveLength(1);
    expect(describeLeaderboard(rows.slice(2), { attack: undefined })).not.toContain('radients miss');
  });

  it('names the trial of the seed that has the verdict', () => {
    const rows = [
      sure({
        trialId: 'a-1',
        flaggedTrialId: 'a-4',
        verdict: 'suspect',
        reasons: ['fgsm: weak (1 of 2 seeds: seed 3)'],
      }),
    ];
    expect(describeLeaderboard(rows, { attack: 'fgsm' })).toContain(
      '\n  a-1 +1: suspect: fgsm: weak (1 of 2 seeds: seed 3)\n  → suspect: `npx funnel show a-4 --why` says what to do.\n',
    );
  });

  it('shows the range of the seeds where one lies outside of the interval, which is of their mean', () => {
    const rows = [
      sure({ value: 0.385, interval: [0.294, 0.485], seedRange: [0.146, 0.625] }),
      sure({ trialId: 'a-1', value: 0.3, interval: [0.2189, 0.3959], seedRange: [0.28, 0.32] }),
    ];
    const text = describeLeaderboard(rows, { attack: 'fgsm' });
    expect(text).toContain(' 38.5 % (29.4–48.5; seeds 14.6–62.5) ');
    expect(text).toContain(' 30.0 % (21.9–39.6) ');
    expect(text).toContain('\nAn interval is of the mean of the seeds. Where a seed lies outside of it, ');
    expect(describeLeaderboard(rows.slice(1), { attack: 'fgsm' })).not.toContain('mean of the seeds');
  });

  it('says why a row stands below others with a smaller value', () => {
    const rows = [
      sure({ value: 0, interval: [0, 0.04] }),
      sure({ trialId: 'a-1', value: 0.385, verdict: 'untrained', reasons: ['guesses'] }),
    ];
    expect(describeLeaderboard(rows, { attack: 'fgsm' })).toContain(
      '\n1 of these 2 rows (untrained) stands below the others whatever the value. --masked equal ranks by the value alone.\n',
    );
    // With one row, by the value alone, and where the values give the same order.
    for (const others of [
      rows.slice(0, 1),
      rows.toReversed(),
      [rows[1]!, rows[0]!].map((each, i) => ({
        ...each,
        verdict: i === 0 ? ('ok' as const) : ('untrained' as const),
      })),
    ])
      expect(describeLeaderboard(others, { attack: 'fgsm' })).not.toContain('whatever the value');
  });

  it('says why rows have no letter', () => {
    const rows = [
      sure({}),
      sure({ trialId: 'a-1', value: 0.3 }),
      sure({ trialId: 'b-0', letters: undefined }),
    ];
    const text = describeLeaderboard(rows, { attack: 'fgsm' });
    expect(text).toContain('\nRows without a letter are not compared: their data set, or the attacks ');
    expect(describeLeaderboard(rows.slice(0, 2), { attack: 'fgsm' })).not.toContain('are not compared');
  });

  it('has the count of robust images at the ε of the sweep for an attack without a fixed ε', () => {
    const robustAtEpsilon = { norm: 'linf', epsilon: 8 / 255, robust: 4, accuracy: 0.4 } as const;
    const rows = [
      row({ metric: 'medianLinf', value: 0.02, robustAtEpsilon }),
      row({ metric: 'medianLinf', value: 0.01 }),
    ];
    const lines = describeLeaderboard(rows, { attack: 'deepfool-linf' }).split('\n');
    const [titles, first, second] = lines.slice(lines.indexOf('') + 1);
    expect(titles).toMatch(/ fooled +robust +median L∞/);
    expect(first).toMatch(/0 of 9 at any size +4 of 10 at L∞ 0\.0314 +0\.02/);
    expect(second).toMatch(/0 of 9 at any size +– +0\.01/);
  });

  it('has no count of robust images for an attack without a fixed ε, whose successes have any size', () => {
    const counts = { images: 60, correct: 55, fooled: 55 };
    const fab = sure({
      attack: 'fab-t-linf',
      settings: { epsilon: 0.1 },
      counts,
      value: null,
      interval: null,
    });
    const cells = (rows: readonly LeaderboardRow[], attack?: 'fab-t-linf') =>
      describeLeaderboard(rows, { attack })
        .split('\n')
        .filter((line) => / of 55/.test(line))
        .map((line) => /\d+ of 55.*/.exec(line)![0].split(/ {2,}/).slice(0, 3));
    expect(cells([fab], 'fab-t-linf')).toEqual([['55 of 55 at any size', '–', '–']]);
    // In a worst case only the images within its balls count.
    expect(cells([{ ...fab, value: 0.1, within: { linf: 0.1 } }])).toEqual([
      ['55 of 55', '0 of 60', '10.0 %'],
    ]);
    expect(cells([{ ...fab, metric: 'medianL2', value: 1, within: {} }])).toEqual([
      ['55 of 55 at any size', '1', 'a'],
    ]);
  });

  it('warns of single seeds, and shows infinite ends and the name of the clean accuracy of the attack images', () => {
    const distance: Partial<LeaderboardRow> = {
      metric: 'medianL2',
      value: 0.91,
      interval: [0.5, 'Infinity'],
    };
    const text = describeLeaderboard([sure({ ...distance, seeds: [0] }), sure({ seeds: [1] })], {
      attack: 'fgsm',
    });
    expect(text).toContain('0.91 (0.5–∞)');
    expect(text).toContain('Each row is one seed. Other seeds may change the order');
    expect(describeLeaderboard([sure({ metric: 'cleanAccuracy' })], { attack: 'fgsm' })).toMatch(
      /^Ranked by clean accuracy of the attack images under fgsm/,
    );
  });

  it('names the best runs by other attacks, and counts the runs that are not shown', () => {
    const text = describeLeaderboard([sure({})], {
      attack: 'pgd-linf',
      notes: {
        notShown: { trials: 3, sweeps: 1 },
        otherBest: [{ attack: 'deepfool-l2', metric: 'medianL2', trialId: 'b-7' }],
      },
    });
    expect(text.split('\n').slice(-2)).toEqual([
      'The rankings disagree: by median L2 under deepfool-l2, the best of the same sweep is b-7. `--attack deepfool-l2` ranks by it.',
      '3 trials without PGD L∞ are not shown. `--attack worst` ranks all runs.',
    ]);
  });

  it('marks shared ranks, and says the reasons for a verdict once, with the trials', () => {
    const masked = { verdict: 'masked' as const, reasons: ['fgsm: flat.', 'pgd-linf: flat.'] };
    const text = describeLeaderboard(
      [
        row({ rank: 1, trialId: 'a', value: 0.3, ...masked }),
        row({ rank: 1, trialId: 'b', value: 0.3, ...masked }),
        row({ rank: 3, trialId: 'c', value: 0.1 }),
      ],
      { attack: 'deepfool-linf' },
    );
    const lines = text.split('\n');
    expect(lines.slice(4, 7).map((line) => line.trim().split(/\s+/).slice(0, 2))).toEqual([
      ['1=', 'a'],
      ['1=', 'b'],
      ['3', 'c'],
    ]);
    expect(lines.slice(7)).toEqual([
      '  a +1, b +1: masked: fgsm, pgd-linf: flat',
      '  → masked: `npx funnel show a --why` says what to do.',
    ]);
  });

  it('shows a dash for the rank of a run without a value', () => {
    const rows = [
      row({ value: 0.1 }),
      row({ rank: null, value: null, verdict: 'masked', reasons: ['fgsm: why'] }),
    ];
    const lines = describeLeaderboard(rows, { attack: 'deepfool-linf' }).split('\n');
    expect(lines.at(-3)).toMatch(/^– {2}.* – +masked$/);
    expect(lines.at(-2)).toBe(`  ${rows[1]!.trialId} +1: masked: fgsm: why`);
  });

  it('names all attacks that are equally strong, or counts them and says below which they are', () => {
    const tied = (...names: AttackName[]) =>
      row({ attack: 'fgsm', within: { linf: 0.1 }, ...(names.length > 0 && { tied: names }) });
    const text = describeLeaderboard([tied(), tied('pgd-linf'), tied('pgd-linf', 'square-linf')], {
      attack: undefined,
    });
    const rows = text.split('\n').filter((line) => /^\s*\d/.test(line));
    expect(rows.map((line) => line.split(/ {2,}/).at(-1))).toEqual(['fgsm', 'fgsm, pgd-linf', 'fgsm +2']);
    expect(text).toContain('  fgsm +2: These attacks are equally strong: fgsm, pgd-linf, square-linf.');
    expect(text).not.toContain('fgsm, pgd-linf:');
  });

  it('names the rows where two of them count other attacks with the same words', () => {
    const tied = (trialId: string, ...names: AttackName[]) =>
      row({ trialId, attack: 'fgsm', within: { linf: 0.1 }, tied: names });
    const rows = [
      tied('a-0', 'pgd-linf', 'square-linf'),
      tied('a-1', 'pgd-linf', 'bim'),
      tied('a-2', 'pgd-linf', 'square-linf'),
    ];
    const text = describeLeaderboard(rows, { attack: undefined });
    const [a, b, c] = rows.map(({ trialId }) => trialId);
    const equally = 'These attacks are equally strong: fgsm, pgd-linf';
    expect(text).toContain(`  fgsm +2 of ${a}, ${c}: ${equally}, square-linf.`);
    expect(text).toContain(`  fgsm +2 of ${b}: ${equally}, bim.`);
  });

  it('gives the clean accuracy the interval of the test images', () => {
    const text = describeLeaderboard([row({ cleanAccuracy: 0.9, cleanInterval: [0.826, 0.945] })], {
      attack: undefined,
    });
    expect(text).toContain('90.0 % (82.6–94.5)');
  });

  it('says when all runs have the same value, and names a ranking in which their values differ', () => {
    const equal = [row({}), row({})];
    const text = (rows: readonly LeaderboardRow[], tellsApart?: RankingNotes['tellsApart']) =>
      describeLeaderboard(rows, { attack: 'deepfool-linf', notes: { ...(tellsApart && { tellsApart }) } });
    expect(text(equal, { attack: 'fgsm', metric: 'robustAccuracy' })).toContain(
      'All runs have the same value. Their robust accuracy under fgsm differs: `--attack fgsm --metric robustAccuracy` ranks by it.',
    );
    expect(text(equal, { metric: 'medianL2' })).toContain(
      'Their median L2 in the worst case differs: `--attack worst --metric medianL2` ranks by it.',
    );
    expect(text(equal)).toContain('All runs have the same value, so they cannot be told apart.');
    expect(text([row({}), row({ value: 0.1 })])).not.toContain('the same value');
    expect(text([row({ value: null }), row({ value: null })])).toContain(
      'No run has a value, so they cannot be told apart.',
    );
  });

  it('says how many trials of the sweep are measured', () => {
    const text = describeLeaderboard([row({})], {
      attack: 'deepfool-linf',
      notes: { missing: { status: 'running', measured: 2, trials: 8 } },
    });
    expect(text.split('\n').at(-1)).toBe(
      'The sweep is running: 2 of 8 trials are measured. The order may change.',
    );
  });
});

it('ranks by the distance in the norm of the attack when every image is fooled', () => {
  expect(distanceInstead([row({}), row({})])).toBe('medianLinf');
  expect(distanceInstead([row({ attack: 'fmn-l2' })])).toBe('medianL2');
  expect(distanceInstead([row({}), row({ value: 0.01 })])).toBeNull();
  expect(distanceInstead([row({ metric: 'cleanAccuracy' })])).toBeNull();
  expect(distanceInstead([])).toBeNull();
  // The median distance of an attack at a fixed ε is ε, but not that of a worst case.
  expect(distanceInstead([fgsm(0.1, 0), fgsm(0.1, 0)])).toBeNull();
  expect(distanceInstead([{ ...fgsm(0.1, 0), within: { linf: 0.1 } }])).toBe('medianLinf');
  expect(distanceInstead([row({ rank: null, value: null })])).toBe('medianLinf');
});

it('keeps the robust accuracies where the distances of all runs are the same, too', async () => {
  const notes: string[] = [];
  const output = { note: (text: string) => notes.push(text) } as unknown as Output; // all that is asked here
  const ranked = (...values: number[]): Ranked => ({
    ...{ attack: 'pgd-linf', isComplete: true, notes: {} },
    rows: values.map((value) => row({ attack: 'pgd-linf', value })),
  });
  const [asked, equal, different] = [ranked(0, 0), ranked(0.1, 0.1), ranked(0.2, 0.1)];
  expect(await orByDistance(asked, async () => equal, output)).toBe(asked);
  expect(notes).toEqual([]);
  expect(await orByDistance(asked, async () => different, output)).toBe(different);
  expect(notes).toEqual(['No run has a robust accuracy above 0, so they are ranked by median L∞ instead.']);
});

describe('the ranking without --attack and --metric', () => {
  /** A service that has rows only for some queries. Returns the queries that it got. */
  const ask = async (options: Partial<LeaderboardOptions>, answers: (attack?: string) => boolean) => {
    const asked: unknown[] = [];
    const client = {
      getSweep: async () => ({
        definition: SweepDefinition.parse({
          name: 'x',
          dataset: { name: 'glyphs' },
          attacks: { preset: 'quick' },
        }),
      }),
      leaderboard: async ({ query }: { query: { attack?: string; metric?: string } }) => {
        asked.push([query.attack, query.metric]);
        return { items: answers(query.attack) ? [row({})] : [], next: null };
      },
    };
    const context = { client: () => client } as unknown as Context; // the two questions that are asked here
    const { attack } = await readRanked({ group: 'trial', masked: 'last', limit: 5, ...options }, context);
    return { asked, attack };
  };
  const usual = ['pgd-linf', 'robustAccuracy'];
  const worst = [undefined, 'robustAccuracy'];

  it('is by one named attack over all sweeps, and by the worst case when that attack has no rows', async () => {
    expect(await ask({}, () => true)).toEqual({ asked: [usual], attack: 'pgd-linf' });
    expect(await ask({}, (attack) => attack === undefined)).toEqual({
      asked: [usual, worst],
      attack: undefined,
    });
  });

  it('is by the objective of a sweep, or as the options say', async () => {
    expect((await ask({ sweep: '0123456789abcdef' }, () => true)).asked).toEqual([worst]);
    expect((await ask({ attack: 'worst' }, () => true)).asked).toEqual([[undefined, undefined]]);
    expect((await ask({ metric: 'medianL2' }, () => true)).asked).toEqual([[undefined, 'medianL2']]);
    expect((await ask({ sweep: '0123456789abcdef', attack: 'cw-l2' }, () => false)).asked).toEqual([
      ['cw-l2', undefined],
    ]);
  });
});

it('states each reason once, with all attacks that have it', () => {
  expect(joinReasons(['fgsm: flat.', 'pgd-linf: flat.', 'fgsm: zero: 3 of 9.', 'no attack'])).toBe(
    'fgsm, pgd-linf: flat; fgsm: zero: 3 of 9; no attack',
  );
  expect(joinReasons([])).toBe('');
});
