import { evaluateAttack } from '@funnel/attacks';
import { AppError, AttackSpec } from '@funnel/contracts';
import type { EvaluationWrite } from '@funnel/db';
import { gatherImages, loadClassifier } from '@funnel/engine';
import type { StageEnd, StageTask } from './messages.ts';
import type { LoadDataset } from './run-stage.ts';
import type { StageHooks } from './stage-runner.ts';

/** Pictures kept of an evaluation: the first images that the attack fooled, then the first of the others. */
const galleryImages = 24;

const aliveMilliseconds = 1000;

const toBytes = (pixels: Float32Array): Uint8Array =>
  Uint8Array.from(pixels, (value) => Math.round(value * 255));

/** Pictures of some images before and after, as bytes. */
const gallery = (
  evaluation: Awaited<ReturnType<typeof evaluateAttack>>,
  images: Float32Array,
  shape: readonly number[],
): EvaluationWrite['gallery'] => {
  const { records, adversarials } = evaluation;
  const width = shape.reduce((a, b) => a * b, 1);
  const fooled = (wanted: boolean) =>
    records.index.flatMap((_, row) => (records.success[row] === wanted ? [row] : []));
  const rows = [...fooled(true), ...fooled(false)].slice(0, galleryImages).sort((a, b) => a - b);
  const pick = (values: Float32Array): Uint8Array => {
    const bytes = new Uint8Array(rows.length * width);
    for (const [i, row] of rows.entries())
      bytes.set(toBytes(values.subarray(row * width, (row + 1) * width)), i * width);
    return bytes;
  };
  return {
    shape,
    index: rows.map((row) => records.index[row]!),
    original: pick(images),
    attacked: pick(adversarials),
  };
};

/** Attacks the parent's classifier on the first `dataset.attack` test images. Stopped, it leaves nothing: it begins again. */
export const attackStage = async (
  { spec, start }: StageTask,
  hooks: StageHooks,
  load: LoadDataset,
): Promise<StageEnd> => {
  if (!start || !spec.attack)
    throw new AppError('INTERNAL', `Expected the stage ${spec.id} to have a classifier and an attack`);
  const test = await (await load(spec.dataset)).test();
  const rows = Array.from({ length: spec.dataset.attack }, (_, row) => row);
  const images = gatherImages(test, rows); // [attack, height, width, channels] in [0, 1]
  const classifier = loadClassifier(start);
  const started = performance.now();
  let imagesPerSecond: number | null = null;
  // A batch can take minutes. The timer's turn comes only when the attack yields between its steps: that is the sign that it goes on.
  const alive = setInterval(() => hooks.onProgress({ position: null, imagesPerSecond }), aliveMilliseconds);
  try {
    const evaluation = await evaluateAttack({
      model: { ...classifier, bounds: [0, 1] },
      images,
      labels: test.labels.subarray(0, spec.dataset.attack),
      attack: AttackSpec.parse(spec.attack),
      seed: spec.seed,
      resources: { encoder: classifier.encoder },
      signal: hooks.signal,
      onProgress: ({ done }) => {
        imagesPerSecond = (done * 1000) / (performance.now() - started);
      },
    });
    const { attack, settings } = evaluation.attack;
    const { summary, records } = evaluation;
    return {
      status: 'completed',
      evaluation: {
        attack,
        settings,
        summary,
        records,
        verdict: 'ok',
        diagnostics: [],
        gallery: gallery(evaluation, images, test.shape),
      },
    };
  } catch (error) {
    if (hooks.signal.aborted) return { status: 'stopped' };
    throw error;
  } finally {
    clearInterval(alive);
    classifier.dispose();
  }
};
