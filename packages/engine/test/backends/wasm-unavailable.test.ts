/** In a file, and so a process, of its own: tfjs starts WebAssembly once. */
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { openBackend } from '../../src/backends/open-backend.ts';

beforeAll(() => {
  // What V8 says where a limit on addresses leaves no room for a memory.
  vi.spyOn(WebAssembly, 'instantiate').mockRejectedValue(
    new RangeError('WebAssembly.instantiate(): Out of memory: Cannot allocate Wasm memory for new instance'),
  );
  vi.spyOn(console, 'warn').mockImplementation(() => {});
});
afterAll(() => vi.restoreAllMocks());

test('wasm that cannot be started is said, and nothing else is taken for it', async () => {
  await expect(openBackend('wasm')).rejects.toMatchObject({
    name: 'BackendUnavailable',
    message: expect.stringContaining('wasm could not be started'),
  });
});

test('what was asked for nothing in particular gets the next, under its own name', async () => {
  expect(await openBackend('auto')).toMatchObject({ name: 'cpu' });
  expect(tf.getBackend()).toBe('cpu');
});
