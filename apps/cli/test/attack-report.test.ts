/** The table of `funnel attack` on terminals of every width, and the model of grey or colour pictures. */
import { fileURLToPath } from 'node:url';
import { type AttackSpec, attackSpec, type EvaluationSummary, examinationFinding } from '@funnel/contracts';
import { describe, expect, it } from 'vitest';
import { readModel } from '../src/attack/model.ts';
import { type AttackReport, describeReport, notesOf } from '../src/attack/report.ts';
import type { Result } from '../src/attack/results.ts';
import { displayWidth, wrapToWidth } from '../src/output/width.ts';

const summary = (changes: Partial<EvaluationSummary> = {}) =>
  ({
    images: 20,
    attempted: 19,
    successes: 17,
    successRate: 17 / 19,
    robustAccuracy: 0.1,
    robustInterval: [0.028, 0.301],
    successInterval: [0.6861, 0.9706],
    medianL2: 2.184,
    medianLinf: 0.1,
    noiseLevel: 2.16,
    ...changes,
  }) as EvaluationSummary;

const intervals: Result['intervals'] = {
  medianL2: [1.9, 'Infinity'],
  medianLinf: null,
  noiseLevel: [2.012, 2.31],
};

const results = [
  { attack: 'apgd-ce-linf', settings: { epsilon: 0.1, steps: 50 }, summary: summary(), intervals, rows: [] },
  {
    attack: 'deepfool-l2',
    settings: { steps: 50 },
    summary: summary({ robustAccuracy: null, robustInterval: null }),
    intervals,
    rows: [],
  },
] as unknown as Result[];

const report = (changes: Partial<AttackReport> = {}): AttackReport => ({
  backend: 'wasm',
  examination: { status: 'ok', backend: 'wasm', images: 20, gradients: 'right', findings: [] },
  leftOut: [],
  evaluations: results,
  worstCase: { balls: { linf: 0.1 }, summary: summary(), intervals, rows: [] },
  diagnosis: {
    verdict: 'suspect',
    images: 19,
    checks: [
      { id: 'H1', value: 0, threshold: 0.005, verdict: 'ok', detail: 'fine' },
      {
        id: 'H7',
        value: 0.1,
        threshold: 0.01,
        verdict: 'suspect',
        detail: 'Accuracy 10.0 % after 160 steps.',
      },
    ],
  },
  ...changes,
});

