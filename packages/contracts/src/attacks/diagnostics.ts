/** The checks of an evaluation. A check compares a number with a threshold; its verdict is about the evaluation, not about the defence. */
import { z } from 'zod';

/** Every verdict about an evaluation, with its meaning. */
export const verdicts = {
  ok: 'No check found a sign of a wrong result.',
  suspect: 'The low success rate may be an artefact: check by hand before you trust the result.',
  masked: 'The low success rate is an artefact: the attacks cannot follow the gradients of the model.',
} as const satisfies Record<string, string>;
export const Verdict = z.enum(Object.keys(verdicts) as [keyof typeof verdicts, ...(keyof typeof verdicts)[]]);
export type Verdict = z.infer<typeof Verdict>;

const severity = { ok: 0, suspect: 1, masked: 2 } as const satisfies Record<Verdict, number>;
/** `ok` for no verdicts. */
export const worstVerdict = (verdicts: readonly Verdict[]): Verdict =>
  verdicts.reduce<Verdict>((worst, verdict) => (severity[verdict] > severity[worst] ? verdict : worst), 'ok');

/**
 * Part of the identity of an attack stage, because the diagnosis is part of its result. Raise it when a check measures differently or has
 * another threshold.
 */
export const diagnosisVersion = 2;

/** No check says `suspect` because of fewer images than these. */
export const enoughImages = 5;

type CheckDeclaration = {
  /** The problem that a flagged check has found. `packages/attacks` has a function of this name. */
  readonly name: string;
  /** The statement that holds when the check is not flagged. */
  readonly title: string;
  /** True when a certain finding makes the verdict `masked`. */
  readonly masks: boolean;
  /** What the check found when it is flagged. */
  readonly flagged: string;
  /** What to do about a flagged check. */
  readonly remedy: string;
};

/** Remedies of several checks. */
const strongerAttacks =
  'Usual gradient attacks miss images that they should fool. Trust the worst case over strong and black-box attacks: `preset:autoattack`, `square-linf`, `transfer-linf`. If you ran these, it counts their images.';
const moreSteps =
  'PGD needs more steps on this model, and weaker attacks miss images. Attack with `apgd-ce-linf`, whose step size adapts, and raise `steps` until the accuracy stays the same; or with `preset:autoattack`. If you ran these, the worst case counts their images.';

