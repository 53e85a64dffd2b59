/** A process that attacks corrects operators of TensorFlow.js. Training in the same process must keep its bits. */
import { type Recipe, type RecipeName, recipes } from '@funnel/contracts';
import { correctOperators } from '@funnel/kernels';
import { expect, it } from 'vitest';
import { openBackend } from '../../src/backends/open-backend.ts';
import { onto, type Ran, run, specOf } from '../stages.ts';

/** The checkpoints of all stages of all recipes. */
const trainAll = async (): Promise<Record<string, readonly string[]>> => {
  const hashes: Record<string, readonly string[]> = {};
  for (const name of Object.keys(recipes) as RecipeName[]) {
    let parent: Ran | undefined;
    for (const { kind } of recipes[name].stages as Recipe['stages']) {
      const spec = specOf(name, kind, 2, { trainingSteps: 2, warmupEpochs: 1 });
      parent = await run(spec, parent ? onto(parent) : null);
      hashes[`${name} ${kind}`] = parent.hashes;
    }
  }
  return hashes;
};

it('every recipe trains to the same bits before and after the corrections, on cpu and wasm', async () => {
  const trained: Awaited<ReturnType<typeof trainAll>>[] = [];
  for (const corrected of [false, true]) {
    for (const backend of ['cpu', 'wasm'] as const) {
      await openBackend(backend);
      if (corrected) correctOperators();
      trained.push(await trainAll());
    }
  }
  const [cpu, wasm, cpuCorrected, wasmCorrected] = trained;
  expect(cpuCorrected).toEqual(cpu);
  expect(wasmCorrected).toEqual(wasm);
  expect(Object.keys(wasm!).length).toBeGreaterThan(Object.keys(recipes).length);
}, 300_000);
