/** The progress of a sweep fits the width of the terminal, and no part is cut off. */
import type { SweepDetail, Worker } from '@funnel/contracts';
import { describe, expect, it } from 'vitest';
import { describePlan } from '../src/output/plan.ts';
import { describeSweeps } from '../src/output/sweeps.ts';
import { progressLines, progressSentence } from '../src/watch.ts';

/** The fields that the progress is made from. */
const sweep = (changes: Partial<SweepDetail>) =>
  ({
    name: 'γ against β',
    status: 'running',
    progress: 0.63,
    etaSeconds: 185,
    epochsTrained: 12,
    plan: { epochs: { needed: 24 } },
    stages: [
      { kind: 'initialise', status: 'completed', count: 5 },
      { kind: 'attack', status: 'ready', count: 4 },
    ],
    waitsFor: [],
    ...changes,
  }) as unknown as SweepDetail;
const worker = {
  status: 'online',
  running: [{ kind: 'initialise', position: { epoch: 2, step: 0 }, epochs: 9, imagesPerSecond: 1234.5 }],
} as unknown as Worker;

const large = sweep({
  name: 'Every recipe against every attack, at the sizes of the paper',
  epochsTrained: 123_456,
  plan: { epochs: { needed: 234_567 } } as SweepDetail['plan'],
  stages: [{ kind: 'attack', status: 'completed', count: 98_765 }],
  etaSeconds: 100_000,
});

describe('the progress of a sweep', () => {
  it('is one sentence', () => {
    expect(progressSentence(sweep({}))).toBe(
      '63.0 % · 5 of 9 stages · 12 of 24 epochs · about 3 min 5 s left',
    );
  });

  const behind = {
    sweeps: ['A', 'B', 'C'].map((name) => ({ id: name, name, status: 'running' as const })),
    seconds: 720,
  };

  it('says which sweeps run first, in every place', () => {
    const waiting = sweep({ behind });
    const words = 'about 3 min 5 s left · waits behind A, B and 1 more (about 12 min)';
    expect(progressSentence(waiting)).toBe(`63.0 % · 5 of 9 stages · 12 of 24 epochs · ${words}`);
    const unknown = sweep({ etaSeconds: null, behind: { ...behind, seconds: null } });
    expect(progressSentence(unknown)).toMatch(/ epochs · waits behind A, B and 1 more$/);
    const listed = { ...waiting, id: 's1', trials: {}, createdAt: '2026-01-01T00:00:00.000Z' };
    const [titles, line] = describeSweeps([listed]).split('\n');
    expect(titles).toMatch(/ left +turn +trials /);
    expect(line).toMatch(/3 min 5 s +waits behind A, B and 1 more \(about 12 min\) /);
    expect(describeSweeps([{ ...listed, behind: undefined }])).not.toContain('turn');
    const plan = {
      ...{ trials: 0, stages: {}, epochs: { unshared: 0, needed: 0, cached: 0 }, sharing: 1 },
      behind,
    };
    const estimate = { parameters: 1, trainerBytes: 1, storedBytes: 1, attackQueries: 1, seconds: 30 };
    expect(describePlan({ ...plan, estimate } as never)).toContain(
      'time      about 30 s, at the speed of the last stages here; waits behind A, B and 1 more (about 12 min)',
    );
  });

  it('is one line if there is room', () => {
    const [first, second, ...rest] = progressLines(sweep({}), [worker], 140);
    expect(first).toMatch(/^γ against β {2}█+.?░+ 63\.0 % · 5 of 9 stages .* left$/);
    expect(second).toMatch(/^ {2}initialise █+.?░+ epoch 3\/9 +1,235 images\/s$/);
    expect(rest).toEqual([]);
  });

  it.each([40, 60, 80, 100, 140])('fits %i columns without losing a part', (columns) => {
    for (const one of [sweep({}), large]) {
      const lines = progressLines(one, [worker], columns);
      const numbers = lines.slice(0, -1);
      if (one !== large) for (const line of numbers) expect([...line].length, line).toBeLessThan(columns);
      for (const part of progressSentence(one).split(' · '))
        expect(
          numbers.filter((line) => line.includes(part.trim()) && [...line].length < columns),
        ).toHaveLength(1);
    }
  });

  it('says why it does not move: a pause, or stages that no worker can run', () => {
    const [, paused] = progressLines(sweep({ id: 'ab12', status: 'paused' }), [], 140);
    expect(paused).toBe('  `npx funnel resume ab12` goes on');
    const waiting = sweep({ waitsFor: ['waits for a worker with mnist', `waits for ${'x'.repeat(100)}`] });
    const lines = progressLines(waiting, [], 60);
    expect(lines).toContain('  ✗ a stage waits for a worker with mnist');
    expect(lines.at(-1)).toMatch(/^ {2}✗ a stage waits for x+…$/);
    expect([...lines.at(-1)!].length).toBeLessThan(60);
  });

  it('says what a cancelled sweep kept', () => {
    const stages: SweepDetail['stages'] = [
      { kind: 'initialise', status: 'completed', count: 5 },
      { kind: 'optimise', status: 'diverged', count: 1 },
      { kind: 'attack', status: 'cancelled', count: 4 },
      { kind: 'attack', status: 'skipped', count: 2 },
    ];
    expect(progressSentence(sweep({ status: 'cancelled', etaSeconds: null, stages }))).toBe(
      '63.0 % · cancelled · kept: 6 of 12 stages, 12 of 24 epochs',
    );
  });

  it('does not move while numbers grow', () => {
    const heights = [0, 9, 99, 100, 3599].map(
      (etaSeconds) => progressLines(sweep({ etaSeconds, epochsTrained: etaSeconds % 24 }), [], 80).length,
    );
    expect(new Set(heights).size).toBe(1);
  });

  it('never counts an epoch beyond the last', () => {
    const [running] = worker.running;
    const ended = { ...worker, running: [{ ...running, position: { epoch: 9, step: 0 } }] } as Worker;
    expect(progressLines(sweep({}), [ended], 140).at(-1)).toContain('epoch 9/9');
  });
});
