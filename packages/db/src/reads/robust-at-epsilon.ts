/** The robust accuracy of attacks without a ball at a given ε: the share of images that their smallest changes leave beyond ε. */
import {
  attacks,
  type Evaluation,
  isBounded,
  type RobustAtEpsilon,
  reachOf,
  threatModelOf,
} from '@funnel/contracts';
import { int8, text } from '../connection/columns.ts';
import type { Tx } from '../connection/transaction.ts';

type Wanted = { readonly stage: string } & Pick<RobustAtEpsilon, 'norm' | 'epsilon'>;

/** The ε of an attack without a ball: its own setting, else the radius of the trial's other attacks in its norm. Empty for other attacks. */
const wantedOf = (evaluations: readonly Evaluation[]): readonly Wanted[] => {
  const radii = threatModelOf(evaluations);
  return evaluations.flatMap((run): Wanted[] => {
    const { norm } = attacks[run.attack];
    if (isBounded(run) || norm === 'l0' || run.summary.attempted === 0) return [];
    const own = run.settings.epsilon;
    const epsilon = typeof own === 'number' ? own : radii[norm];
    return epsilon === undefined ? [] : [{ stage: run.stage, norm, epsilon }];
  });
};

/** The same evaluations of one trial, with this accuracy where it exists. */
export const withRobustAtEpsilon = async (
  tx: Tx,
  evaluations: readonly Evaluation[],
): Promise<readonly Evaluation[]> => {
  const wanted = wantedOf(evaluations);
  if (wanted.length === 0) return evaluations;
  const rows = await tx.query(
    { stage_id: text(), robust: int8() },
    `SELECT e.stage_id, (
       SELECT count(*) FROM unnest(e.correct, e.success, CASE w.norm WHEN 'l2' THEN e.l2 ELSE e.linf END) AS i (correct, success, distance)
       WHERE i.correct AND NOT (i.success AND i.distance <= w.reach)) AS robust
     FROM unnest($1::text[], $2::text[], $3::float8[]) AS w (stage_id, norm, reach) JOIN evaluations e ON e.stage_id = w.stage_id`,
    [
      wanted.map(({ stage }) => stage),
      wanted.map(({ norm }) => norm),
      wanted.map(({ epsilon }) => reachOf(epsilon)),
    ],
  );
  const counts = new Map(rows.map(({ stage_id, robust }) => [stage_id, robust]));
  const balls = new Map(wanted.map(({ stage, norm, epsilon }) => [stage, { norm, epsilon }]));
  return evaluations.map((evaluation): Evaluation => {
    const ball = balls.get(evaluation.stage);
    const robust = counts.get(evaluation.stage);
    if (!ball || robust === undefined) return evaluation;
    return {
      ...evaluation,
      robustAtEpsilon: { ...ball, robust, accuracy: robust / evaluation.summary.images },
    };
  });
};
