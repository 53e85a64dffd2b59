/** At a terminal, the log of a worker is sentences. */
import { expect, it } from 'vitest';
import { describeLogLine, sentenceOf } from '../src/output/log-lines.ts';

const at = new Date(2026, 10, 30, 15, 52, 38).getTime();
const line = (fields: object): string =>
  describeLogLine(
    JSON.stringify({
      ...{ level: 30, time: at, pid: 7, hostname: 'h', part: 'worker', worker: 'w', sweeps: ['s'] },
      ...{ stage: 'c6adc09a66bca90a', kind: 'attack', attempt: 1, fencingToken: 3 },
      ...fields,
    }),
  );

it('says the time, the stage, what happened, and its numbers', () => {
  expect(line({ seconds: 64.67, status: 'completed', msg: 'stage ended' })).toBe(
    '15:52:38 attack c6adc09a: stage ended (status completed, 1 min 5 s)',
  );
  expect(line({ epochs: 3, from: { epoch: 1, step: 0 }, attempt: 2, msg: 'stage started' })).toBe(
    '15:52:38 attack c6adc09a: stage started (epochs 3, attempt 2)',
  );
  expect(line({ epochs: 0, msg: 'stage started' })).toBe('15:52:38 attack c6adc09a: stage started');
});

it('marks warnings and errors, and says why', () => {
  const failed = { level: 50, err: { message: 'no room' }, msg: 'claim failed' };
  expect(line({ ...failed, stage: undefined, kind: undefined })).toBe('! 15:52:38 claim failed: no room');
  expect(sentenceOf({ msg: 'a', error: 'b' })).toBe('a: b');
  expect(sentenceOf({})).toBe('something happened');
});
