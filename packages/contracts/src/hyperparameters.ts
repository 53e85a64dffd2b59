/**
 * Every hyperparameter of every recipe, each declared once: kind, bounds, default, usual range, scale, unit, title and one line of description. The
 * search space, validation, OpenAPI, CLI, form and leaderboard columns derive from this table. A recipe (`recipes.ts`) lists the
 * hyperparameters that each of its stages *reads*. A hyperparameter enters the identity of these stages, and of no stage before them.
 *
 * To add one: declare it in `declarations` below, list it in `reads` of a stage, and use it in the engine's recipe.
 */
import { z } from 'zod';

type Words = {
  readonly title: string;
  readonly description: string;
  /** The paper does not give the value. We chose it, and reports say so. */
  readonly assumed?: true;
  /** The version that added it, after 0.1.0: it stays out of identities while it has its default (decision 18). */
  readonly since?: string;
};

/** `max`: the largest value. `min`: the smallest value. `above`: values must be larger than this. */
type Bounds = ({ readonly min: number } | { readonly above: number }) & { readonly max: number };

type Axis = {
  /** The scale of the axis in plots, and the spacing that the form proposes for a range. */
  readonly scale: 'linear' | 'log';
  /** The unit of the number; absent for a plain number. */
  readonly unit?: string;
};

/** The ends of the range that a first search tries; both ends are values of the hyperparameter. */
type Usual = { readonly usual: readonly [least: number, most: number] };

export type NumericHyperparameter = Words &
  Axis &
  Usual & { readonly kind: 'real' | 'whole'; readonly bounds: Bounds; readonly default: number };
type WordHyperparameter = Words & { readonly kind: 'word'; readonly default: string } & (
    | { readonly choices: readonly string[] }
    | { readonly pattern: string; readonly expected: string }
  );
type BooleanHyperparameter = Words & { readonly kind: 'boolean'; readonly default: boolean };
export type HyperparameterDeclaration = NumericHyperparameter | WordHyperparameter | BooleanHyperparameter;

export const isNumeric = (
  hyperparameter: HyperparameterDeclaration,
): hyperparameter is NumericHyperparameter =>
  hyperparameter.kind === 'real' || hyperparameter.kind === 'whole';

const numeric =
  <K extends NumericHyperparameter['kind']>(kind: K) =>
  (bounds: Bounds, defaultValue: number, words: Words & Usual & Partial<Axis>) =>
    ({ kind, bounds, default: defaultValue, scale: 'linear', ...words }) as const;
const real = numeric('real');
const whole = numeric('whole');
const choice = <const C extends string>(choices: readonly C[], defaultValue: NoInfer<C>, words: Words) =>
  ({ kind: 'word', choices, default: defaultValue, ...words }) as const;

type ValueOf<K> = K extends { readonly kind: 'real' | 'whole' }
  ? number
  : K extends { readonly kind: 'boolean' }
    ? boolean
    : K extends { readonly choices: readonly (infer C)[] }
      ? C
      : string;

const bareSchema = (hyperparameter: HyperparameterDeclaration): z.ZodType => {
  if (hyperparameter.kind === 'boolean') return z.boolean();
  if (hyperparameter.kind === 'word')
    return 'choices' in hyperparameter
      ? z.enum(hyperparameter.choices)
      : z.string().regex(new RegExp(hyperparameter.pattern), `Expected ${hyperparameter.expected}`);
  const { kind, bounds } = hyperparameter;
  const number = kind === 'whole' ? z.int() : z.number();
  return ('above' in bounds ? number.gt(bounds.above) : number.min(bounds.min)).max(bounds.max);
};

/** Accepts a value of the hyperparameter; `undefined` becomes the default. */
const schemaOf = (hyperparameter: HyperparameterDeclaration): z.ZodDefault => {
  const { title, description, assumed, since, kind } = hyperparameter;
  const axis = isNumeric(hyperparameter)
    ? { scale: hyperparameter.scale, ...(hyperparameter.unit && { unit: hyperparameter.unit }) }
    : {};
  return bareSchema(hyperparameter)
    .default(hyperparameter.default)
    .meta({ title, description, kind, ...axis, ...(assumed && { assumed }), ...(since && { since }) });
};

const epochs = (max: number, defaultValue: number, words: Words & Usual & Partial<Axis>) =>
  whole({ min: 1, max }, defaultValue, { unit: 'epochs', ...words });
const rate = (defaultValue: number, words: Words & Usual & Partial<Axis>) =>
  real({ above: 0, max: 1 }, defaultValue, words);

