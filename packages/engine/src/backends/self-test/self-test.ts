import * as tf from '@tensorflow/tfjs';
import { messageOf } from '../backend.ts';
import { solveChecks } from './checks.ts';
import golden from './golden.json' with { type: 'json' };
import type { CheckName } from './problem.ts';

export interface CheckResult {
  readonly name: CheckName;
  /** Largest difference from the golden values, as a share of the largest of them; Infinity where there are no numbers to compare. */
  readonly error: number;
  /** What the op said when it threw. */
  readonly message?: string;
}

export interface SelfTest {
  readonly passed: boolean;
  readonly tolerance: number;
  readonly checks: readonly CheckResult[];
  /** The check that failed, or else the one that came closest to it. */
  readonly worst: CheckResult;
}

/** Single precision, sums in any order. */
const tolerance = 1e-4;

function errorOf(values: ArrayLike<number>, expected: readonly number[]): number {
  if (values.length !== expected.length) return Number.POSITIVE_INFINITY;
  const scale = Math.max(...expected.map(Math.abs));
  const worst = Math.max(...expected.map((value, i) => Math.abs(value - values[i]!)));
  return Number.isFinite(worst) ? worst / scale : Number.POSITIVE_INFINITY;
}

/**
 * A small training step, all its gradients and a step of DeepFool on the backend that tfjs runs on, against values computed once in
 * double precision. Stops at the first op that throws, since the rest needs it.
 */
export async function runSelfTest(): Promise<SelfTest> {
  const computed: { name: CheckName; tensor: tf.Tensor }[] = [];
  let thrown: CheckResult | undefined;
  tf.engine().startScope();
  try {
    let current: CheckName = 'conv2d with ReLU';
    try {
      solveChecks((name, compute) => {
        current = name;
        const tensor = compute();
        computed.push({ name, tensor });
        return tensor;
      });
    } catch (error) {
      thrown = { name: current, error: Number.POSITIVE_INFINITY, message: messageOf(error) };
    }
    const checks: CheckResult[] = [];
    for (const { name, tensor } of computed)
      checks.push({ name, error: errorOf(await tensor.data(), golden[name]) });
    if (thrown) checks.push(thrown);
    const failed = checks.find(({ error }) => !(error <= tolerance));
    const worst = failed ?? checks.reduce((most, check) => (check.error > most.error ? check : most));
    return { passed: failed === undefined, tolerance, checks, worst };
  } finally {
    tf.engine().endScope();
  }
}
