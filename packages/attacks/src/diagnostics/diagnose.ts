/**
 * Diagnoses a model: runs all checks and says whether a low success rate can be believed. The checks run their own attacks on a few images,
 * so trials can be compared by their findings even if different attacks evaluated them.
 */
import {
  AppError,
  type AttackInput,
  type Budgets,
  budgetsOf,
  type DatasetName,
  type DiagnosticsReport,
  datasetNames,
  worstVerdict,
} from '@funnel/contracts';
import { correctOperators } from '@funnel/kernels';
import type * as tf from '@tensorflow/tfjs';
import type { EvaluationResources } from '../attack.ts';
import { valuesAt } from '../batch-rows.ts';
import type { ClassifierModel } from '../classifier.ts';
import { createPredictor, type Predict } from '../defence.ts';
import { createYield, evaluateAttack, sharedOptionChecks } from '../evaluate-attack.ts';
import { createFlatModel } from '../flat-model.ts';
import { checkInput, type ImageRows, type Images, partsOf, takeImages } from '../input.ts';
import { checkOptions, type OptionChecks, object, oneOf, ownCheck, wholeFrom } from '../options.ts';
import { owning } from '../ownership.ts';
import { createRandom } from '../random.ts';
import {
  accuracyRisesWithEpsilon,
  attackHasNotConverged,
  blackBoxBeatsWhiteBox,
  controlWithstandsAttacks,
  distanceIsImplausible,
  noiseBeatsWhiteBox,
  restartsFindMore,
  singleStepBeatsIterative,
  transferBeatsWhiteBox,
  unboundedAttackFails,
  unconstrainedAttackFails,
  worstCaseBeatsBestAttack,
} from './attack-checks.ts';
import { type Check, type CheckContext, memoise } from './check.ts';
import { gradientIsShattered, gradientIsWrong, gradientIsZero } from './gradient-checks.ts';
import {
  boundaryIsNotLinear,
  lossIsUnstable,
  optimisationIsIncomplete,
  outputsAreProbabilities,
  predictionsDiffer,
} from './model-checks.ts';

