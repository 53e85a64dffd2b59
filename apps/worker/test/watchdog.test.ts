import type { ClaimedStage } from '@funnel/db';
import { describe, expect, it } from 'vitest';
import { type Attempt, createWatchdog, newAttempt, noteProgress } from '../src/attempt.ts';
import { createWakeUpSignal } from '../src/supervisor.ts';
import type { Trainer } from '../src/trainer-process.ts';

const attempt = (change: Partial<Attempt> = {}): Attempt => ({
  ...newAttempt({} as ClaimedStage), // the watchdog does not read the stage
  trainer: {} as Trainer,
  ...change,
});

/** A watchdog with a limit of 10 s, on a clock that the test sets. */
const testWatchdog = () => {
  let clock = 0;
  const watchdog = createWatchdog(10_000, () => clock);
  /** Makes one check per second for some seconds. Answers the attempts that the last check found. */
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
  it('returns an attempt that made progress, and then none for longer than the limit', () => {
    const moved = attempt({ moved: true });
    const { pass } = testWatchdog();
    expect(pass(10, [moved])).toEqual([]);
    expect(pass(1, [moved])).toEqual([moved]);
  });
  it('gives the first step twice as long', () => {
    const fresh = attempt();
    const { pass } = testWatchdog();
    expect(pass(20, [fresh])).toEqual([]);
    expect(pass(1, [fresh])).toEqual([fresh]);
  });
  it('starts anew at every sign of progress', () => {
    const moving = attempt();
    const { pass } = testWatchdog();
    for (let i = 0; i < 5; i++) {
      expect(pass(9, [moving])).toEqual([]);
      noteProgress(moving);
    }
  });
  it('does not count while the attempt writes to the database, while it stops, or before it has a trainer', () => {
    const { pass } = testWatchdog();
    const others = [attempt({ saving: 1 }), attempt({ stopping: 'pause' }), attempt({ trainer: null })];
    expect(pass(100, others)).toEqual([]);
  });
  it('does not count a night in which the worker was suspended', () => {
    const { jump, findHung } = testWatchdog();
    const asleep = attempt({ moved: true });
    jump(30_000);
    expect(findHung([asleep])).toEqual([]);
  });
});

describe('the wake-up signal', () => {
  it('wakes one waiting slot per signal, and keeps one signal for a slot that waits later', async () => {
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
