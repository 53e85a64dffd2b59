/** Checks of an honest evaluation: computed numbers against thresholds, with a verdict on the evaluation, not on the defence. */
import { z } from 'zod';

/** `masked`: the low success rate is an artefact. `suspect`: do not believe it without looking. */
export const Verdict = z.enum(['ok', 'suspect', 'masked']);
export type Verdict = z.infer<typeof Verdict>;

/** Part of an attack stage's identity, as its report is part of the result: raise it whenever a check measures or judges otherwise. */
export const diagnosisVersion = 2;

export const diagnostics = {
  H1: { title: 'Iterative beats single step', masks: true },
  H2: { title: 'White box beats black box', masks: true },
  H3: { title: 'White box beats transfer', masks: true },
  H4: { title: 'Unbounded attack succeeds', masks: true },
  H5: { title: 'Accuracy falls with ε', masks: false },
  H6: { title: 'Distances are plausible', masks: true },
  H7: { title: 'Attack has converged', masks: false },
  H8: { title: 'Restarts add nothing', masks: false },
  H9: { title: 'White box beats random noise', masks: true },
  H10: { title: 'Gradients are not zero', masks: true },
  H11: { title: 'Predictions repeat', masks: false },
  H12: { title: 'Outputs are logits', masks: true },
  H13: { title: 'Gradients match finite differences', masks: true },
  H14: { title: 'Loss is stable under noise', masks: false },
  H15: { title: 'No silent success', masks: false },
  H16: { title: 'Optimisation is complete', masks: false },
  H17: { title: 'No unconstrained failure', masks: true },
  H18: { title: 'Attack transfers from its surrogate', masks: false },
  H19: { title: 'Boundary is locally linear', masks: false },
  H20: { title: 'Gradient directions are stable', masks: false },
  H21: { title: 'Attacks break an undefended model', masks: false },
  H22: { title: 'Worst case is per image', masks: false },
} as const satisfies Record<string, { readonly title: string; readonly masks: boolean }>;

export type DiagnosticId = keyof typeof diagnostics;
export const diagnosticIds = Object.keys(diagnostics) as DiagnosticId[];
export const DiagnosticId = z.enum(diagnosticIds as [DiagnosticId, ...DiagnosticId[]]);

export const Diagnostic = z.strictObject({
  id: DiagnosticId,
  /** Null: a condition of the check was not met; `detail` says which, and the verdict is `ok`. */
  value: z
    .number()
    .nullable()
    .meta({ description: 'The computed number; null when it could not be computed.' }),
  threshold: z.number().meta({ description: 'What the number is compared with.' }),
  verdict: Verdict,
  detail: z.string().meta({ description: 'One sentence: what was compared, over how many images.' }),
});
export type Diagnostic = z.infer<typeof Diagnostic>;

export const DiagnosticsReport = z.strictObject({
  verdict: Verdict.meta({ description: 'The worst verdict of the checks.' }),
  images: z.int().min(0).meta({ description: 'Images the checks ran on.' }),
  checks: z.array(Diagnostic),
});
export type DiagnosticsReport = z.infer<typeof DiagnosticsReport>;

const severity = { ok: 0, suspect: 1, masked: 2 } as const satisfies Record<Verdict, number>;
export const worstVerdict = (verdicts: readonly Verdict[]): Verdict =>
  verdicts.reduce<Verdict>((worst, verdict) => (severity[verdict] > severity[worst] ? verdict : worst), 'ok');
