/** How many images of trials only attacks without gradients fool (`missed-by-gradients.ts` of the contracts). */
import {
  type Ball,
  ballOf,
  type Contest,
  contestsOf,
  type MissedImages,
  missedImagesOf,
  type Run,
  reachOf,
} from '@funnel/contracts';
import type { Tx } from '../connection/transaction.ts';
import { attackStages, readStageImages, type StageReach } from './stage-images.ts';

/** Every success of an attack at a fixed ε lies within its ball. Of other attacks, the distances decide. */
const reachOfRun = (run: Run, ball: Ball): Omit<StageReach, 'stage'> => {
  const own = ballOf(run);
  return {
    countsFully: own?.norm === ball.norm && own.epsilon === ball.epsilon,
    l2: ball.norm === 'l2' ? reachOf(ball.epsilon) : null,
    linf: ball.norm === 'linf' ? reachOf(ball.epsilon) : null,
  };
};

/** For each attack the letters of its images. Counts the images that one of the first attacks fools, and none of the others. */
const countMissed = (gradientFree: readonly string[], gradient: readonly string[]) => {
  const images = Math.max(0, ...gradientFree.map(({ length }) => length));
  let missed = 0;
  for (let image = 0; image < images; image++) {
    const isFooled = (letters: string): boolean => letters[image] === 't';
    if (gradientFree.some(isFooled) && !gradient.some(isFooled)) missed++;
  }
  return { missed, images };
};

const keyOf = (trial: string, place: number, { norm, epsilon }: Ball): string =>
  `${trial} ${place} ${norm} ${epsilon}`;

/** By trial; none for a trial without attacks of both kinds at one ε. */
export const missedByGradients = async (
  tx: Tx,
  trialIds: readonly string[],
): Promise<ReadonlyMap<string, readonly MissedImages[]>> => {
  const trials = [...(await attackStages(tx, trialIds))];
  const wanted = trials.flatMap(([trial, runs]) =>
    contestsOf(runs).flatMap(({ ball, gradientFree, gradient }) =>
      [...gradientFree, ...gradient].map((place) => {
        const run = runs[place]!;
        return { key: keyOf(trial, place, ball), stage: run.stage_id, ...reachOfRun(run, ball) };
      }),
    ),
  );
  const letters = new Map(
    (await readStageImages(tx, wanted)).map(({ place, fooled }) => [wanted[place]!.key, fooled]),
  );
  return new Map(
    trials.map(([trial, runs]) => {
      const lettersOf = (places: readonly number[], ball: Ball) =>
        places.map((place) => letters.get(keyOf(trial, place, ball)) ?? '');
      const count = ({ ball, gradientFree, gradient }: Contest) =>
        countMissed(lettersOf(gradientFree, ball), lettersOf(gradient, ball));
      return [trial, missedImagesOf(runs, count)];
    }),
  );
};
