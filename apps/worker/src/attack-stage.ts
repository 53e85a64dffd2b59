import { type ClassifierModel, evaluateAttack } from '@funnel/attacks';
import { AppError, AttackSpec } from '@funnel/contracts';
import { gatherImages, loadClassifier } from '@funnel/engine';
import { createDiagnosis, type Diagnosed } from './diagnose-once.ts';
import { gallery } from './gallery.ts';
import type { StageTask } from './messages.ts';
import type { RunKind } from './run-kind.ts';

const aliveMilliseconds = 1000;

/** What the diagnosis depends on: the classifiers' checkpoints and the images. */
const diagnosisKeys = ({ spec, start, surrogates }: StageTask): Diagnosed['keys'] => {
  const own = [start?.manifest.networks, start?.manifest.scalars, spec.dataset, spec.seed];
  return {
    model: JSON.stringify(own),
    surrogates: JSON.stringify([...own, surrogates.map(({ manifest }) => manifest.networks)]),
  };
};

const bounds = [0, 1] as const;

/** Attacks the parent's classifier on the first `dataset.attack` test images. Stopped, it leaves nothing: it begins again. */
export const createAttackStage = (): RunKind => {
  const diagnoseOnce = createDiagnosis();
  return async (task, { signal, onProgress }, load) => {
    const { spec, start } = task;
    if (!start || !spec.attack)
      throw new AppError('INTERNAL', `Expected the stage ${spec.id} to have a classifier and an attack`);
    const test = await (await load(spec.dataset)).test();
    const rows = Array.from({ length: spec.dataset.attack }, (_, row) => row);
    const images = gatherImages(test, rows); // [attack, height, width, channels] in [0, 1]
    const classifier = loadClassifier(start);
    const others = task.surrogates.map((surrogate) => loadClassifier(surrogate));
    const surrogates = others.map((other): ClassifierModel => ({ ...other, bounds }));
    const started = performance.now();
    let imagesPerSecond: number | null = null;
    // A batch can take minutes. The timer's turn comes only when the attack yields between its steps: that is the sign that it goes on.
    const alive = setInterval(() => onProgress({ position: null, imagesPerSecond }), aliveMilliseconds);
    const given = {
      model: { ...classifier, bounds },
      images,
      labels: test.labels.subarray(0, spec.dataset.attack),
      seed: spec.seed,
      resources: { encoder: classifier.encoder, ...(surrogates.length > 0 && { surrogates }) },
      signal,
    };
    try {
      const evaluation = await evaluateAttack({
        ...given,
        attack: AttackSpec.parse(spec.attack),
        onProgress: ({ done }) => {
          imagesPerSecond = (done * 1000) / (performance.now() - started);
        },
      });
      const report = await diagnoseOnce({
        keys: diagnosisKeys(task),
        options: { ...given, dataset: spec.dataset.name },
      });
      const { attack, summary, records } = evaluation;
      return {
        status: 'completed',
        evaluation: {
          ...attack,
          summary,
          records,
          verdict: report.verdict,
          diagnostics: report.checks,
          gallery: gallery(evaluation, images, test.shape),
        },
      };
    } catch (error) {
      if (signal.aborted) return { status: 'stopped' };
      throw error;
    } finally {
      clearInterval(alive);
      for (const model of [classifier, ...others]) model.dispose();
    }
  };
};
