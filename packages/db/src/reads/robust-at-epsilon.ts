/** The robust accuracy of attacks without a ball at a given ε: the share of images that their smallest changes leave beyond ε. */
import {
  type Ball,
  type Evaluation,
  type RobustAtEpsilon,
  reachOf,
  searchedBall,
  type ThreatModel,
  threatModelOf,
} from '@funnel/contracts';
import { int4, int8 } from '../connection/columns.ts';
import type { Tx } from '../connection/transaction.ts';
import type { SeedEvidence } from './evidence.ts';

type Run = Pick<Evaluation, 'attack' | 'settings'>;

type Wanted = Ball & { readonly stage: string };

/** A stage may be in sweeps with several ε, so it has a count for each. */
const keyOf = ({ stage, norm, epsilon }: Wanted): string => `${stage} ${norm} ${epsilon}`;

/** For each stage of an attack and ε, by `keyOf`: the images that are classified correctly, and for which it found no change within the ball. */
const countRobust = async (tx: Tx, wanted: readonly Wanted[]): Promise<ReadonlyMap<string, number>> => {
  if (wanted.length === 0) return new Map();
  const rows = await tx.query(
    { place: int4(), robust: int8() },
    `SELECT (w.place - 1)::int AS place, (
       SELECT count(*) FROM unnest(e.correct, e.success, CASE w.norm WHEN 'l2' THEN e.l2 ELSE e.linf END) AS i (correct, success, distance)
       WHERE i.correct AND NOT (i.success AND i.distance <= w.reach)) AS robust
     FROM unnest($1::text[], $2::text[], $3::float8[]) WITH ORDINALITY AS w (stage_id, norm, reach, place) JOIN evaluations e ON e.stage_id = w.stage_id`,
    [
      wanted.map(({ stage }) => stage),
      wanted.map(({ norm }) => norm),
      wanted.map(({ epsilon }) => reachOf(epsilon)),
    ],
  );
  return new Map(rows.map(({ place, robust }) => [keyOf(wanted[place]!), robust]));
};

/** The same evaluations of each trial, with this accuracy where it exists. */
export const withRobustAtEpsilon = async (
  tx: Tx,
  trials: readonly (readonly Evaluation[])[],
): Promise<readonly (readonly Evaluation[])[]> => {
  const measured = trials.map((evaluations) => {
    const radii = threatModelOf(evaluations);
    return evaluations.map((evaluation) => ({
      evaluation,
      ball: evaluation.summary.attempted === 0 ? null : searchedBall(evaluation, radii),
    }));
  });
  const counts = await countRobust(
    tx,
    measured.flat().flatMap(({ evaluation: { stage }, ball }) => (ball ? [{ ...ball, stage }] : [])),
  );
  return measured.map((own) =>
    own.map(({ evaluation, ball }): Evaluation => {
      const robust = ball && counts.get(keyOf({ ...ball, stage: evaluation.stage }));
      if (!ball || robust === null || robust === undefined) return evaluation;
      const accuracy = robust / evaluation.summary.images;
      return { ...evaluation, robustAtEpsilon: { ...ball, robust, accuracy } };
    }),
  );
};

type Row = Run & {
  /** The balls of its sweep. */
  readonly radii: ThreatModel;
  /** Of the attack on each seed. */
  readonly seeds: readonly Pick<SeedEvidence, 'stage_id' | 'images' | 'correct'>[];
};

/** For each row of a ranking: this accuracy over the images of all its seeds. Undefined where it does not exist. */
export const robustOfRows = async (
  tx: Tx,
  rows: readonly Row[],
): Promise<readonly (RobustAtEpsilon | undefined)[]> => {
  const balls = rows.map(({ seeds, radii, ...run }) =>
    seeds.every(({ correct }) => correct === 0) ? null : searchedBall(run, radii),
  );
  const wanted = balls.flatMap((ball, i) =>
    ball ? rows[i]!.seeds.map(({ stage_id: stage }) => ({ ...ball, stage })) : [],
  );
  const counts = await countRobust(tx, wanted);
  return balls.map((ball, i) => {
    if (!ball) return undefined;
    const { seeds } = rows[i]!;
    const robust = seeds.reduce(
      (sum, { stage_id }) => sum + (counts.get(keyOf({ ...ball, stage: stage_id })) ?? 0),
      0,
    );
    return { ...ball, robust, accuracy: robust / seeds.reduce((sum, { images }) => sum + images, 0) };
  });
};
