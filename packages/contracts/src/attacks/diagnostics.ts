/** The checks of an evaluation. A check compares a number with a threshold; its verdict is about the evaluation, not about the defence. */
import { z } from 'zod';

/** `masked`: the low success rate is an artefact. `suspect`: it may be an artefact. */
export const Verdict = z.enum(['ok', 'suspect', 'masked']);
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
};

/** All checks by number. Stored results carry the number; the name and the title come from here, for old results too. */
export const diagnostics = {
  H1: { name: 'single-step-beats-iterative', title: 'Iterative beats single step', masks: true },
  H2: { name: 'black-box-beats-white-box', title: 'White box beats black box', masks: true },
  H3: { name: 'transfer-beats-white-box', title: 'White box beats transfer', masks: true },
  H4: { name: 'unbounded-attack-fails', title: 'Unbounded attack succeeds', masks: true },
  H5: { name: 'accuracy-rises-with-epsilon', title: 'Accuracy falls with ε', masks: false },
  H6: { name: 'distance-is-implausible', title: 'Distances are plausible', masks: true },
  H7: { name: 'attack-has-not-converged', title: 'Attack has converged', masks: false },
  H8: { name: 'restarts-find-more', title: 'Restarts add nothing', masks: false },
  H9: { name: 'noise-beats-white-box', title: 'White box beats random noise', masks: true },
  H10: { name: 'gradient-is-zero', title: 'Gradients are not zero', masks: true },
  H11: { name: 'predictions-differ', title: 'Predictions repeat', masks: false },
  H12: { name: 'outputs-are-probabilities', title: 'Outputs are logits', masks: true },
  H13: { name: 'gradient-is-wrong', title: 'Gradients match finite differences', masks: true },
  H14: { name: 'loss-is-unstable', title: 'Loss is stable under noise', masks: false },
  H15: { name: 'hit-is-lost-on-the-way', title: 'No silent success', masks: false },
  H16: { name: 'optimisation-is-incomplete', title: 'Optimisation is complete', masks: false },
  H17: { name: 'unconstrained-attack-fails', title: 'No unconstrained failure', masks: true },
  H18: { name: 'attack-does-not-transfer', title: 'Attack transfers from its surrogate', masks: false },
  H19: { name: 'boundary-is-not-linear', title: 'Boundary is locally linear', masks: false },
  H20: { name: 'gradient-is-shattered', title: 'Gradient directions are stable', masks: false },
  H21: { name: 'control-withstands-attacks', title: 'Attacks break an undefended model', masks: false },
  H22: { name: 'worst-case-beats-best-attack', title: 'Worst case is per image', masks: false },
} as const satisfies Record<string, CheckDeclaration>;

export type DiagnosticId = keyof typeof diagnostics;
export const diagnosticIds = Object.keys(diagnostics) as DiagnosticId[];
export const DiagnosticId = z.enum(diagnosticIds as [DiagnosticId, ...DiagnosticId[]]);

/** The name and the number of a check, as reports and pages show it: `gradient-is-zero (H10)`. */
export const checkLabel = (id: DiagnosticId): string => `${diagnostics[id].name} (${id})`;

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
