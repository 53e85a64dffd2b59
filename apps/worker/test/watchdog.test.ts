import type { ClaimedStage } from '@funnel/db';
import { describe, expect, it } from 'vitest';
import { type Attempt, createWatchdog, newAttempt, noteProgress } from '../src/attempt.ts';
import { createWakeUpSignal } from '../src/supervisor.ts';
import type { Trainer } from '../src/trainer-process.ts';

const attempt = (change: Partial<Attempt> = {}): Attempt => ({
  ...newAttempt({} as ClaimedStage), // the watchdog asks nothing of the stage
  trainer: {} as Trainer,
  ...change,
});

/** A watchdog with a limit of 10 s on a clock that the test winds. */
const wound = () => {
  let clock = 0;
  const watchdog = createWatchdog(10_000, () => clock);
  /** So many looks, one a second. */
  const pass = (seconds: number, attempts: readonly Attempt[]): readonly Attempt[] => {
    let hung: readonly Attempt[] = [];
    for (let i = 0; i < seconds; i++) {
      clock += 1000;
      hung = watchdog.findHung(attempts);
    }
    return hung;
  };
  return { pass, jump: (seconds: number) => (clock += 1000 * seconds), findHung: watchdog.findHung };
};

describe('the watchdog', () => {
  it('names an attempt that has moved and then made no progress for longer than the limit', () => {
    const moved = attempt({ moved: true });
    const { pass } = wound();
    expect(pass(10, [moved])).toEqual([]);
    expect(pass(1, [moved])).toEqual([moved]);
  });
  it('gives the first step twice as long', () => {
    const fresh = attempt();
    const { pass } = wound();
    expect(pass(20, [fresh])).toEqual([]);
    expect(pass(1, [fresh])).toEqual([fresh]);
  });
  it('starts anew at every sign of progress', () => {
    const moving = attempt();
    const { pass } = wound();
    for (let i = 0; i < 5; i++) {
      expect(pass(9, [moving])).toEqual([]);
      noteProgress(moving);
    }
  });
  it('blames nobody for the database, for a stop that is under way, or for a wait before the trainer', () => {
    const { pass } = wound();
    const others = [attempt({ saving: 1 }), attempt({ stopping: 'pause' }), attempt({ trainer: null })];
    expect(pass(100, others)).toEqual([]);
  });
  it('does not take a night in suspension for a hang', () => {
    const { jump, findHung } = wound();
    const asleep = attempt({ moved: true });
    jump(30_000);
    expect(findHung([asleep])).toEqual([]);
  });
});

describe('the doorbell', () => {
  it('wakes one sleeper per ring, and keeps one ring for who comes later', async () => {
    const signal = createWakeUpSignal();
    const woken: string[] = [];
    const sleep = (name: string) => signal.wait().then(() => woken.push(name));
    const first = sleep('first');
    const second = sleep('second');
    signal.wakeOne();
    await first;
    expect(woken).toEqual(['first']);
    signal.wakeOne();
    await second;
    signal.wakeOne();
    signal.wakeOne();
    await sleep('third');
    const fourth = sleep('fourth');
    signal.wakeAll();
    await fourth;
    expect(woken).toEqual(['first', 'second', 'third', 'fourth']);
  });
});
