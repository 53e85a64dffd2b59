import {
  type ClassifierModel,
  type DiagnoseOptions,
  diagnose,
  diagnoseTransfer,
  type Evaluation,
  evaluateAttack,
} from '@funnel/attacks';
import { AppError, AttackSpec, type DiagnosticsReport, dataOf, worstVerdict } from '@funnel/contracts';
import type { EvaluationWrite } from '@funnel/db';
import { gatherImages, loadClassifier } from '@funnel/engine';
import type { StageTask } from './messages.ts';
import type { RunKind } from './run-stage.ts';

/** How many pictures an evaluation keeps: of the first images on which the attack succeeded, then of the first others. */
const maxPictures = 24;

const toBytes = (pixels: Float32Array): Uint8Array =>
  Uint8Array.from(pixels, (value) => Math.round(value * 255));

/** Some images before and after the attack, as bytes. `images`: [n, …shape] in [0, 1], in the order of the evaluation's records. */
export const gallery = (
  { records, adversarials }: Evaluation,
  images: Float32Array,
  shape: readonly number[],
): EvaluationWrite['gallery'] => {
  const width = shape.reduce((a, b) => a * b, 1);
  const fooled = (wanted: boolean) =>
    records.index.flatMap((_, row) => (records.success[row] === wanted ? [row] : []));
  const rows = [...fooled(true), ...fooled(false)].slice(0, maxPictures).sort((a, b) => a - b);
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

/** How many reports are kept. The attacks on one classifier usually follow each other. */
const maxReports = 8;

/** The report for a network that gets every image wrong. The checks need an image that it gets right. */
const emptyReport: DiagnosticsReport = { verdict: 'ok', images: 0, checks: [] };

const orEmpty = (report: Promise<DiagnosticsReport>): Promise<DiagnosticsReport> =>
  report.catch((error: unknown) => {
    if (error instanceof AppError && error.code === 'ATTACK_INPUT') return emptyReport;
    throw error;
  });

const merge = (model: DiagnosticsReport, transfer: DiagnosticsReport): DiagnosticsReport => ({
  verdict: worstVerdict([model.verdict, transfer.verdict]),
  images: model.images,
  checks: [...model.checks, ...transfer.checks].sort((a, b) => Number(a.id.slice(1)) - Number(b.id.slice(1))),
});

export type Diagnosed = {
  /** The keys under which reports are kept. `model` names the model and the images; `surrogates` names the surrogates too. */
  readonly keys: { readonly model: string; readonly surrogates: string };
  readonly options: DiagnoseOptions;
};

/**
 * Diagnoses each classifier once. The checks run their own attacks, so all attacks on the same network and images share one report. A
 * transfer attack adds the checks that need its surrogates (H3 `transfer-beats-white-box`, H18 `attack-does-not-transfer`).
 */
export const createDiagnosis = () => {
  const reports = new Map<string, DiagnosticsReport>();
  const once = async (key: string, make: () => Promise<DiagnosticsReport>): Promise<DiagnosticsReport> => {
    const known = reports.get(key);
    if (known) return known;
    const report = await orEmpty(make());
    reports.set(key, report);
    for (const oldest of reports.keys()) if (reports.size > maxReports) reports.delete(oldest);
    return report;
  };
  return async ({ keys, options }: Diagnosed): Promise<DiagnosticsReport> => {
    const { surrogates, ...resources } = options.resources ?? {};
    const model = await once(keys.model, () => diagnose({ ...options, resources }));
    if (!surrogates) return model;
    return merge(model, await once(keys.surrogates, () => diagnoseTransfer(options)));
  };
};

const aliveMilliseconds = 1000;

/** A diagnosis depends on the checkpoints of the classifiers and on the images. */
const diagnosisKeys = ({ spec, start, surrogates }: StageTask): Diagnosed['keys'] => {
  const own = [start?.manifest.networks, start?.manifest.scalars, spec.dataset, spec.seed];
  return {
    model: JSON.stringify(own),
    surrogates: JSON.stringify([...own, surrogates.map(({ manifest }) => manifest.networks)]),
  };
};

const bounds = [0, 1] as const;

/** Attacks the parent's classifier on the first `dataset.attack` test images. A stopped attack keeps nothing and begins again later. */
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
    // A batch can take minutes. This timer runs only when the attack yields between its steps, so it shows that the attack goes on.
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
        options: { ...given, budgets: dataOf(spec.dataset).budgets },
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
