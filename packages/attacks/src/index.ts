export type { Attack, AttackContext, AttackResult } from './attack.ts';
export { type ClassifierModel, classifierModel, type ModelOptions } from './model.ts';
export { attacks } from './registry.ts';
export type { EvaluationResources } from './resources.ts';
export { type EvaluateAttackOptions, type Evaluation, evaluateAttack } from './run-attack.ts';
export { median, wilsonInterval } from './statistics.ts';
export { summarise } from './summary.ts';
