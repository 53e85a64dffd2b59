/**
 * The public names of the package. `README.md` lists the files in reading order.
 * @module @funnel/attacks
 */
export {
  AppError,
  type AttackInput,
  type AttackName,
  type AttackSpec,
  attackNames,
  type Budgets,
  type DiagnosticsReport,
  type EvaluationRecords,
  type EvaluationSummary,
  type Examination,
  type RobustnessCurve,
} from '@funnel/contracts';
export { correctOperators } from '@funnel/kernels';
export type { Attack, AttackContext, AttackResult, EvaluationResources } from './attack.ts';
export { type ClassifierModel, classifierModel, type ModelOptions } from './classifier.ts';
export { type DiagnoseOptions, diagnose, diagnoseTransfer } from './diagnostics/diagnose.ts';
export {
  type EvaluateAttackOnRowsOptions,
  type EvaluateAttackOptions,
  type Evaluation,
  evaluateAttack,
  evaluateAttackOnRows,
} from './evaluate-attack.ts';
export {
  type AttackOutcome,
  type EvaluateAttacksOptions,
  evaluateAttacks,
  type WorstCase,
} from './evaluate-attacks.ts';
export { type ExamineOptions, examineClassifier, splitByGradients } from './examine/examine.ts';
export type { ImageRows } from './input.ts';
export { type LoadOptions, loadClassifier } from './models/load-classifier.ts';
export { expandAttacks } from './read-attacks.ts';
export { attacks } from './registry.ts';
export {
  curveEpsilons,
  type Evaluated,
  median,
  robustnessCurve,
  summarise,
  wilsonInterval,
  worstCase,
} from './statistics.ts';
