/** The robust accuracy at a given ε of an attack that looks for the smallest change: the share of images that its changes leave beyond ε. */
import type { EvaluationRecords, EvaluationSummary } from './attacks/evaluation.ts';
import { attacks } from './attacks.ts';
import { type Ball, isBounded, type Run, reachOf } from './ranking.ts';
import type { RobustAtEpsilon } from './resources/trials.ts';
import type { ThreatModel } from './threat-model.ts';

/**
 * The ε of an attack without a ball: its own setting, else the radius of these balls in its norm. Null for other attacks. An ε of 1 in L∞ is the
 * whole range of pixels, the default of `fgsm`: no model withstands it, so it says nothing.
 */
export const searchedBall = (run: Run, radii: ThreatModel): Ball | null => {
  const { norm } = attacks[run.attack];
  if (isBounded(run) || norm === 'l0') return null;
  const own = run.settings.epsilon;
  const isOwn = typeof own === 'number' && !(norm === 'linf' && own >= 1);
  const epsilon = isOwn ? own : radii[norm];
  return epsilon === undefined ? null : { norm, epsilon };
};

/**
 * Over all images of an evaluation: robust are those that were attacked, and for which the attack found no change within the ball. An image that
 * an earlier attack of an ensemble fooled is not attacked again, and counts as fooled.
 */
export const robustAt = (
  {
    summary: { images, attempted },
    records,
  }: {
    readonly summary: Pick<EvaluationSummary, 'images' | 'attempted'>;
    readonly records: Pick<EvaluationRecords, 'success' | 'l2' | 'linf'>;
  },
  ball: Ball,
): RobustAtEpsilon => {
  const reach = reachOf(ball.epsilon);
  const distances = records[ball.norm];
  const fooled = records.success.filter((success, row) => success && distances[row]! <= reach).length;
  const robust = attempted - fooled;
  return { ...ball, robust, accuracy: robust / images };
};