describe('the report of attacks', () => {
  it('has every column without a terminal, a dash without a budget, and the sentences below', () => {
    expect(describeReport(report(), null).split('\n')).toEqual([
      'attack          fooled                         success             robust      median L2  median L∞       noise level  settings',
      'apgd-ce-linf  17 of 19              89.5 % (68.6–97.1)  10.0 % (2.8–30.1)  2.184 (1.9–∞)        0.1  2.16 (2.01–2.31)  epsilon=0.1 steps=50',
      'deepfool-l2   17 of 19  89.5 % (68.6–97.1) at any size                  –  2.184 (1.9–∞)        0.1  2.16 (2.01–2.31)',
      'worst case    17 of 19              89.5 % (68.6–97.1)  10.0 % (2.8–30.1)              –          –                 –  within L∞ 0.1',
      '',
      'Clean accuracy: 95.0 % (19 of 20 images, wasm).',
      'Robust accuracy within L∞ 0.1: 10.0 % (2 of 20 images withstand every attack; 95 % interval 2.8 % to 30.1 %).',
      '! 2 checks on 19 images: look at these findings before you trust the results. 1 check raises a flag; 1 check without a flag.',
      '! attack-has-not-converged (H7): Accuracy 10.0 % after 160 steps.',
      '  → PGD needs more steps on this model, and weaker attacks miss images. Attack with `apgd-ce-linf`, whose step size adapts, and raise `steps` until the accuracy stays the same; or with `preset:autoattack`. If you ran these, the worst case counts their images.',
    ]);
  });

  it('says how many images only attacks without gradients fool', () => {
    /** Twenty images, of which those with these indices are fooled at L∞ 0.1. */
    const rows = (...indices: number[]) =>
      Array.from({ length: 20 }, (_, index) => ({
        ...{ index, success: indices.includes(index), l2: 1, linf: indices.includes(index) ? 0.1 : null },
      }));
    const evaluations = [
      { ...results[0]!, rows: rows(0, 1, 2) },
      { ...results[1]!, rows: rows(7) },
      { ...results[0]!, attack: 'square-linf', settings: { epsilon: 0.1 }, rows: rows(1, 5, 6, 7) },
    ] as unknown as Result[];
    const last = describeReport(report({ evaluations }), null).split('\n').at(-1);
    expect(last).toMatch(
      /^! square-linf fools 2 of 20 images at L∞ 0\.1 that no gradient attack of this run fools, /,
    );
    expect(describeReport(report({ evaluations: evaluations.slice(0, 2) }), null)).not.toContain('! square');
  });

  it('says that an attack of an ensemble got only the images that stood before it', () => {
    const sentence = /^Each attack got only the images that the attacks before it had not fooled: /m;
    expect(describeReport(report({ standing: true }), null)).toMatch(sentence);
    expect(describeReport(report(), null)).not.toMatch(sentence);
  });

  it('has the counts and the intervals of a single attack in sentences', () => {
    const only = (i: number) =>
      describeReport(report({ evaluations: [results[i]!], worstCase: undefined, diagnosis: undefined }), null)
        .split('\n')
        .slice(3);
    expect(only(0)).toEqual([
      'Clean accuracy: 95.0 % (19 of 20 images, wasm).',
      'Success of apgd-ce-linf: 89.5 % (17 of 19 attacked images; 95 % interval 68.6 % to 97.1 %).',
      'Robust accuracy within L∞ 0.1: 10.0 % (2 of 20 images withstand it; 95 % interval 2.8 % to 30.1 %).',
    ]);
    expect(only(1)).toEqual([
      'Clean accuracy: 95.0 % (19 of 20 images, wasm).',
      'Success of deepfool-l2 at any size: 89.5 % (17 of 19 attacked images; 95 % interval 68.6 % to 97.1 %).',
    ]);
  });

  it('has the robust accuracy of a search for the smallest change at the ε that is asked for, and says at which', () => {
    const robustAtEpsilon = { norm: 'linf', epsilon: 0.1, robust: 6, accuracy: 0.3 } as const;
    const [apgd, deepfool] = [results[0]!, { ...results[1]!, robustAtEpsilon }];
    const both = report({ evaluations: [apgd, deepfool], diagnosis: undefined });
    const lines = describeReport(both, null).split('\n');
    expect(lines[2]).toBe(
      'deepfool-l2   17 of 19  89.5 % (68.6–97.1) at any size  30.0 % (14.5–51.9) at L∞ 0.1  2.184 (1.9–∞)        0.1  2.16 (2.01–2.31)',
    );
    const narrow = describeReport(both, 80).split('\n');
    expect(narrow[2]!.split(/ {2,}/)).toEqual(['deepfool-l2', '30.0 % at L∞ 0.1', '2.184']);
    for (const line of narrow) expect(displayWidth(line), line).toBeLessThanOrEqual(80);
    const alone = report({ evaluations: [deepfool], worstCase: undefined, diagnosis: undefined });
    expect(describeReport(alone, null).split('\n').at(-1)).toBe(
      'Robust accuracy within L∞ 0.1: 30.0 % (6 of 20 images withstand it; 95 % interval 14.5 % to 51.9 %).',
    );
  });

  it('carries the mark of a marked model above its accuracies', () => {
    const finding = (name: 'saturation' | 'outputs', status: 'marked' | 'ok') => ({
      ...examinationFinding(name, 'ok', ''),
      status,
    });
    const findings = [finding('outputs', 'ok'), finding('saturation', 'marked')];
    const marked = report({
      examination: { status: 'marked', backend: 'wasm', images: 20, gradients: 'right', findings },
    });
    expect(describeReport(marked, null).split('\n').slice(5, 7)).toEqual([
      '! The examination marks this model (saturation): it may look more robust than it is. `npx funnel examine` says why.',
      'Clean accuracy: 95.0 % (19 of 20 images, wasm).',
    ]);
  });

  it.each([
    [140, ['attack', 'fooled', 'success', 'robust', 'median L2', 'median L∞', 'noise level', 'settings']],
    [110, ['attack', 'success', 'robust', 'median L2', 'settings']],
    [80, ['attack', 'success', 'robust', 'median L2', 'settings']],
    [60, ['attack', 'robust', 'median L2', 'settings']],
  ] as const)('fits %i columns', (width, titles) => {
    const lines = describeReport(report(), width).split('\n');
    expect(lines[0]!.split(/ {2,}/)).toEqual(titles);
    for (const line of lines) expect(displayWidth(line), line).toBeLessThanOrEqual(width);
  });

  it('has no rate where nothing was attacked, and no sentence about a budget that no attack has', () => {
    const nothing = summary({
      attempted: 0,
      successes: 0,
      successRate: null,
      successInterval: null,
      robustAccuracy: null,
      robustInterval: null,
      medianL2: null,
      medianLinf: null,
      noiseLevel: null,
    });
    const evaluations = [{ ...results[0]!, summary: nothing }];
    const text = describeReport(
      { ...report({ evaluations }), worstCase: undefined, diagnosis: undefined } as AttackReport,
      null,
    );
    expect(text.split('\n').slice(1)).toEqual([
      'apgd-ce-linf  0 of 0        –       –          –          –            –  epsilon=0.1 steps=50',
      '',
      'Clean accuracy: 0.0 % (0 of 20 images, wasm).',
    ]);
    const without = describeReport(
      report({
        worstCase: {
          balls: {},
          summary: summary({ robustAccuracy: null, robustInterval: null }),
          intervals,
          rows: [],
        },
      }),
      null,
    );
    expect(without).toMatch(
      /^worst case +17 of 19 +89\.5 % \(68\.6–97\.1\) at any size +– +2\.184 \(1\.9–∞\) +0\.1 +2\.16 \(2\.01–2\.31\)$/m,
    );
    expect(without).not.toContain('Robust accuracy');
  });
});

