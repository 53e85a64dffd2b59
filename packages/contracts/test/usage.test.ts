import { expect, it } from 'vitest';
import { formatBytes } from '../src/text.ts';
import { coresText, totalUsage, usageText } from '../src/usage.ts';

const MiB = 2 ** 20;
const usage = { seconds: 10, cpuSeconds: 16, peakBytes: 512 * MiB };

it('the cores in use are CPU seconds over wall seconds', () => {
  expect(coresText(usage)).toBe('1.6');
  expect(usageText(usage)).toBe('1.6 cores, at most 512 MiB');
  expect(coresText({ ...usage, seconds: 0 })).toBe('–');
});

it('a total adds the times, and takes the largest peak of what was measured', () => {
  const second = { seconds: 30, cpuSeconds: 30, peakBytes: 600 * MiB };
  expect(totalUsage([usage, null, second, undefined])).toEqual({
    seconds: 40,
    cpuSeconds: 46,
    peakBytes: 600 * MiB,
  });
  expect(totalUsage([null, undefined])).toBeNull();
});

it.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1 KiB'],
  [1536, '1.5 KiB'],
  [1234 * 1024, '1.21 MiB'],
  [1023.7 * 1024, '1 MiB'],
  [1000 * MiB, '1000 MiB'],
  [4 * 1024 * MiB, '4 GiB'],
  [2.5 * 2 ** 50, '2.5 PiB'],
])('%i bytes are %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});
