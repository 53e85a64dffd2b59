import { createHash } from 'node:crypto';
import { summarise } from '@funnel/attacks/summary';
import { AppError, datasets, type EvaluationRecords, type StageSpec } from '@funnel/contracts';
import type { EvaluationWrite } from '@funnel/db';

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

/** What the attack of a stage "found" on the network whose state this is: plausible numbers, the same ones every time. */
export const simulatedEvaluation = (spec: StageSpec, state: Uint8Array): EvaluationWrite => {
  if (!spec.attack)
    throw new AppError('INTERNAL', `Expected an attack in the stage ${spec.id}, but got none`);
  const [height, width, channels] = datasets[spec.dataset.name].shape;
  const records = attackImages(state, spec.dataset.attack);
  return {
    attack: spec.attack.attack,
    settings: spec.attack.settings,
    summary: summarise(records, height * width * channels),
    verdict: 'ok',
    diagnostics: [],
    records,
    gallery: { shape: [1, 1, 1], index: [0], original: Uint8Array.of(0), attacked: Uint8Array.of(255) },
  };
};