const declarations = {
  filters: {
    kind: 'word',
    pattern: '^[1-9]\\d{0,3}(-[1-9]\\d{0,3}){0,4}$',
    expected: 'filter counts joined by "-", such as "32-64"',
    default: '32-64',
    title: 'Filters',
    description:
      'Output channels of the stride-2 convolutions of every encoder, first to last, or units of the dense layers of `mlp`; generators mirror them.',
    assumed: true,
  },
  latent: whole({ min: 0, max: 4096 }, 64, {
    title: 'Latent units',
    usual: [16, 256],
    description: 'Units of the dense code after the convolutions; 0 makes the last convolution the code.',
    unit: 'units',
    assumed: true,
  }),
  architecture: choice(['convolutional', 'mlp', 'residual'], 'convolutional', {
    title: 'Architecture',
    description:
      'Layers of encoders and generators: strided convolutions (§4.1), dense layers only (mlp), or strided convolutions with a residual block after each (He et al. 2016).',
    since: '0.2.0',
  }),
  kernelSize: whole({ min: 2, max: 11 }, 3, {
    title: 'Kernel size',
    usual: [3, 5],
    description: 'Height and width of the kernels of all convolutions (§4.1: 3); `mlp` has none.',
    unit: 'pixels',
    since: '0.2.0',
  }),
  activation: choice(['relu', 'leaky-relu', 'elu', 'tanh'], 'relu', {
    title: 'Activation',
    description: 'Activation of the hidden layers of encoders and generators (§4.1: ReLU).',
    since: '0.2.0',
  }),
  codeActivation: choice(['linear', 'relu', 'tanh'], 'linear', {
    title: 'Code activation',
    description: 'Activation of the code, the last layer of an encoder.',
    assumed: true,
    since: '0.2.0',
  }),
  normalisation: choice(['none', 'batch'], 'none', {
    title: 'Normalisation',
    description:
      'Batch normalisation (Ioffe & Szegedy 2015) between the hidden layers of encoders and generators and their activations.',
    since: '0.2.0',
  }),
  paddedSize: whole({ min: 0, max: 512 }, 0, {
    title: 'Padded size',
    usual: [0, 32],
    description:
      'Height and width to which black pixels pad smaller images before the first convolution, such as 32 for MNIST; generators cut them off. 0 pads nothing.',
    unit: 'pixels',
    since: '0.2.0',
  }),
  noise: whole({ min: 0, max: 1024 }, 16, {
    title: 'Noise units',
    usual: [4, 64],
    description:
      "Number of Uniform(−1, 1) values concatenated to the attacker's code (§3.2); number of channels if the code is a feature map.",
    unit: 'units',
    assumed: true,
  }),
  initializer: choice(['glorotUniform', 'glorotNormal', 'heNormal', 'heUniform'], 'glorotUniform', {
    title: 'Weight initializer',
    description: 'Distribution of the first weights.',
    assumed: true,
  }),
  batchSize: whole({ min: 1, max: 4096 }, 128, {
    title: 'Batch size',
    usual: [32, 512],
    description: 'Images per update (§4.1: 128).',
    unit: 'images',
    scale: 'log',
  }),
  augmentFlip: choice(['none', 'horizontal'], 'none', {
    title: 'Flip',
    description: 'Mirrors each training image from left to right with probability 1/2, anew in every epoch.',
    since: '0.2.0',
  }),
  augmentShift: whole({ min: 0, max: 64 }, 0, {
    title: 'Shift',
    usual: [0, 4],
    description:
      'Moves each training image by up to this many pixels along each axis, anew in every epoch; black pixels fill the gap.',
    unit: 'pixels',
    since: '0.2.0',
  }),
  augmentCrop: real({ min: 0, max: 0.9 }, 0, {
    title: 'Crop',
    usual: [0, 0.2],
    description:
      'Largest share of the height and width that is cut off each training image, anew in every epoch; the rest is enlarged to the full size.',
    since: '0.2.0',
  }),
  lossScale: choice(['mse', 'half-mse', 'norm', 'l1', 'huber', 'ssim'], 'mse', {
    title: 'Loss scale',
    description:
      'L of eq. 3–5: mean squared error per pixel, half of it, or the L2 norm of an image divided by 128; or the mean absolute error (l1), the Huber loss with δ = 0.1, or 1 − SSIM.',
    assumed: true,
  }),
  initialiseEpochs: epochs(10_000, 9, {
    title: 'Initialisation epochs',
    usual: [3, 20],
    description: 'Epochs of the initialisation stage (§4.1: 9).',
  }),
  initialiseAttackerRate: rate(1e-3, {
    title: 'Attacker rate, initialise',
    usual: [1e-4, 1e-2],
    description: "Adam's learning rate of the attacker in the initialisation stage (Table 1: 1e-3).",
    scale: 'log',
  }),
  initialiseDefenderRate: rate(5e-4, {
    title: 'Defender rate, initialise',
    usual: [1e-4, 1e-2],
    description:
      "Adam's learning rate of the defender in the initialisation stage, and of `classic` (Table 1: 5e-4).",
    scale: 'log',
  }),
  defenderInput: choice(['attacked', 'clean'], 'attacked', {
    title: 'Defender input',
    description: 'Input of the defender during initialisation: Att(x), as in eq. 4, or x.',
    assumed: true,
  }),
  optimiseEpochs: epochs(100_000, 31, {
    title: 'Optimisation epochs',
    usual: [5, 50],
    description: 'Epochs of the optimisation stage (§4.1: 31).',
  }),
  optimiseAttackerRate: rate(1e-5, {
    title: 'Attacker rate, optimise',
    usual: [1e-6, 1e-3],
    description:
      "Adam's learning rate of the attacker's generator in the optimisation stage (Table 1: 1e-5).",
    scale: 'log',
  }),
  optimiseDefenderRate: rate(1e-5, {
    title: 'Defender rate, optimise',
    usual: [1e-6, 1e-3],
    description: "Adam's learning rate of the defender's encoder in the optimisation stage (Table 1: 1e-5).",
    scale: 'log',
  }),
  gamma: real({ min: 0, max: 1e6 }, 5, {
    title: 'γ',
    usual: [1, 25],
    description: "Weight of the attacker's constraint penalty (relaxed eq. 5; §4.1: 5.0).",
    scale: 'log',
  }),
  beta: real({ min: 0, max: 1e6 }, 0.01, {
    title: 'β',
    usual: [0.003, 0.1],
    description:
      'Smallest reconstruction loss that the attacker must cause in the defender (eq. 5; §4.1: 0.01), on the scale of `lossScale`.',
    scale: 'log',
  }),
  betaUnit: choice(['loss', 'floor'], 'loss', {
    title: 'β unit',
    description:
      "β as a loss, or as a multiple of the defender's loss in the last epoch of initialisation (its floor): below 1× the constraint always holds.",
    assumed: true,
  }),
  penalty: choice(['constraint', 'printed'], 'constraint', {
    title: 'Penalty sign',
    description:
      'max(β − L, 0), which enforces constraint (5), or max(L − β, 0) as printed, which contradicts it.',
    assumed: true,
  }),
  hinge: choice(['batch', 'image'], 'batch', {
    title: 'Hinge over',
    description:
      'The hinge applies to the mean of L over the batch (the expectation stands inside the max), or to each image.',
    assumed: true,
  }),
  classifierEpochs: epochs(10_000, 20, {
    title: 'Classifier epochs',
    usual: [5, 50],
    description:
      'Epochs of the classifier on the frozen encoder (§4.1: 20); in a recipe without an auto-encoder, of encoder and classifier together.',
  }),
  classifierRate: rate(1e-3, {
    title: 'Classifier rate',
    usual: [1e-4, 1e-2],
    description: "Adam's learning rate of the classifier (§4.1: 1e-3).",
    scale: 'log',
  }),
  classifierUnits: whole({ min: 1, max: 8192 }, 64, {
    title: 'Classifier units',
    usual: [32, 512],
    description: 'Units of the hidden dense ReLU layer (§4.1: 64).',
    unit: 'units',
    scale: 'log',
  }),
  labelSmoothing: real({ min: 0, max: 0.99 }, 0, {
    title: 'Label smoothing',
    usual: [0, 0.2],
    description:
      'Share of the target that the classifier spreads over all classes (Szegedy et al. 2016, eq. 5; the paper has none).',
  }),
  trainingEpsilon: real({ min: 0, max: 1 }, 0.3, {
    title: 'Training ε',
    usual: [0, 0.4],
    description:
      'Radius of the L∞ ball in which training perturbs images (Madry et al. 2018: 0.3 on MNIST); 0 perturbs nothing.',
  }),
  trainingSteps: whole({ min: 1, max: 1000 }, 10, {
    title: 'Training attack steps',
    usual: [1, 40],
    description:
      'Gradient steps of the attack on each training image (Madry et al. 2018 and TRADES: 40; 10 to 20 suffice for a sweep; 1 is FGSM).',
    unit: 'steps',
    scale: 'log',
  }),
  trainingReach: real({ above: 0, max: 100 }, 2.5, {
    title: 'Training attack reach',
    usual: [1, 4],
    description:
      'Length of all steps of the training attack together, in units of ε: 40 steps of 0.01 at ε 0.3 reach 1.33 (Madry et al. 2018).',
    unit: 'ε',
  }),
  warmupEpochs: whole({ min: 0, max: 10_000 }, 10, {
    title: 'ε warm-up epochs',
    usual: [0, 20],
    description:
      'Epochs over which the training ε grows from 0 to its value, update by update; 0 starts with the full value.',
    unit: 'epochs',
  }),
  tradesBeta: real({ min: 0, max: 1e6 }, 1, {
    title: 'TRADES β',
    usual: [1, 6],
    description:
      'Weight of KL(p(x) ‖ p(x′)) beside the cross-entropy on x (Zhang et al. 2019, eq. 5, 1/λ there; 1 on MNIST, 6 for more robustness).',
    scale: 'log',
  }),
  temperature: real({ above: 0, max: 1e4 }, 100, {
    title: 'Temperature',
    usual: [1, 100],
    description:
      'T of softmax(z / T), at which teacher and student are trained; the trained student runs at T = 1 (Papernot et al. 2016: 100 on MNIST).',
    scale: 'log',
  }),
  reformerRate: rate(1e-3, {
    title: 'Reformer rate',
    usual: [1e-4, 1e-2],
    description: "Adam's learning rate of MagNet's auto-encoders (Meng & Chen 2017: 1e-3).",
    scale: 'log',
  }),
  reformerNoise: real({ min: 0, max: 1 }, 0.1, {
    title: 'Reformer noise',
    usual: [0.01, 0.3],
    description:
      "Standard deviation of the normal noise on the inputs of MagNet's auto-encoders, which reconstruct the clean image (Meng & Chen 2017: 0.1).",
  }),
  dropRate: real({ min: 0, max: 0.5 }, 0.001, {
    title: 'Drop rate',
    usual: [1e-3, 1e-2],
    description:
      'Share of held-out clean images that each of MagNet’s detectors rejects. It determines the threshold (Meng & Chen 2017: 0.001).',
    scale: 'log',
  }),
  detectorEpochs: epochs(10_000, 20, {
    title: 'Detector epochs',
    usual: [5, 50],
    description: 'Epochs of the detector on the frozen classifier.',
  }),
  detectorAdversary: choice(['static', 'dynamic'], 'static', {
    title: 'Detector adversary',
    description:
      'The detector trains on images perturbed against the classifier (static), or against classifier and detector at once (dynamic; Metzen et al. 2017, eq. 2).',
  }),
  falsePositiveRate: real({ min: 0, max: 0.5 }, 0.05, {
    title: 'False-positive rate',
    usual: [0.01, 0.05],
    description:
      'Share of held-out clean images that the detector rejects. It determines the threshold (usual: 0.01 to 0.05).',
    scale: 'log',
  }),
} as const satisfies Record<string, HyperparameterDeclaration>;

