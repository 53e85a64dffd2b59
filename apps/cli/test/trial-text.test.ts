/** The text about one trial: hyperparameters, reasons of verdicts, the accuracy per class. */
import { type AttackName, nothingHere, type Stage, type TrialDetail } from '@funnel/contracts';
import { describe, expect, it } from 'vitest';
import { describeTrial, sweptIn } from '../src/output/trial.ts';

const trialOf = (classes: readonly string[], perClass: TrialDetail['perClass']): TrialDetail => ({
  ...{ id: 's-00000', sweepId: 's', number: 0, recipe: 'classic', dataset: 'pets', seed: 0 },
  ...{ hyperparameters: {}, status: 'completed', cleanAccuracy: 0.9, verdict: null, worstCase: null },
  ...{ createdAt: '2026-11-01T10:00:00Z', finishedAt: null, evaluations: [], stages: [], warnings: [] },
  data: { shape: [8, 8, 3], classes: [...classes], budgets: { linf: 0.03, l2: 0.5 } },
  perClass,
});

const lines = (trial: TrialDetail): string[] => describeTrial(trial).split('\n');

describe('the accuracy per class', () => {
  it('is a table in the order of the data set, with a dash for a class without images', () => {
    const trial = trialOf(['dog', 'a bird', 'cat'], { images: [40, 0, 3], correct: [39, 0, 1] });
    expect(lines(trial).slice(-4)).toEqual([
      'class   test images      clean accuracy',
      'dog              40  97.5 % (87.1–99.6)',
      'a bird            0                   –',
      'cat               3   33.3 % (6.1–79.2)',
    ]);
  });

  it('names the classes with the lowest accuracy if there are many', () => {
    const classes = Array.from({ length: 1000 }, (_, label) => `class ${label}`);
    const correct = classes.map((_, label) => 1000 - ((label * 7) % 1000));
    const images = classes.map((_, label) => (label === 0 ? 0 : 1000));
    const shown = lines(trialOf(classes, { images, correct }));
    const rows = shown.filter((line) => line.startsWith('class '));
    expect(rows).toHaveLength(21);
    // 7 · 857 = 5999, so class 857 has 1 of 1000 images right; class 714 has 2, and so on.
    expect(rows[1]).toMatch(/^class 857 +1000 +0\.1 % \(0\.0–0\.6\)$/);
    expect(rows[2]).toMatch(/^class 714 +1000 +0\.2 % \(0\.1–0\.7\)$/);
    expect(shown.at(-1)).toBe(
      'the 20 classes of 1000 with the lowest accuracy; `npx funnel export classes` has all',
    );
  });

  it('is left out for a classifier of an older version', () => {
    expect(describeTrial(trialOf(['cat', 'dog'], null))).not.toMatch(/^class\s/m);
  });
});