export type DiagnoseOptions = {
  readonly model: ClassifierModel;
  /** `[n, ...shape]` in the model's bounds, or the values in row-major order, or a function that reads them. */
  readonly images: tf.Tensor | Float32Array | ImageRows;
  /** The true class of every image, `[n]`. */
  readonly labels: ArrayLike<number>;
  /** The index of every image in its split, for the random streams. Default 0 … n − 1. */
  readonly indices?: ArrayLike<number>;
  /** The data set whose usual budgets the checks take. */
  readonly dataset?: DatasetName;
  /** Replaces the budgets of the data set. */
  readonly budgets?: Budgets;
  /** The number of images. The checks take the first ones that the model classifies correctly. Default 50. */
  readonly limit?: number;
  readonly seed?: number;
  readonly batchSize?: number;
  readonly resources?: EvaluationResources;
  /** An undefended model with the same input, for H21 (`control-withstands-attacks`). */
  readonly control?: ClassifierModel;
  readonly signal?: AbortSignal;
  /** Called after every check with the number of checks that ran. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
};

/** All checks but H12, in the order in which they run. */
const checks: readonly Check[] = [
  singleStepBeatsIterative, // H1
  blackBoxBeatsWhiteBox, // H2
  transferBeatsWhiteBox, // H3, H18
  unboundedAttackFails, // H4
  accuracyRisesWithEpsilon, // H5
  distanceIsImplausible, // H6
  attackHasNotConverged, // H7
  restartsFindMore, // H8
  noiseBeatsWhiteBox, // H9
  gradientIsZero, // H10
  predictionsDiffer, // H11
  gradientIsWrong, // H13
  lossIsUnstable, // H14
  optimisationIsIncomplete, // H15, H16
  unconstrainedAttackFails, // H17
  boundaryIsNotLinear, // H19
  gradientIsShattered, // H20
  controlWithstandsAttacks, // H21
  worstCaseBeatsBestAttack, // H22
];

/**
 * Runs all checks. When the outputs of the model are probabilities (H12), the report has only this finding, and no attack runs. Errors:
 * ATTACK_INPUT when model, images and labels do not fit together, or when the model classifies no image correctly; the signal's reason
 * after an abort.
 */
export const diagnose = (options: DiagnoseOptions): Promise<DiagnosticsReport> =>
  runChecks(options, outputsAreProbabilities, checks);

/** Runs only the checks that need surrogates (H3, H18), for a caller that has the other findings. Errors: as for `diagnose`. */
export const diagnoseTransfer = (options: DiagnoseOptions): Promise<DiagnosticsReport> =>
  runChecks(options, transferBeatsWhiteBox, []);

const optionChecks: OptionChecks<DiagnoseOptions> = {
  ...sharedOptionChecks,
  dataset: oneOf(datasetNames),
  budgets: object,
  limit: wholeFrom(1),
  control: ownCheck,
};

/** Runs `initialCheck`, and the other checks if it flags nothing. */
const runChecks = (
  options: DiagnoseOptions,
  initialCheck: Check,
  otherChecks: readonly Check[],
): Promise<DiagnosticsReport> =>
  owning(async (own) => {
    checkOptions(options, optionChecks);
    correctOperators();
    const model = createFlatModel(options.model, options.batchSize);
    const { images: all, labels, indices } = await checkInput(options, options.model);
    const yieldToEventLoop = createYield(options.signal);
    const correct = await firstCorrect(
      { images: all, labels, predict: createPredictor(options.model, options.batchSize) },
      { limit: options.limit ?? 50, batchSize: model.batchSize, yieldToEventLoop },
    );
    if (correct.length === 0)
      throw new AppError(
        'ATTACK_INPUT',
        'Expected images that the model classifies correctly, but the model classifies none of them correctly',
      );
    const images = own(takeImages(all, correct));
    const places = Array.from(correct, (row) => indices[row]!);
    const context = await createContext(options, model, images, valuesAt(labels, correct), places);
    const findings = await initialCheck(context);
    if (findings.every(({ verdict }) => verdict === 'ok'))
      for (const [done, check] of otherChecks.entries()) {
        await yieldToEventLoop();
        findings.push(...(await check(context)));
        options.onProgress?.({ done: done + 1, total: otherChecks.length });
      }
    const numberOf = (id: string): number => Number(id.slice(1));
    findings.sort((a, b) => numberOf(a.id) - numberOf(b.id));
    return {
      verdict: worstVerdict(findings.map(({ verdict }) => verdict)),
      images: correct.length,
      checks: findings,
    };
  });

type Classified = { readonly images: Images; readonly labels: Int32Array; readonly predict: Predict };

/** The first `limit` images that the model classifies correctly. Asks the model for no more images than that takes. */
const firstCorrect = async (
  { images, labels, predict }: Classified,
  options: {
    readonly limit: number;
    readonly batchSize: number;
    readonly yieldToEventLoop: () => Promise<void>;
  },
): Promise<Int32Array> => {
  const { limit, batchSize, yieldToEventLoop } = options;
  const found: number[] = [];
  for (const rows of partsOf(images.count, batchSize)) {
    await yieldToEventLoop();
    const classes = await owning((own) => predict(own(takeImages(images, rows))));
    found.push(...rows.filter((row, i) => classes[i] === labels[row]));
    if (found.length >= limit) break;
  }
  return Int32Array.from(found.slice(0, limit));
};

const createContext = async (
  options: DiagnoseOptions,
  model: CheckContext['model'],
  images: tf.Tensor2D,
  labels: Int32Array,
  indices: readonly number[],
): Promise<CheckContext> => {
  const values = await images.data<'float32'>();
  const [low, high] = options.model.bounds;
  const evaluation = {
    images: values.map((value) => low + value * (high - low)),
    labels,
    indices,
    seed: options.seed,
    batchSize: options.batchSize,
    signal: options.signal,
  };
  const { resources, control } = options;
  return {
    model,
    images,
    values,
    labels,
    budgets: options.budgets ?? budgetsOf(options.dataset),
    evaluate: memoise((attack: AttackInput) =>
      evaluateAttack({ ...evaluation, model: options.model, attack, resources }),
    ),
    control:
      control && memoise((attack: AttackInput) => evaluateAttack({ ...evaluation, model: control, attack })),
    hasSurrogates: (resources?.surrogates?.length ?? 0) > 0,
    random: (...path) => createRandom(options.seed ?? 0, 'diagnostics', ...path),
  };
};
