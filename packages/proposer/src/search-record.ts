/** A search as the database keeps it: its decisions, and what their trials came out with. */
import type {
  AttackSpec,
  DecisionSource,
  EvaluationMetricName,
  HyperparameterValue,
  SearchEnd,
  SearchPoint,
  StoredDefinition,
  TrialStatus,
  Verdict,
} from '@funnel/contracts';

/** A value of a trial that a search reads. */
export type WantedValue = {
  /** Undefined: the worst case over the attacks; for the clean accuracy, all test images without an attack. */
  readonly attack: AttackSpec | undefined;
  readonly metric: EvaluationMetricName;
};

export type UnitTrial = {
  readonly id: string;
  readonly seed: number;
  readonly status: TrialStatus;
  readonly verdict: Verdict | null;
  /** In the order of the wanted values; null: missing. */
  readonly values: readonly (number | null)[];
};

/** A decision as it is written. */
export type NewDecision = {
  /** 0, 1, … */
  readonly number: number;
  readonly source: DecisionSource;
  /** The number of the decision that proposed the configuration; null for an empty place. */
  readonly configuration: number | null;
  /** 0 for the shortest training, and without promotion; null for an empty place. */
  readonly rung: number | null;
  /** The value of the fidelity; null without promotion. */
  readonly epochs: number | null;
  /** Without the fidelity; null for an empty place. */
  readonly point: SearchPoint | null;
  /** Of a promotion: the place at the rung below, from 1, and the number of units there. */
  readonly place: number | null;
  readonly among: number | null;
  /** The epochs that the unit adds to the search. */
  readonly newEpochs: number;
};

/** A decision that was made, and its trials by seed. */
export type RecordedDecision = NewDecision & {
  readonly decidedAt: string;
  readonly trials: readonly UnitTrial[];
};

export type SearchRecord = {
  readonly definition: StoredDefinition;
  /** The time of the submission. */
  readonly createdAt: string;
  /** The number of configurations that the search may propose. */
  readonly configurations: number;
  /** Observations of other sweeps, as `earlierOf` wrote them. */
  readonly earlier: readonly unknown[];
  /** Points that users asked for, oldest first. */
  readonly handPoints: readonly SearchPoint[];
  /** Null: the search is open. */
  readonly ended: SearchEnd | null;
  /** In the order of their numbers, which may have gaps. */
  readonly decisions: readonly RecordedDecision[];
};

/** A configuration of an earlier sweep whose trials have all ended. */
export type EarlierConfiguration = {
  readonly recipe: string;
  readonly hyperparameters: Readonly<Record<string, HyperparameterValue>>;
  readonly trials: readonly UnitTrial[];
};

export type EarlierSweep = {
  readonly sweepId: string;
  readonly definition: StoredDefinition;
  /** Without configurations below the highest rung. */
  readonly configurations: readonly EarlierConfiguration[];
};
