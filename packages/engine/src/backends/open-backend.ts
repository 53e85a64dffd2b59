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

/** Best first. */
export const drivers: readonly BackendDriver[] = [cuda, tensorflow, webgpu, wasm, cpu];

/** What each backend's self-test gave in this process: its arithmetic does not change while it runs. */
const tested = new Map<BackendName, SelfTest>();

/** The self-test of the backend that tfjs runs on. */
export async function selfTestOf(name: BackendName): Promise<SelfTest> {
  const known = tested.get(name);
  if (known) return known;
  const result = await runSelfTest();
  tested.set(name, result);
  return result;
}

/**
 * Makes tfjs run on the named backend, or, for `auto`, on the best that this machine has and that computes what it should.
 * Throws BackendUnavailable, saying what is missing, or BackendWrong, saying which op is wrong.
 */
export async function openBackend(name: 'auto' | BackendName): Promise<Backend> {
  const chosen = name !== 'auto';
  const reasons: string[] = [];
  for (const driver of drivers.filter((driver) => !chosen || driver.name === name)) {
    try {
      return await openTested(driver, chosen);
    } catch (error) {
      const refused = error instanceof BackendUnavailable || error instanceof BackendWrong;
      if (chosen || !refused) throw error;
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
    worst.message ?? `it is off by ${worst.error.toExponential(1)} of its size, and ${tolerance} is allowed`;
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

/** Every backend, best first: why it is not usable here, or what it runs on and what its self-test gave. */
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
