import {
  type ClassifierModel,
  type DiagnoseOptions,
  diagnose,
  diagnoseTransfer,
  evaluateAttackOnRows,
  type ImageRows,
} from '@funnel/attacks';
import {
  AppError,
  AttackSpec,
  type Budgets,
  checkBudgets,
  type DiagnosticsReport,
  dataOf,
  worstVerdict,
} from '@funnel/contracts';
import { gatherImages, loadClassifier } from '@funnel/engine';
import { createGallery } from './gallery.ts';
import type { StageTask } from './messages.ts';
import type { RunKind } from './run-stage.ts';

/** How many reports are kept. The attacks on one classifier usually follow each other. */
const maxReports = 8;

/** The report for a classifier that gets every image wrong: the checks attack images that it gets right. */
const emptyReport: DiagnosticsReport = { verdict: 'ok', images: 0, checks: [] };

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
 * Diagnoses each classifier once for each ε. The checks run their own attacks, so attacks on the same network and images share a report. A
 * transfer attack adds the checks that need its surrogates (H3 `transfer-beats-white-box`, H18 `attack-does-not-transfer`).
 */
export const createDiagnosis = () => {
  const reports = new Map<string, DiagnosticsReport>();
  const once = async (key: string, make: () => Promise<DiagnosticsReport>): Promise<DiagnosticsReport> => {
    const known = reports.get(key);
    if (known) return known;
    const report = await make();
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

/** A diagnosis depends on the checkpoints of the classifiers, on the images and on ε. */
const diagnosisKeys = ({ spec, start, surrogates }: StageTask, budgets: Budgets): Diagnosed['keys'] => {
  const own = [start?.manifest.networks, start?.manifest.scalars, spec.dataset, spec.seed, budgets];
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
    // As numbers of 32 bits the images may be more than memory holds. So the attack and the diagnosis read them by rows.
    const images: ImageRows = { count: spec.dataset.attack, read: (rows) => gatherImages(test, rows) };
    const gallery = createGallery();
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
      const { attack, summary, records } = await evaluateAttackOnRows({
        ...given,
        attack: AttackSpec.parse(spec.attack),
        onAdversarial: gallery.add,
        onProgress: ({ done }) => {
          imagesPerSecond = (done * 1000) / (performance.now() - started);
        },
      });
      const budgets = checkBudgets([spec.attack], dataOf(spec.dataset).budgets);
      const diagnosed = { keys: diagnosisKeys(task, budgets), options: { ...given, budgets } };
      const report = records.correct.includes(true) ? await diagnoseOnce(diagnosed) : emptyReport;
      return {
        status: 'completed',
        evaluation: {
          ...attack,
          summary,
          records,
          verdict: report.verdict,
          diagnostics: report.checks,
          gallery: gallery.pictures(records, test),
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
