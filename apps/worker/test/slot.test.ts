import { createRequire } from 'node:module';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createSlot } from '../src/slot.ts';

const isInstalled = (name: string): boolean => {
  try {
    createRequire(import.meta.url).resolve(name);
    return true;
  } catch {
    return false;
  }
};

describe('a slot', () => {
  // A machine with this package may have a GPU too.
  it.skipIf(isInstalled('@tensorflow/tfjs-node-gpu'))(
    'tries a backend once that this machine does not have, and says what is missing',
    async () => {
      const lines: string[] = [];
      const log = pino({}, { write: (line: string) => void lines.push(line) });
      const slot = createSlot({
        setup: { folders: {}, backend: 'cuda', simulation: null },
        memoryLimitBytes: 2 ** 40,
        log,
      });
      onTestFinished(slot.close);
      await expect(slot.trainer()).rejects.toMatchObject({
        code: 'TRAINER_UNUSABLE',
        message: expect.stringMatching(/^@tensorflow\/tfjs-node-gpu is not installed: npm install /),
      });
      expect(lines.filter((line) => line.includes('trainer did not start'))).toEqual([]);
    },
  );
});
