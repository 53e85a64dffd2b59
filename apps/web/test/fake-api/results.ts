/**
 * Made-up results: a smooth function of the hyperparameters with noise from the seed. They are fixtures for the pages and say nothing
 * about any model.
 */
import { wilsonInterval } from '@funnel/attacks/statistics';
import {
  type AttackRun,
  attacks,
  type CleanCounts,
  type DatasetDetail,
  type Evaluation,
  type EvaluationMetricName,
  type EvaluationRecords,
  type EvaluationSummary,
  type ExtendedNumber,
  isBounded,
  type MetricSeries,
  type Run,
  reachOf,
  readExtended,
  type Stage,
  type TrialPoint,
  threatModelOf,
  type Verdict,
  type WorstCase,
} from '@funnel/contracts';
import { hashOf, normalOf, toBase64, uniformOf } from './digits.ts';
import { drawIn } from './fake-datasets.ts';

const imageCount = 200;

/** Robust and clean accuracy of a point. */
export const qualityOf = ({
  recipe,
  hyperparameters,
  seed,
}: TrialPoint): { robust: number; clean: number } => {
  const { gamma = 5, beta = 0.01, classifierRate = 1e-3, optimiseEpochs = 31 } = hyperparameters;
  const noise = (what: string) => normalOf(`${what}/${recipe}/${JSON.stringify(hyperparameters)}/${seed}`);
  if (recipe === 'classic') return { robust: 0.22 + 0.03 * noise('r'), clean: 0.978 + 0.003 * noise('c') };
  const g = Math.exp(-((Math.log10(Math.max(gamma, 0.01)) - 0.6) ** 2) / 0.7);
  const b = Math.exp(-((Math.log10(Math.max(beta, 1e-4)) + 1.7) ** 2) / 1.2);
  const robust = 0.25 + 0.42 * g * b + 0.06 * Math.log10(optimiseEpochs) + 0.03 * noise('r');
  const clean = 0.981 - 0.02 * g - 0.012 * Math.abs(Math.log10(classifierRate) + 3) + 0.0035 * noise('c');
  return { robust: Math.min(0.97, Math.max(0.02, robust)), clean: Math.min(0.995, clean) };
};

const strength: Partial<Record<keyof typeof attacks, number>> = {
  fgsm: 0.55,
  'noise-linf': 0.2,
  'noise-l2': 0.2,
  'single-pixel': 0.3,
};

/** The upper median; attacks without success count as infinite. */
const medianOf = (sorted: readonly number[], n: number): ExtendedNumber | null =>
  n === 0 ? null : (sorted[Math.floor(n / 2)] ?? 'Infinity');

const memoised = <T>(make: (point: TrialPoint, run: AttackRun) => T) => {
  const made = new WeakMap<TrialPoint, Map<string, T>>();
  return (point: TrialPoint, run: AttackRun): T => {
    const own = made.get(point) ?? new Map<string, T>();
    made.set(point, own);
    const key = JSON.stringify(run);
    const value = own.get(key) ?? make(point, run);
    own.set(key, value);
    return value;
  };
};

export const recordsOf = memoised((point: TrialPoint, run: AttackRun): EvaluationRecords => {
  const { robust, clean } = qualityOf(point);
  const { norm, family } = attacks[run.attack];
  const epsilon = Number(run.settings.epsilon ?? Number.POSITIVE_INFINITY);
  const trial = hashOf(JSON.stringify([point.recipe, point.hyperparameters, point.seed]));
  const key = hashOf(`${trial}/${run.attack}`);
  const rows = Array.from({ length: imageCount }, (_, i) => {
    const correct = uniformOf(`${trial}/${i}/clean`) < clean;
    const ease = (strength[run.attack] ?? 1) * (1 + 0.08 * uniformOf(`${key}/${i}/ease`));
    const linf = (0.42 * robust * Math.exp(0.45 * normalOf(`${trial}/${i}/far`))) / ease;
    const l2 = 6.2 * linf * (1 + 0.2 * uniformOf(`${key}/${i}/shape`));
    const size = norm === 'l2' ? l2 : linf;
    const success = correct && (family === 'minimisation' || size <= epsilon);
    return { i, correct, success, l2, linf };
  });
  return {
    index: rows.map(({ i }) => i),
    label: rows.map(({ i }) => i % 10),
    correct: rows.map(({ correct }) => correct),
    predicted: rows.map(({ i, correct, success }) => (success || !correct ? (i + 3 + (i % 4)) % 10 : i % 10)),
    success: rows.map(({ success }) => success),
    l2: rows.map(({ success, l2 }) => (success ? l2 : null)),
    linf: rows.map(({ success, linf }) => (success ? Math.min(1, linf) : null)),
    l0: rows.map(({ success, i }) => (success ? 300 + i : null)),
    steps: rows.map(() => Number(run.settings.steps ?? 1)),
    queries: rows.map(() => 2 * Number(run.settings.steps ?? 1)),
  };
});

