import type { HyperparameterName, Hyperparameters } from '../hyperparameters.ts';
import type { TrainingMetricName } from '../metrics.ts';

/** One training stage of a recipe: what it reads decides what it shares. */
export type TrainingStage = {
  readonly kind: 'initialise' | 'optimise' | 'classify';
  /** Hyperparameters that change this stage's result, its length excepted. Hyperparameters of earlier stages arrive through the parent's identity. */
  readonly reads: readonly HyperparameterName[];
  /** Hyperparameters that only decide how long it trains: fewer epochs are a checkpoint on the way of more. */
  readonly lengthOf: readonly HyperparameterName[];
  readonly epochs: (h: Hyperparameters) => number;
  /** Metrics that every epoch records, in the order of a table's columns (declared in `metrics.ts`). */
  readonly records: readonly TrainingMetricName[];
  /** Networks that its checkpoints hold, those of earlier stages that it keeps included. */
  readonly networks: readonly string[];
};

/** What the planner, the API and the form know of a recipe; its arithmetic is in the engine under the same name. */
export type Recipe = {
  readonly title: string;
  readonly description: string;
  readonly citation: string;
  /** Part of every identity below: raise it when the same hyperparameters give other weights. */
  readonly version: number;
  readonly stages: readonly TrainingStage[];
};

export const defineRecipe = <R extends Recipe>(recipe: R): R => recipe;
