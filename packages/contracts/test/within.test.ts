import { expect, test } from 'vitest';
import { within } from '../src/index.ts';

const never = new Promise<never>(() => {});

test('is true for a promise that resolves in time, false for a late one, and rejects with the promise', async () => {
  expect(await within(60_000, Promise.resolve('done'))).toBe(true);
  expect(await within(1, never)).toBe(false);
  await expect(within(60_000, Promise.reject(new Error('broke')))).rejects.toThrow('broke');
});

test('leaves no timer, however the wait ends', async () => {
  const timers = () => process.getActiveResourcesInfo().filter((what) => what === 'Timeout').length;
  const before = timers();
  await within(60_000, Promise.resolve());
  await within(60_000, Promise.reject(new Error('broke'))).catch(() => {});
  expect(timers()).toBe(before);
});

test('a rejection after the time does no harm', async () => {
  let reject = (_: Error): void => {};
  const slow = new Promise<never>((_, fail) => {
    reject = fail;
  });
  expect(await within(1, slow)).toBe(false);
  reject(new Error('too late')); // an unhandled rejection would fail the test run
  await new Promise(setImmediate);
});
