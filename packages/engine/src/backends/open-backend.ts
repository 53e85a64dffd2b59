/** Lists the backends and opens one of them. `auto` takes the best that works. Every backend must pass the self-test first. */
import * as tf from '@tensorflow/tfjs';
import {
  type Backend,
  type BackendDriver,
  type BackendName,
  BackendUnavailable,
  BackendWrong,
  messageOf,
} from './backend.ts';
import { cpu } from './cpu.ts';
import { runSelfTest, type SelfTest } from './self-test.ts';
import { cuda, tensorflow } from './tensorflow.ts';
import { wasm } from './wasm.ts';
import { webgpu } from './webgpu.ts';

/** Best first, in the order of `backendNames`. */
export const drivers: readonly BackendDriver[] = [cuda, tensorflow, webgpu, wasm, cpu];

/** Results of self-tests in this process. The arithmetic of a backend does not change while it runs. */
const tested = new Map<BackendName, SelfTest>();

/** The result of the self-test of `name`, the backend on which tfjs runs now. */
export async function selfTestOf(name: BackendName): Promise<SelfTest> {
  const known = tested.get(name);
  if (known) return known;
  const result = await runSelfTest();
  tested.set(name, result);
  return result;
}

/**
 * Makes tfjs run on the named backend or, for `auto`, on the best one that opens here and passes its self-test. Throws BackendUnavailable,
 * which says what is missing, or BackendWrong, which says which operation is wrong. `chosen`: false to open a named backend only where `auto`
 * would take it, without a try that prints warnings of a driver.
 */
export async function openBackend(
  name: 'auto' | BackendName,
  { chosen = name !== 'auto' }: { readonly chosen?: boolean } = {},
): Promise<Backend> {
  const reasons: string[] = [];
  for (const driver of drivers.filter((driver) => name === 'auto' || driver.name === name)) {
    try {
      return await openTested(driver, chosen);
    } catch (error) {
      const refused = error instanceof BackendUnavailable || error instanceof BackendWrong;
      if (name !== 'auto' || !refused) throw error;
      reasons.push(`${driver.name}: ${error.message}`);
    }
  }
  throw new BackendUnavailable(`No backend works here. ${reasons.join(' ')}`);
}

async function openTested(driver: BackendDriver, chosen: boolean): Promise<Backend> {
  const backend = await driver.open({ chosen });
  const { passed, worst, tolerance } = await selfTestOf(driver.name);
  if (passed) return backend;
  const what =
    worst.message ?? `its relative error is ${worst.error.toExponential(1)}, and ${tolerance} is allowed`;
  throw new BackendWrong(`${backend.name} on ${backend.device} computes ${worst.name} wrongly: ${what}`);
}

export type BackendReport =
  | { readonly name: BackendName; readonly usable: false; readonly reason: string }
  | {
      readonly name: BackendName;
      readonly usable: boolean;
      readonly backend: Backend;
      readonly selfTest: SelfTest;
    };

/** Every backend, best first: the reason why it does not open here, or its device and the result of its self-test. */
export async function describeBackends(): Promise<readonly BackendReport[]> {
  const before = tf.getBackend();
  const reports: BackendReport[] = [];
  for (const { name, open } of drivers) {
    try {
      const backend = await open({ chosen: true });
      const selfTest = await selfTestOf(name);
      reports.push({ name, usable: selfTest.passed, backend, selfTest });
    } catch (error) {
      reports.push({ name, usable: false, reason: messageOf(error) });
    }
  }
  if (before) await tf.setBackend(before);
  return reports;
}