export const summaryOf = (records: EvaluationRecords, run: Run): EvaluationSummary => {
  const images = records.index.length;
  const attempted = records.correct.filter(Boolean).length;
  const successes = records.success.filter(Boolean).length;
  const found = (values: readonly (number | null)[]) =>
    values.filter((v) => v !== null).sort((a, b) => a - b);
  const mean = (values: readonly number[]) =>
    values.length === 0 ? null : values.reduce((a, b) => a + b, 0) / values.length;
  const l2 = found(records.l2);
  const noise = mean(l2);
  const hasRobustness = isBounded(run) && attempted > 0;
  return {
    images,
    attempted,
    cleanAccuracy: attempted / images,
    cleanInterval: wilsonInterval(attempted, images),
    successes,
    successRate: attempted === 0 ? null : successes / attempted,
    successInterval: attempted === 0 ? null : wilsonInterval(successes, attempted),
    robustAccuracy: hasRobustness ? (attempted - successes) / images : null,
    robustInterval: hasRobustness ? wilsonInterval(attempted - successes, images) : null,
    noiseLevel: noise,
    noiseLevelAll: noise === null ? null : (noise * successes) / attempted,
    meanSquaredError: noise === null ? null : noise ** 2 / 784,
    medianL2Success: readExtended(medianOf(l2, l2.length)),
    medianL2: medianOf(l2, attempted),
    medianLinf: medianOf(found(records.linf), attempted),
    medianL0: medianOf(found(records.l0), attempted),
    meanQueries: mean(records.queries),
    meanSteps: mean(records.steps),
  };
};

/** The worst case over all attacks of a trial, per image. */
export const worstCaseOf = (point: TrialPoint, runs: readonly AttackRun[]): WorstCase => {
  const within = threatModelOf(runs);
  const noneIsBounded = !runs.some(isBounded);
  const all = runs.map((run) => ({ run, records: recordsOf(point, run) }));
  const { correct } = all[0]!.records;
  const attempted = correct.flatMap((one, i) => (one ? [i] : []));
  const counts = (i: number, { run, records }: (typeof all)[number]): boolean => {
    const near = (norm: 'l2' | 'linf') =>
      (records[norm][i] ?? Number.POSITIVE_INFINITY) <= reachOf(within[norm] ?? 0);
    return records.success[i]! && (noneIsBounded || isBounded(run) || near('l2') || near('linf'));
  };
  const fooled = attempted.filter((i) => all.some((one) => counts(i, one))).length;
  const median = (norm: 'l2' | 'linf') => {
    const distances = attempted.map((i) =>
      Math.min(...all.map(({ records }) => records[norm][i] ?? Number.POSITIVE_INFINITY)),
    );
    return medianOf(
      distances.filter(Number.isFinite).sort((a, b) => a - b),
      attempted.length,
    );
  };
  const noise = runs.flatMap((run) => summarise(point, run).noiseLevel ?? []);
  return {
    within,
    values: {
      robustAccuracy:
        runs.some(isBounded) && attempted.length > 0 ? (attempted.length - fooled) / correct.length : null,
      successRate: attempted.length === 0 ? null : fooled / attempted.length,
      medianL2: median('l2'),
      medianLinf: median('linf'),
      noiseLevel: noise.length === 0 ? null : Math.min(...noise),
      cleanAccuracy: attempted.length / correct.length,
    },
  };
};

/** MagNet and the detector reject some clean images, and many attacked ones that would have stayed correct. */
const rejections = (point: TrialPoint, summary: EvaluationSummary): Partial<EvaluationSummary> => {
  if (point.recipe !== 'magnet' && point.recipe !== 'detector') return {};
  const wrong = summary.images - summary.attempted;
  const defended = summary.attempted - summary.successes;
  return {
    rejectedClean: Math.ceil(wrong / 2) / summary.images,
    rejectedAttacked: Math.floor(defended * 0.6) / summary.attempted,
  };
};

const summarise = memoised((point, run) => {
  const summary = summaryOf(recordsOf(point, run), run);
  return { ...summary, ...rejections(point, summary) };
});

/** The value of a metric under an attack; undefined: in the worst case, or the clean accuracy without an attack. */
export const valueOfPoint = (
  point: TrialPoint,
  runs: readonly AttackRun[],
  run: AttackRun | undefined,
  metric: EvaluationMetricName,
): number => {
  if (run) return readExtended(summarise(point, run)[metric]) ?? 0;
  return metric === 'cleanAccuracy'
    ? qualityOf(point).clean
    : (readExtended(worstCaseOf(point, runs).values[metric] ?? null) ?? 0);
};