describe('the notes on stderr', () => {
  it('say that an attack without a budget has stalled', () => {
    const evaluated = (attack: AttackSpec, successRate: number) => ({
      ...results[0]!,
      ...attack,
      summary: summary({ successRate }),
    });
    const notes = (attack: AttackSpec, successRate: number) =>
      notesOf(report({ evaluations: [evaluated(attack, successRate)] as typeof results }));
    expect(notes(attackSpec('deepfool-l2'), 0.29)).toEqual([
      'deepfool-l2: it may go to any distance, but fools only 29.0 %. So it stalled, and its distances say nothing about robustness. Give it more steps, or try another attack, such as fmn-l2.',
    ]);
    expect(notes(attackSpec('deepfool-l2'), 1)).toEqual([]);
    expect(notes(attackSpec({ attack: 'pgd-linf', epsilon: 0.1 }), 0.29)).toEqual([]);
    expect(notes(attackSpec('single-pixel'), 0.29)).toEqual([]);
    // The user has limited the search.
    expect(notes(attackSpec({ attack: 'gradient', epsilon: 0.02 }), 0.29)).toEqual([]);
  });

  it('say how many searches ended at the largest constant', () => {
    const notes = (settings: object) =>
      notesOf(
        report({
          evaluations: [
            {
              ...results[0]!,
              ...attackSpec({ attack: 'cw-l2', ...settings }),
              summary: summary({ successRate: 1, cappedSearches: 17 }),
            },
          ] as typeof results,
        }),
      );
    const words = (constant: string) =>
      `cw-l2: 17 images ended at the largest constant ${constant}: the attack tries no larger one.`;
    expect(notes({ searchSteps: 10 })).toEqual([words('1e10')]);
    expect(notes({ initialConstant: 1e20 })).toEqual([words('1e14')]);
  });

  it('name what has no result, answers without a class, and images that were not attacked', () => {
    const noted = summary({ attempted: 0, invalidAnswers: 3 });
    const notes = notesOf({
      ...report({
        evaluations: [{ ...results[0]!, summary: noted }],
        leftOut: [{ attack: 'fgsm', reason: 'interrupted' }],
      }),
      diagnosis: null,
      noDiagnosis: 'interrupted',
    });
    expect(notes).toEqual([
      'fgsm: left out, because interrupted',
      'checks: left out, because interrupted',
      'apgd-ce-linf: 3 answers of the model named no class (a logit was NaN, for example). None counts as a success.',
      'No image was attacked, because the model classifies none of them correctly. So there is no success rate.',
    ]);
  });
});

describe('wrapToWidth', () => {
  it('breaks at spaces, indents, and keeps a number with its %', () => {
    expect(wrapToWidth('one two 95 % three', 10)).toBe('one two\n  95 %\n  three');
    expect(wrapToWidth('one two 95 % three', null)).toBe('one two 95 % three');
    expect(wrapToWidth('incomprehensibilities', 5)).toBe('incomprehensibilities');
  });
});

it('takes grey pictures as colour images for a model of colour images', async () => {
  const model = fileURLToPath(new URL('../../../fixtures/models/keras-mobilenet/layers', import.meta.url));
  const context = { signal: new AbortController().signal, service: () => ({ url: '', token: undefined }) };
  const grey = [32, 32, 1];
  expect((await readModel(model, [grey, [32, 32, 3]], {}, context)).shape).toEqual([32, 32, 3]);
  await expect(readModel(model, [grey], {}, context)).rejects.toThrow(
    /model of images \[32, 32, 1\], but this one takes \[32, 32, 3\]/,
  );
});