describe('a trial', () => {
  const trial: TrialDetail = {
    ...trialOf(['cat', 'dog'], null),
    hyperparameters: { beta: 0.01, filters: '4-8', gamma: 5, latent: 32 },
  };

  it('has the swept hyperparameters first, then the others in the order of their declarations', () => {
    expect(
      describeTrial(trial, { swept: ['gamma', 'beta'] })
        .split('\n')
        .slice(2, 5),
    ).toEqual(['swept  gamma=5  beta=0.01', '', 'filters=4-8  latent=32']);
    expect(
      sweptIn({ gamma: [1, 5], beta: { min: 0, max: 1, scale: 'linear' }, latent: 32, filters: ['4'] }),
    ).toEqual(['gamma', 'beta']);
  });

  it('names each reason of its verdict once, in one line, and whole with `why`', () => {
    const detail = `The margin still falls by ${'much '.repeat(20)}`.trim();
    const evaluation = (attack: AttackName) =>
      ({
        attack,
        settings: {},
        summary: {
          successes: 0,
          attempted: 0,
          successRate: null,
          robustAccuracy: null,
          medianL2: null,
          medianLinf: null,
        },
        verdict: 'suspect',
        diagnostics: [
          { id: 'H2', value: 1, threshold: 0.5, verdict: 'suspect', detail },
          { id: 'H1', value: 0, threshold: 0.5, verdict: 'ok', detail: 'Right.' },
        ],
      }) as unknown as TrialDetail['evaluations'][number];
    const evaluated = { ...trial, evaluations: [evaluation('fgsm'), evaluation('bim')] };
    const reasons = (why: boolean) =>
      describeTrial(evaluated, { width: 80, why })
        .split('\n')
        .filter((line) => /^[!→]/.test(line));
    const [line, hint, ...rest] = reasons(false);
    expect([line, rest]).toEqual([
      expect.stringMatching(/^! suspect: \S+ \(H2\) under fgsm, bim: The margin .*…$/),
      [],
    ]);
    expect(line!.length).toBeLessThanOrEqual(80);
    expect(hint).toBe('→ `npx funnel show s-00000 --why` has the whole reasons, and says what to do.');
    expect(reasons(true)).toEqual([
      expect.stringMatching(/^! suspect: /),
      expect.stringMatching(/^→ Usual gradient attacks miss images that they should fool\. /),
    ]);
    const masked = {
      ...evaluation('pgd-linf'),
      diagnostics: [{ id: 'H4', value: 1, threshold: 0.5, verdict: 'masked', detail: 'Blind.' }],
    } as TrialDetail['evaluations'][number];
    const worst = describeTrial({ ...evaluated, evaluations: [...evaluated.evaluations, masked] });
    expect(worst.split('\n').filter((each) => each.startsWith('!'))).toEqual([
      expect.stringMatching(/^! masked: \S+ \(H4\) under pgd-linf: Blind\.$/),
      expect.stringMatching(/^! suspect: \S+ \(H2\) under fgsm, bim: /),
    ]);
    expect(describeTrial(evaluated, { width: 80, why: true }).replaceAll(/\s+/g, ' ')).toContain(detail);
  });

  it('has the cores and the memory of each stage, and of all, as far as they were measured', () => {
    const stage = (kind: string, attempts: number, usage: Stage['usage']) =>
      ({ id: kind.padEnd(64, '0'), kind, status: 'completed', epochs: 3, attempts, usage, ...rest }) as Stage;
    const rest = { attack: null, seconds: 12, sharedBy: 1, error: null };
    const MiB = 2 ** 20;
    const stages = [
      stage('initialise', 1, null),
      stage('optimise', 1, { seconds: 10, cpuSeconds: 16, peakBytes: 512 * MiB }),
      stage('classify', 1, { seconds: 30, cpuSeconds: 32, peakBytes: 384 * MiB }),
      stage('attack', 0, null),
    ];
    const shown = lines({ ...trial, stages });
    const at = shown.findIndex((line) => line.startsWith('stage'));
    expect(shown.slice(at, at + 6).map((line) => line.replaceAll(/ {2,}/g, ' | '))).toEqual([
      'stage | kind | status | epochs | time | cores | memory | shared by',
      'initialise00 | initialise | completed | 3 | 12 s | – | – | 1',
      'optimise0000 | optimise | completed | 3 | 12 s | 1.6 | 512 MiB | 1',
      'classify0000 | classify | completed | 3 | 12 s | 1.1 | 384 MiB | 1',
      'attack000000 | attack | completed | 3 | 12 s | 1',
      '1.2 cores, at most 512 MiB of memory (the trainers of these stages)',
    ]);
  });

  it('says at which ε an attack without a fixed one has its robust accuracy', () => {
    const evaluation = (attack: AttackName, more: object) =>
      ({
        attack,
        settings: {},
        verdict: 'ok',
        diagnostics: [],
        ...more,
      }) as unknown as TrialDetail['evaluations'][number];
    const counts = { attempted: 98, images: 100, successRate: 1, medianL2: 1, noiseLevel: 1 };
    const robustAtEpsilon = { norm: 'linf', epsilon: 8 / 255, robust: 38, accuracy: 0.38 };
    const smallest = { ...counts, successes: 98, robustAccuracy: null };
    const evaluations = [
      evaluation('fgsm', { summary: { ...counts, successes: 60, robustAccuracy: 0.38 } }),
      evaluation('fab-t-linf', { summary: smallest, robustAtEpsilon }),
      evaluation('deepfool-l2', { summary: smallest }),
    ];
    const rows = lines({ ...trial, evaluations }).filter((line) => /^(fgsm|fab|deepfool)/.test(line));
    expect(rows.map((row) => row.split(/ {2,}/)[2])).toEqual([
      '38 of 100 (38.0 %, 29.1–47.8)',
      '38 of 100 (38.0 %, 29.1–47.8) at L∞ 0.0314',
      '–',
    ]);
  });

  it('has the counts and the interval of its clean accuracy, and says in numbers why it is untrained', () => {
    const text = lines({
      ...trialOf(['a', 'b', 'c'], { images: [30, 30, 30], correct: [20, 20, 10] }),
      cleanAccuracy: 50 / 90,
      verdict: 'untrained',
    });
    expect(text[1]).toMatch(/, clean accuracy 55\.6 % \(45\.3–65\.4\), 50 of 90 test images$/);
    expect(text[2]).toMatch(
      /^! untrained: the clean accuracy \(45\.3–65\.4 % of 90 images\) is not clearly above 50 %, 1\.5 times that of guesses with 3 classes: train/,
    );
  });

  it('gives its medians and its worst case their intervals, in the norms in which an attack works', () => {
    const summary = {
      attempted: 40,
      images: 50,
      successes: 12,
      successRate: 0.3,
      robustAccuracy: 0.56,
      noiseLevel: 1,
    };
    const medians = { medianL2: 2, medianLinf: 0.12 };
    const evaluations = [
      { attack: 'pgd-linf', settings: {}, intervals: { medianL2: [1, 3], medianLinf: [0.1, 'Infinity'] } },
      { attack: 'apgd-t-linf', settings: {}, intervals: { medianL2: [1, 3], medianLinf: [0.1, 0.14567] } },
    ].map((one) => ({ ...one, verdict: 'ok', diagnostics: [], summary: { ...summary, ...medians } }));
    const values = { robustAccuracy: 0.5, successRate: 0.375, medianL2: null, medianLinf: 0.11 };
    const worstCase = {
      within: { linf: 0.1 },
      values,
      intervals: { medianL2: null, medianLinf: [0.09, 0.125] },
    };
    const text = lines({ ...trial, evaluations, worstCase } as unknown as TrialDetail);
    expect(text.join('\n')).toMatch(/robust +median L∞ +noise level/);
    expect(text.find((line) => line.startsWith('pgd'))).toContain('0.12 (0.1–∞)');
    expect(text.find((line) => line.startsWith('apgd'))).toContain('0.12 (0.1–0.146)');
    expect(text).toContain(
      'worst case over these attacks: robust 25 of 50 (50.0 %, 36.6–63.4), within L∞ 0.1; median L∞ 0.11 (0.09–0.125) (changes of any size)',
    );
    const narrow = describeTrial({ ...trial, evaluations } as unknown as TrialDetail, { width: 80 });
    expect(narrow).toContain('12 of 40 (18–45 %)');
    const both = [...evaluations, { ...evaluations[0]!, attack: 'fmn-l2' }];
    const mixed = lines({ ...trial, evaluations: both } as unknown as TrialDetail);
    expect(mixed.find((line) => line.startsWith('fmn'))).toContain('L2 2 (1–3)');
  });

  it('marks successes at any size, and counts each check once', () => {
    const summary = { attempted: 55, images: 60, successes: 55, successRate: 1, medianL2: 1, noiseLevel: 1 };
    const silent = `PGD fools all 50 images at L∞ 0.3${nothingHere}`;
    const diagnostics = [
      { id: 'H1', value: 0, threshold: 0.005, verdict: 'ok', detail: silent },
      { id: 'H4', value: 0, threshold: 0, verdict: 'ok', detail: 'Fine.' },
    ];
    const evaluations = [
      {
        attack: 'fab-t-linf',
        settings: { epsilon: 0.1 },
        verdict: 'ok',
        diagnostics,
        summary: { ...summary, robustAccuracy: null },
      },
      {
        attack: 'pgd-linf',
        settings: { epsilon: 0.1 },
        verdict: 'ok',
        diagnostics,
        summary: { ...summary, robustAccuracy: 0 },
      },
    ] as unknown as TrialDetail['evaluations'];
    const text = lines({ ...trial, evaluations });
    expect(text.filter((line) => line.includes('55 of 55')).map((line) => line.split(/ {2,}/)[1])).toEqual([
      '55 of 55 (100.0 %, 93.5–100.0) at any size',
      '55 of 55 (100.0 %, 93.5–100.0)',
    ]);
    expect(text).toContain(
      'checks: 1 check without a flag; 1 says nothing (H1): PGD fools all 50 images at L∞ 0.3.',
    );
  });
});
