import { createHash } from 'node:crypto';
import { AppError, type EvaluationRecords, type EvaluationSummary, type StageSpec } from '@funnel/contracts';
import type { EvaluationWrite } from '@funnel/db';

const wilson95 = 1.959964;

/** 95 % Wilson interval of k of n (Wilson 1927); [0, 1] of nothing. */
const interval = (k: number, n: number): [number, number] => {
  if (n === 0) return [0, 1];
  const share = k / n;
  const z2 = wilson95 ** 2;
  const centre = share + z2 / (2 * n);
  const spread = wilson95 * Math.sqrt((share * (1 - share)) / n + z2 / (4 * n * n));
  return [Math.max(0, (centre - spread) / (1 + z2 / n)), Math.min(1, (centre + spread) / (1 + z2 / n))];
};

/** Uniform in [0, 1) for image `index`: from the hash of the attacked network's state alone. */
const draw = (state: Uint8Array, what: string, index: number): number =>
  createHash('sha256').update(state).update(`${what}:${index}`).digest().readUInt32LE(0) / 2 ** 32;

const attackImages = (state: Uint8Array, images: number): EvaluationRecords => {
  const index = Array.from({ length: images }, (_, i) => i);
  const correct = index.map((i) => draw(state, 'correct', i) < 0.9);
  const success = index.map((i) => correct[i]! && draw(state, 'success', i) < 0.5);
  const label = index.map((i) => i % 10);
  const distance = (most: number) =>
    index.map((i) => (success[i] ? most * draw(state, `distance ${most}`, i) : null));
  return {
    index,
    label,
    correct,
    success,
    predicted: index.map((i) => (success[i] || !correct[i] ? (i + 1) % 10 : i % 10)),
    l2: distance(3),
    linf: distance(0.3),
    l0: index.map((i) => (success[i] ? 1 + Math.floor(700 * draw(state, 'l0', i)) : null)),
    steps: index.map((i) => (correct[i] ? 1 : 0)),
    queries: index.map((i) => (correct[i] ? 2 : 0)),
  };
};

const mean = (values: readonly number[]): number | null =>
  values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;

const present = (values: readonly (number | null)[]): number[] => values.filter((value) => value !== null);

/** The middle one of `count`, those that are not there as infinity: null when the middle is infinite. */
const median = (values: readonly (number | null)[], count: number): number | null =>
  present(values).sort((a, b) => a - b)[Math.floor((count - 1) / 2)] ?? null;

const summarise = (records: EvaluationRecords): EvaluationSummary => {
  const images = records.index.length;
  const attempted = records.correct.filter(Boolean).length;
  const successes = records.success.filter(Boolean).length;
  const l2 = present(records.l2);
  const squares = l2.map((norm) => norm ** 2 / (28 * 28));
  return {
    images,
    attempted,
    cleanAccuracy: attempted / images,
    cleanInterval: interval(attempted, images),
    successes,
    successRate: attempted === 0 ? 0 : successes / attempted,
    successInterval: interval(successes, attempted),
    robustAccuracy: (attempted - successes) / images,
    robustInterval: interval(attempted - successes, images),
    noiseLevel: mean(l2),
    noiseLevelAll: attempted === 0 ? null : l2.reduce((sum, norm) => sum + norm, 0) / attempted,
    meanSquaredError: mean(squares),
    medianL2Success: median(l2, successes),
    medianL2: median(records.l2, attempted),
    medianLinf: median(records.linf, attempted),
    medianL0: median(records.l0, attempted),
    meanQueries: attempted === 0 ? null : 2,
    meanSteps: attempted === 0 ? null : 1,
  };
};

/** What the attack of a stage "found" on the network whose state this is: plausible numbers, the same ones every time. */
export const standInEvaluation = (spec: StageSpec, state: Uint8Array): EvaluationWrite => {
  if (!spec.attack)
    throw new AppError('INTERNAL', `Expected an attack in the stage ${spec.id}, but got none`);
  const records = attackImages(state, spec.dataset.attack);
  return {
    attack: spec.attack.attack,
    settings: spec.attack.settings,
    summary: summarise(records),
    verdict: 'ok',
    diagnostics: [],
    records,
    gallery: { shape: [1, 1, 1], index: [0], original: Uint8Array.of(0), attacked: Uint8Array.of(255) },
  };
};
