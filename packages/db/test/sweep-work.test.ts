import { describe, expect, it } from 'vitest';
import { secondsLeft, type WorkRow } from '../src/reads/sweep-work.ts';

/** A running sweep of `attacks` attacks whose training has ended. */
const sweepOf = (attacks: number): WorkRow =>
  ({
    ...{ id: 'w', name: 'W', status: 'running', priority: 0 },
    ...{ configurations: null, proposed: null, search_end: null },
    plan: {
      trials: 1,
      epochs: { needed: 10 },
      stages: { attack: { total: attacks, cached: 0 } },
      estimate: null,
    },
  }) as unknown as WorkRow;

const left = (attacks: number, counts: Record<string, number>): number | undefined =>
  secondsLeft(sweepOf(attacks), new Map(Object.entries({ trained: 10, active: 0, ...counts })))?.seconds;

describe('the time left', () => {
  it('counts attacks in progress as half done', () => {
    // 100 s for one attack that is done and two that are half done: 50 s each. 7 are left, 2 of them half done.
    expect(
      left(8, {
        ...{ active: 100_000, 'active:attack': 100_000 },
        ...{ 'stage:attack:completed': 1, 'stage:attack:running': 2 },
      }),
    ).toBeCloseTo(300, 6);
    expect(
      left(8, {
        ...{ active: 100_000, 'active:attack': 100_000 },
        ...{ 'stage:attack:completed': 4, 'stage:attack:running': 2 },
      }),
    ).toBeCloseTo(60, 6);
  });

  it('is not known before the first attack, if nothing measured attacks', () => {
    const running = { active: 20_000, 'stage:attack:running': 2 };
    expect(left(8, running)).toBeUndefined();
    expect(left(8, { ...running, 'active:attack': 10_000 })).toBeUndefined();
  });

  it('is half an attack while the last one runs', () => {
    expect(
      left(2, {
        ...{ active: 30_000, 'active:attack': 30_000 },
        ...{ 'stage:attack:completed': 1, 'stage:attack:running': 1 },
      }),
    ).toBeCloseTo(10, 6);
  });
});
