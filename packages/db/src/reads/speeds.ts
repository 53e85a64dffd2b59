/** How fast the fleet was in its last attempts. */
import type { AttackRun, FleetSpeed, StageKind } from '@funnel/contracts';
import { float8, int8, jsonb, orNull, text } from '../connection/columns.ts';
import type { Db } from '../connection/db.ts';
import { reading } from '../connection/transaction.ts';

/** SQL: the trainers of the workers that are online. */
export const onlineSlots = `SELECT coalesce(sum(slots), 0) AS slots FROM workers WHERE status = 'online'`;

/** Only these last attempts count, so that the answer does not get slower with the age of the database. */
const lastAttempts = 2000;

type Network = NonNullable<FleetSpeed['speeds'][number]['network']>;

const speedColumns = {
  ...{ kind: text<StageKind>(), method: text(), seconds: float8(), images: float8() },
  attack: orNull(jsonb<AttackRun>()),
  recipe: text<Network['recipe']>(),
  hyperparameters: jsonb<Network['hyperparameters']>(),
  dataset: jsonb<Network['dataset']>(),
};

/**
 * `sizing`: the hyperparameters that decide the sizes of networks. A stage has only those that it reads; the stages before it, of which there
 * are at most three, have the others.
 */
export const readSpeeds = async (db: Db, sizing: readonly string[]): Promise<FleetSpeed> => {
  const tx = reading(db);
  const [speeds, [workers]] = await Promise.all([
    tx.query(
      speedColumns,
      `SELECT kind, method, attack, recipe, hyperparameters, dataset, sum(seconds)::float8 AS seconds, sum(images)::float8 AS images FROM (
         SELECT s.kind, coalesce(s.attack ->> 'attack', s.recipe) AS method, s.attack, s.recipe, extract(epoch FROM a.ended_at - a.started_at) AS seconds,
           CASE WHEN s.kind = 'attack' THEN (s.dataset ->> 'attack')::int ELSE a.epochs * (s.dataset ->> 'train')::int END AS images,
           (SELECT coalesce(jsonb_object_agg(h.key, h.value), '{}') FROM jsonb_each(coalesce(p3.hyperparameters, '{}') ||
              coalesce(p2.hyperparameters, '{}') || coalesce(p1.hyperparameters, '{}') || s.hyperparameters) AS h WHERE h.key = ANY($1)) AS hyperparameters,
           jsonb_strip_nulls(jsonb_build_object('name', s.dataset -> 'name', 'content', s.dataset -> 'content')) AS dataset
         FROM (SELECT * FROM attempts WHERE outcome = 'completed' ORDER BY ended_at DESC LIMIT ${lastAttempts}) AS a
         JOIN stages s ON s.id = a.stage_id LEFT JOIN stages p1 ON p1.id = s.parent
         LEFT JOIN stages p2 ON p2.id = p1.parent LEFT JOIN stages p3 ON p3.id = p2.parent) AS measured
       WHERE images > 0 GROUP BY 1, 2, 3, 4, 5, 6`,
      [sizing],
    ),
    tx.query({ slots: int8() }, onlineSlots),
  ]);
  return {
    speeds: speeds.map(({ recipe, hyperparameters, dataset, ...speed }) => ({
      ...speed,
      network: { recipe, hyperparameters, dataset },
    })),
    slots: workers!.slots,
  };
};