/** All checks by number. Stored results carry the number; the name and the title come from here, for old results too. */
export const diagnostics = {
  H1: {
    name: 'single-step-beats-iterative',
    title: 'Iterative beats single step',
    masks: true,
    flagged: 'FGSM fools images that PGD does not (> 0.5 %).',
    remedy:
      'PGD does not follow the gradient well. Attack with `apgd-ce-linf`, whose step size adapts, or with `preset:autoattack`. If you ran these, the worst case counts their images.',
  },
  H2: {
    name: 'black-box-beats-white-box',
    title: 'White box beats black box',
    masks: true,
    flagged: 'Square fools images that the PGD and the FMN of the checks do not (> 0.2 %).',
    remedy: strongerAttacks,
  },
  H3: {
    name: 'transfer-beats-white-box',
    title: 'White box beats transfer',
    masks: true,
    flagged: 'PGD on surrogates fools images that the PGD and the FMN of the checks do not.',
    remedy: strongerAttacks,
  },
  H4: {
    name: 'unbounded-attack-fails',
    title: 'Unbounded attack succeeds',
    masks: true,
    flagged: 'PGD fails on an image at L∞ 1, or on more than 10 % at L∞ 0.5.',
    remedy:
      'Gradients lead attacks nowhere. Look for a step in the model that has no gradient, such as rounding, and attack the model without it.',
  },
  H5: {
    name: 'accuracy-rises-with-epsilon',
    title: 'Accuracy falls with ε',
    masks: false,
    flagged: 'The accuracy rises with ε by more than a standard error.',
    remedy:
      'A larger ball holds the smaller one, so PGD is too weak at the larger ε. Attack with `apgd-ce-linf`, whose step size adapts, and raise `steps` and `restarts` until the accuracy stays the same.',
  },
  H6: {
    name: 'distance-is-implausible',
    title: 'Distances are plausible',
    masks: true,
    flagged:
      'The smallest perturbation that was found is larger than the distance to an image of another class.',
    remedy: 'The smallest perturbation is not the smallest. Give `fmn-l2` or `cw-l2` more steps.',
  },
  H7: {
    name: 'attack-has-not-converged',
    title: 'Attack has converged',
    masks: false,
    flagged:
      'The accuracy after 160 steps is lower than after 40 by more than 1 point and more than one image.',
    remedy: moreSteps,
  },
  H8: {
    name: 'restarts-find-more',
    title: 'Restarts add nothing',
    masks: false,
    flagged:
      'The accuracy with 10 restarts is lower than with 1 by more than 1 point and more than one image.',
    remedy:
      'One start of PGD misses images on this model, and weaker attacks miss more. Attack with `apgd-ce-linf` and `restarts: 10` or more, or with `preset:autoattack`. If you ran these, the worst case counts their images.',
  },
  H9: {
    name: 'noise-beats-white-box',
    title: 'White box beats random noise',
    masks: true,
    flagged: 'Random noise fools images that the PGD and the FMN of the checks do not.',
    remedy: strongerAttacks,
  },
  H10: {
    name: 'gradient-is-zero',
    title: 'Gradients are not zero',
    masks: true,
    flagged: 'The gradient of the cross-entropy is exactly zero for some image.',
    remedy:
      'Attack the margin (`loss: margin`) or take `apgd-t-linf`: the cross-entropy of a very confident model has no gradient in float32.',
  },
  H11: {
    name: 'predictions-differ',
    title: 'Predictions repeat',
    masks: false,
    flagged: 'Five forward passes give different answers.',
    remedy:
      'The model is random. Switch its randomness off, or average the gradient over many passes in an attack of your own.',
  },
  H12: {
    name: 'outputs-are-probabilities',
    title: 'Outputs are logits',
    masks: true,
    flagged: 'The outputs are probabilities, not logits.',
    remedy:
      'Give the attacks the logits: `npx funnel examine` says how (`--from-probabilities`), or export the model without its softmax.',
  },
  H13: {
    name: 'gradient-is-wrong',
    title: 'Gradients match finite differences',
    masks: true,
    flagged:
      'Gradients differ from finite differences by more than 5 % (measured a little off the images, which lie on kinks).',
    remedy:
      'An operation of the model has a wrong gradient. Compare two backends (`--backend`), and replace the operation in the copy that is attacked.',
  },
  H14: {
    name: 'loss-is-unstable',
    title: 'Loss is stable under noise',
    masks: false,
    flagged: 'Tiny noise changes the margin by more than 10 %.',
    remedy:
      'Smooth the loss: average the gradient over noise in an attack of your own, and compare with `square-linf`.',
  },
  H15: {
    name: 'hit-is-lost-on-the-way',
    title: 'No silent success',
    masks: false,
    flagged:
      'Never flagged. It counts the images that PGD fools at an intermediate step, but not at its end; the driver keeps the best step.',
    remedy: 'Nothing: results count these images as fooled.',
  },
  H16: {
    name: 'optimisation-is-incomplete',
    title: 'Optimisation is complete',
    masks: false,
    flagged:
      'The margin of the true class still falls at the end of PGD for more than 10 % of the images that it does not fool.',
    remedy: moreSteps,
  },
  H17: {
    name: 'unconstrained-attack-fails',
    title: 'No unconstrained failure',
    masks: true,
    flagged: 'FMN, which has no budget, fails on some image.',
    remedy: 'Without a budget every model falls, so the attack failed. Look at H10 and H13 first.',
  },
  H18: {
    name: 'attack-does-not-transfer',
    title: 'Attack transfers from its surrogate',
    masks: false,
    flagged: 'Most adversarials of surrogates do not fool the model.',
    remedy:
      'Results of transfer attacks say little about this model. Train surrogates that are more like it.',
  },
  H19: {
    name: 'boundary-is-not-linear',
    title: 'Boundary is locally linear',
    masks: false,
    flagged: "DeepFool's first step closes less than 0.3 of the gap, or DeepFool needs more than 20 steps.",
    remedy:
      'Give attacks that linearise the model (DeepFool, FAB) more steps, and compare with `apgd-ce-linf`.',
  },
  H20: {
    name: 'gradient-is-shattered',
    title: 'Gradient directions are stable',
    masks: false,
    flagged: 'Gradients 0.1 apart have a median cosine below 0.3.',
    remedy:
      'The gradient changes its direction within a short distance. Compare with `square-linf`, and average the gradient over noise in an attack of your own.',
  },
  H21: {
    name: 'control-withstands-attacks',
    title: 'Attacks break an undefended model',
    masks: false,
    flagged: 'DeepFool or PGD fails on more than 5 % of the images on an undefended model (`control`).',
    remedy: 'The attack itself is wrong on this machine. Run `npx funnel doctor`, and report it.',
  },
  H22: {
    name: 'worst-case-beats-best-attack',
    title: 'Worst case is per image',
    masks: false,
    flagged: 'Never flagged. It records how far the worst case per image lies below the best single attack.',
    remedy: 'Nothing: results report the worst case.',
  },
} as const satisfies Record<string, CheckDeclaration>;

export type DiagnosticId = keyof typeof diagnostics;
export const diagnosticIds = Object.keys(diagnostics) as DiagnosticId[];
export const DiagnosticId = z.enum(diagnosticIds as [DiagnosticId, ...DiagnosticId[]]);

/** The name and the number of a check, as reports and pages show it: `gradient-is-zero (H10)`. */
export const checkLabel = (id: DiagnosticId): string => `${diagnostics[id].name} (${id})`;

/** What to do about a check that raised a flag. */
export const checkRemedy = (id: DiagnosticId): string => diagnostics[id].remedy;

export const Diagnostic = z.strictObject({
  id: DiagnosticId.meta({
    description: `The number of the check. Names: ${diagnosticIds.map((id) => `${id} ${diagnostics[id].name}`).join(', ')}.`,
  }),
  /** Null when the check could not run: `detail` gives the reason, and the verdict is `ok`. */
  value: z
    .number()
    .nullable()
    .meta({ description: 'The computed number; null when it could not be computed.' }),
  threshold: z.number().meta({ description: 'The number that `value` is compared with.' }),
  verdict: Verdict,
  detail: z.string().meta({ description: 'One sentence: the compared numbers, and the number of images.' }),
});
export type Diagnostic = z.infer<typeof Diagnostic>;

export const DiagnosticsReport = z.strictObject({
  verdict: Verdict.meta({ description: 'The worst verdict of the checks.' }),
  images: z.int().min(0).meta({ description: 'The number of images that the checks ran on.' }),
  checks: z.array(Diagnostic),
});
export type DiagnosticsReport = z.infer<typeof DiagnosticsReport>;