export const evaluationOf = (point: TrialPoint, stage: Stage): Evaluation => {
  const run = stage.attack!;
  const summary = summarise(point, run);
  const masked =
    point.hyperparameters.penalty === 'printed' || uniformOf(`mask/${JSON.stringify(point)}`) > 0.94;
  const suspect = uniformOf(`suspect/${stage.id}`) > 0.85;
  const verdict: Verdict = masked ? 'masked' : suspect ? 'suspect' : 'ok';
  return {
    stage: stage.id,
    attack: run.attack,
    settings: run.settings,
    summary,
    verdict,
    diagnostics: [
      {
        id: 'H1',
        value: 0,
        threshold: 0.005,
        verdict: 'ok',
        detail: 'PGD fools every image that FGSM fools, over 200 images.',
      },
      {
        id: 'H4',
        value: 0,
        threshold: 0.1,
        verdict: 'ok',
        detail: 'At ε = 0.5 no image of 200 stays right.',
      },
      {
        id: 'H7',
        value: suspect ? 0.021 : 0.002,
        threshold: 0.01,
        verdict: suspect ? 'suspect' : 'ok',
        detail: `Doubling the steps lowers accuracy by ${suspect ? '2.1' : '0.2'} points over 200 images.`,
      },
      {
        id: 'H10',
        value: masked ? 0.31 : 0,
        threshold: 0,
        verdict: masked ? 'masked' : 'ok',
        detail: `${masked ? '62' : '0'} of 200 images have a gradient of exactly zero.`,
      },
      {
        id: 'H13',
        value: null,
        threshold: 0.05,
        verdict: 'ok',
        detail: 'Not computed: finite differences need a float32 backend.',
      },
    ],
  };
};

export const galleryOf = (records: EvaluationRecords, shape: DatasetDetail['shape']) => {
  const index = records.index.filter((i) => records.success[i]).slice(0, 12);
  const originals = index.map((i) => drawIn(shape, records.label[i]!, `image/${i}`));
  const attacked = originals.map((image, k) => {
    const size = records.linf[index[k]!] ?? 0;
    return image.map((v, p) => Math.max(0, Math.min(1, v + size * Math.sign(normalOf(`n/${k}/${p}`)))));
  });
  return {
    shape: [...shape],
    index,
    original: originals.map(toBase64),
    attacked: attacked.map(toBase64),
  };
};

/** The clean test images of each class: some classes are harder than others. */
export const perClassOf = (point: TrialPoint, test: number, classes: number): CleanCounts => {
  const wrong = 1 - qualityOf(point).clean;
  const images = Array.from({ length: classes }, (_, label) => Math.floor((test + label) / classes));
  const hardness = (label: number) => 2 * uniformOf(`${label}/${JSON.stringify(point)}`);
  const correct = images.map((count, label) => Math.round(count * (1 - wrong * hardness(label))));
  return { images, correct };
};

/** A metric of a stage over its first `done` epochs. */
export const seriesOf = (
  point: TrialPoint,
  kind: Stage['kind'],
  name: string,
  done: number,
): MetricSeries => {
  const { robust, clean } = qualityOf(point);
  const epochs = Array.from({ length: done }, (_, i) => i + 1);
  const wobble = (e: number) => 0.03 * normalOf(`${name}/${JSON.stringify(point)}/${e}`);
  const falling = (e: number) => (0.4 * Math.exp(-e / 4) + 0.02) * (1 + wobble(e));
  const shapes: Record<string, (e: number) => number> = {
    attackerLoss: (e) =>
      (kind === 'initialise'
        ? 0.06 * Math.exp(-e / 4) + 0.012
        : 0.012 + 0.01 * robust * (1 - Math.exp(-e / 9))) *
      (1 + wobble(e)),
    defenderLoss: (e) =>
      (kind === 'initialise'
        ? 0.07 * Math.exp(-e / 3.5) + 0.011
        : 0.011 + 0.004 * robust * Math.exp(-e / 20)) *
      (1 + wobble(e)),
    hingeActive: (e) => Math.max(0, Math.min(1, robust * Math.exp(-e / 25) + wobble(e))),
    classifierLoss: (e) => (1.3 * Math.exp(-e / 3) + 0.06) * (1 + wobble(e)),
    trainAccuracy: (e) => Math.min(1, clean + 0.004 - 0.3 * Math.exp(-e / 2) + 0.05 * wobble(e)),
    cleanAccuracy: (e) => Math.min(1, clean - 0.28 * Math.exp(-e / 2) + 0.05 * wobble(e)),
  };
  return { kind, name, epochs, values: epochs.map(shapes[name] ?? falling) };
};
