/** Gives the attacks of a test their outcomes, and ranks the trials. */
import { type LeaderboardQuery, routes } from '@funnel/contracts';
import { type ClaimedStage, completeStage, type Db, leaderboard } from '../../src/index.ts';
import { claim, evaluationOf, finish } from './simulated-trainer.ts';
import { query } from './tables.ts';

type Trial = { readonly gamma: number; readonly seed: number; readonly attack: string };
export type Outcome = Parameters<typeof evaluationOf>[2] & {
  readonly success: readonly boolean[];
  /** The clean accuracy on the test images, and the number of attacked images that are classified correctly. */
  readonly clean?: number;
  readonly correct?: number;
};

export type OutcomeOf = (trial: Trial) => Outcome;

/** Completes a claimed attack. */
export const completeAttack = async (db: Db, claimed: ClaimedStage, outcomeOf: OutcomeOf): Promise<void> => {
  const { stageId, fencingToken, spec } = claimed;
  const [trial] = await query<{ id: string; gamma: number; seed: number }>(
    db,
    `SELECT t.id, (t.hyperparameters ->> 'gamma')::float8 AS gamma, t.seed FROM trials t JOIN trial_stages ts ON ts.trial_id = t.id WHERE ts.stage_id = $1`,
    [stageId],
  );
  const { success, clean, correct, ...options } = outcomeOf({ ...trial!, attack: spec.attack!.attack });
  if (clean !== undefined)
    await query(db, 'UPDATE trials SET clean_accuracy = $2 WHERE id = $1', [trial!.id, clean]);
  const evaluation = evaluationOf(claimed, success, options);
  if (correct !== undefined) {
    const { images } = evaluation.summary;
    evaluation.records.correct.fill(false, correct);
    evaluation.records.success.fill(false, correct);
    const successes = evaluation.records.success.filter(Boolean).length;
    Object.assign(evaluation.summary, {
      ...{ attempted: correct, successes, cleanAccuracy: correct / images },
      ...{ successRate: successes / correct, robustAccuracy: (correct - successes) / images },
    });
  }
  await completeStage(db, { stageId, fencingToken, evaluation });
};

/** Runs every stage that is ready. */
export const runWith = async (db: Db, outcomeOf: OutcomeOf): Promise<void> => {
  for (let claimed = await claim(db); claimed; claimed = await claim(db))
    await (claimed.spec.kind === 'attack' ? completeAttack(db, claimed, outcomeOf) : finish(db, claimed));
};

const rankingOf = (input: object): LeaderboardQuery =>
  routes.leaderboard.query.parse(input) as LeaderboardQuery;
/** The ranking under FGSM, unless `input` says another one. */
export const rankBy = (db: Db, input: object) => leaderboard(db, rankingOf({ attack: 'fgsm', ...input }));

/** `of` images, of which those from `first` on are fooled, `count` of them. */
export const fooled = (count: number, of: number, first = 0) =>
  Array.from({ length: of }, (_, i) => i >= first && i < first + count);

export const fgsm = [{ attack: 'fgsm', search: false, epsilon: 0.1 }] as const;
