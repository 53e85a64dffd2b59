/**
 * Runs the checks of an honest evaluation on a model and says whether a low success rate may be believed. The checks run attacks of
 * their own on a few images, so that they mean the same for every trial, whatever it was evaluated with.
 */
import {
  AppError,
  type AttackInput,
  type Budgets,
  budgetsOf,
  type DatasetName,
  type DiagnosticsReport,
  worstVerdict,
} from '@funnel/contracts';
import { correctMaxPoolGradient } from '@funnel/kernels';
import type * as tf from '@tensorflow/tfjs';
import type { EvaluationResources } from '../attack.ts';
import { type ClassifierModel, checkImages, checkLabels } from '../classifier.ts';
import { createJudge } from '../defence.ts';
import { createYield, evaluateAttack } from '../evaluate-attack.ts';
import { createFlatModel } from '../flat-model.ts';
import { createRandom } from '../random.ts';
import { pick, positions, takeRows } from '../rows.ts';
import {
  accuracyFalls,
  attackConverged,
  distancesArePlausible,
  iterativeBeatsSingleStep,
  restartsAddNothing,
  unboundedSucceeds,
  unconstrainedSucceeds,
  whiteBoxBeatsBlackBox,
  whiteBoxBeatsNoise,
  whiteBoxBeatsTransfer,
  worstCasePerImage,
} from './attack-checks.ts';
import { type Check, type CheckContext, memoise } from './check.ts';
import { directionsAreStable, gradientsAreNotZero, gradientsMatchDifferences } from './gradient-checks.ts';
import {
  attacksBreakTheControl,
  boundaryIsLinear,
  lossIsStable,
  outputsAreLogits,
  pathIsComplete,
  predictionsRepeat,
} from './model-checks.ts';

export type DiagnoseOptions = {
  readonly model: ClassifierModel;
  readonly images: tf.Tensor | Float32Array;
  readonly labels: ArrayLike<number>;
  readonly indices?: ArrayLike<number>;
  /** Names the usual budgets. */
  readonly dataset?: DatasetName;
  /** Instead of the data set's. */
  readonly budgets?: Budgets;
  /** The first so many correctly classified images are used. Default 50. */
  readonly limit?: number;
  readonly seed?: number;
  readonly batchSize?: number;
  readonly resources?: EvaluationResources;
  /** A model of the same input that nobody defended: the attacks must break it (H21). */
  readonly control?: ClassifierModel;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
};

const checks: readonly Check[] = [
  iterativeBeatsSingleStep,
  whiteBoxBeatsBlackBox,
  whiteBoxBeatsTransfer,
  unboundedSucceeds,
  accuracyFalls,
  distancesArePlausible,
  attackConverged,
  restartsAddNothing,
  whiteBoxBeatsNoise,
  gradientsAreNotZero,
  predictionsRepeat,
  gradientsMatchDifferences,
  lossIsStable,
  pathIsComplete,
  unconstrainedSucceeds,
  boundaryIsLinear,
  directionsAreStable,
  attacksBreakTheControl,
  worstCasePerImage,
];

const examine = async (
  options: DiagnoseOptions,
  first: Check,
  rest: readonly Check[],
): Promise<DiagnosticsReport> => {
  correctMaxPoolGradient();
  const model = createFlatModel(options.model, options.batchSize);
  const all = await checkImages(options.images, options.model);
  const labels = checkLabels(options.labels, all.shape[0], model.classes);
  const classes = await createJudge(options.model, options.batchSize)(all);
  const correct = positions(labels.length, (i) => classes[i] === labels[i]).slice(0, options.limit ?? 50);
  const images = takeRows(all, correct);
  all.dispose();
  try {
    if (correct.length === 0)
      throw new AppError(
        'ATTACK_INPUT',
        'Expected images that the model classifies correctly, but it gets all of them wrong',
      );
    const context = await createContext(options, model, images, pick(labels, correct), correct);
    const answers = await first(context);
    const yieldToEventLoop = createYield(options.signal);
    if (answers.every(({ verdict }) => verdict === 'ok'))
      for (const [done, check] of rest.entries()) {
        await yieldToEventLoop();
        answers.push(...(await check(context)));
        options.onProgress?.({ done: done + 1, total: rest.length });
      }
    const order = (id: string): number => Number(id.slice(1));
    answers.sort((a, b) => order(a.id) - order(b.id));
    return {
      verdict: worstVerdict(answers.map(({ verdict }) => verdict)),
      images: correct.length,
      checks: answers,
    };
  } finally {
    images.dispose();
  }
};

/**
 * Throws ATTACK_INPUT on input that cannot be attacked as given, or of which nothing is classified correctly. A model that gives
 * probabilities (H12) is not attacked at all: that one finding is the report.
 */
export const diagnose = (options: DiagnoseOptions): Promise<DiagnosticsReport> =>
  examine(options, outputsAreLogits, checks);

/** Only the checks that need surrogates (H3, H18), for who has the others already. Throws as `diagnose` does. */
export const diagnoseTransfer = (options: DiagnoseOptions): Promise<DiagnosticsReport> =>
  examine(options, whiteBoxBeatsTransfer, []);

const createContext = async (
  options: DiagnoseOptions,
  model: CheckContext['model'],
  images: tf.Tensor2D,
  labels: Int32Array,
  rows: Int32Array,
): Promise<CheckContext> => {
  const values = await images.data<'float32'>();
  const indices = Array.from(rows, (row) => options.indices?.[row] ?? row);
  const [low, high] = options.model.bounds;
  const given = {
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
      evaluateAttack({ ...given, model: options.model, attack, resources }),
    ),
    control:
      control && memoise((attack: AttackInput) => evaluateAttack({ ...given, model: control, attack })),
    hasSurrogates: (resources?.surrogates?.length ?? 0) > 0,
    random: (...path) => createRandom(options.seed ?? 0, 'diagnostics', ...path),
  };
};
