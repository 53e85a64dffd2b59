/** Steps far longer than the ball, which float32 cannot add to a pixel without loss. */
import type { AttackInput } from '@funnel/contracts';
import { beforeAll, expect, it } from 'vitest';
import { evaluateAttack } from '../src/index.ts';
import { tinyImages, tinyNetwork, useWasm } from './helpers/tiny.ts';

beforeAll(useWasm);

it.each([
  ['bim', 0.1, 0.2], // in L∞ a step across the ball ends at its face, as every longer step does
  ['bim-l2', 0.5, 5e5],
] as const)('%s with a step of 1e30 gives what a long step gives', async (attack, epsilon, long) => {
  const { model, dispose } = tinyNetwork(1);
  const run = async (stepSize: number, search: boolean) =>
    (
      await evaluateAttack({
        model,
        ...tinyImages(model, 20),
        attack: { attack, search, epsilon, stepSize } as AttackInput,
      })
    ).summary;
  for (const search of [false, true]) {
    const huge = await run(1e30, search);
    expect(huge.successes).toBeGreaterThan(5);
    expect(huge.successes).toBe((await run(long, search)).successes);
  }
  dispose();
});
