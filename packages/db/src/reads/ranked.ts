/** A row of the leaderboard in its place, before its details. */
export type Ranked = {
  readonly trial_id: string;
  readonly stage_id: string;
  readonly position: number;
  readonly masked: boolean;
  /** Null: the value is missing. */
  readonly merit: number | null;
  readonly seeds: number[];
  /** Of the seeds' values; null for one. */
  readonly deviation: number | null;
  readonly clean_accuracy: number | null;
};
