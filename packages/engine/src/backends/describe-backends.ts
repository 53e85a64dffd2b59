import * as tf from '@tensorflow/tfjs';
import { type Backend, type BackendName, messageOf } from './backend.ts';
import { drivers, selfTestOf } from './open-backend.ts';
import type { SelfTest } from './self-test/self-test.ts';

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
