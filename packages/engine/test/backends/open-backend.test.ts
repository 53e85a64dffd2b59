import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { BackendUnavailable, backendNames } from '../../src/backends/backend.ts';
import { describeBackends, drivers, openBackend } from '../../src/backends/open-backend.ts';
import { checkNames, runSelfTest } from '../../src/backends/self-test.ts';
import golden from '../../src/backends/self-test-golden.json' with { type: 'json' };
import { solve } from './reference.ts';

test('the golden values are those that the reference computes', () => {
  const solved = solve();
  expect(Object.keys(golden)).toEqual([...checkNames]);
  for (const name of checkNames) {
    expect(golden[name]).toHaveLength(solved[name].length);
    for (const [i, value] of solved[name].entries())
      expect(Math.abs(golden[name][i]! - value)).toBeLessThanOrEqual(1e-9 * Math.abs(value));
  }
});

test('every backend has a driver, tried best first', () => {
  expect(drivers.map(({ name }) => name)).toEqual([...backendNames]);
});

test('the error for a missing package says what to install', async () => {
  await expect(openBackend('tensorflow')).rejects.toThrow(/npm install @tensorflow\/tfjs-node@4\.22\.0/);
  await expect(openBackend('cuda')).rejects.toThrow(BackendUnavailable);
});

test.each(['wasm', 'cpu'] as const)('%s opens, passes its self-test and says what it is', async (name) => {
  const backend = await openBackend(name);
  expect(tf.getBackend()).toBe(name);
  expect(backend).toMatchObject({ name, repeatable: true, versions: { tfjs: '4.22.0' } });
  const { checks, passed } = await runSelfTest();
  expect(passed).toBe(true);
  expect(checks.map((check) => check.name)).toEqual([...checkNames]);
});

test('the self-test leaves no tensors behind', async () => {
  await openBackend('cpu');
  const before = tf.memory().numTensors;
  await runSelfTest();
  expect(tf.memory().numTensors).toBe(before);
});

test('the report names every backend, and says why one does not work', async () => {
  await openBackend('cpu');
  const reports = await describeBackends();
  expect(reports.map(({ name }) => name)).toEqual([...backendNames]);
  for (const report of reports)
    if (report.usable) expect(report.selfTest.worst.error).toBeLessThan(report.selfTest.tolerance);
    else expect('reason' in report ? report.reason : report.selfTest.worst.name).not.toBe('');
  expect(tf.getBackend()).toBe('cpu');
});
