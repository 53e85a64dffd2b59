/** These tests need a file, and so a process, of their own: tfjs starts WebAssembly only once. */
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { openBackend } from '../../src/backends/open-backend.ts';

beforeAll(() => {
  // The error of V8 where a limit on the address space leaves no room for a memory.
  vi.spyOn(WebAssembly, 'instantiate').mockRejectedValue(
    new RangeError('WebAssembly.instantiate(): Out of memory: Cannot allocate Wasm memory for new instance'),
  );
  vi.spyOn(console, 'warn').mockImplementation(() => {});
});
afterAll(() => vi.restoreAllMocks());

test('where wasm cannot start, opening it fails instead of opening another backend', async () => {
  await expect(openBackend('wasm')).rejects.toMatchObject({
    name: 'BackendUnavailable',
    message: expect.stringContaining('wasm could not be started'),
  });
});

test('auto then opens the next backend and says its name', async () => {
  expect(await openBackend('auto')).toMatchObject({ name: 'cpu' });
  expect(tf.getBackend()).toBe('cpu');
});