export type HyperparameterName = keyof typeof declarations;
export const hyperparameterNames = Object.keys(declarations) as HyperparameterName[];

/** The declaration of a hyperparameter. */
export const hyperparameterDeclaration = (name: HyperparameterName): HyperparameterDeclaration =>
  declarations[name];

/** The schema of each hyperparameter, with its default. */
export const hyperparameters = Object.fromEntries(
  hyperparameterNames.map((name) => [name, schemaOf(declarations[name])]),
) as unknown as {
  readonly [K in HyperparameterName]: z.ZodDefault<z.ZodType<ValueOf<(typeof declarations)[K]>>>;
}; // a schema for every name

/** All hyperparameters with defaults filled in. */
export const Hyperparameters = z.strictObject(hyperparameters);
export type Hyperparameters = z.infer<typeof Hyperparameters>;
export const defaultHyperparameters: Readonly<Hyperparameters> = Hyperparameters.parse({});
/** A value of any hyperparameter. */
export const HyperparameterValue = z.union([z.number(), z.string(), z.boolean()]);
export type HyperparameterValue = z.infer<typeof HyperparameterValue>;

/**
 * The value of a hyperparameter of a trial. Trials leave out one that a later version added while it has its default (decision 18).
 * Undefined where the recipe does not read it.
 */
export const hyperparameterOf = (
  trial: { readonly hyperparameters: Readonly<Record<string, HyperparameterValue>> },
  name: string,
): HyperparameterValue | undefined => {
  const added = (declarations as Record<string, HyperparameterDeclaration>)[name];
  return trial.hyperparameters[name] ?? (added?.since === undefined ? undefined : added.default);
};
