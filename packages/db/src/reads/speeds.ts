/** How fast the fleet was in its last attempts. */
import type { FleetSpeed, StageKind } from '@funnel/contracts';
import { float8, int8, text } from '../connection/columns.ts';
import type { Db } from '../connection/db.ts';
import { reading } from '../connection/transaction.ts';

/** SQL: the trainers of the workers that are online. */
export const onlineSlots = `SELECT coalesce(sum(slots), 0) AS slots FROM workers WHERE status = 'online'`;

/** Only these last attempts count, so that the answer does not get slower with the age of the database. */
const lastAttempts = 2000;

export const readSpeeds = async (db: Db): Promise<FleetSpeed> => {
  const tx = reading(db);
  const [speeds, [workers]] = await Promise.all([
    tx.query(
      { kind: text<StageKind>(), method: text(), seconds: float8(), images: float8() },
      `SELECT kind, method, sum(seconds)::float8 AS seconds, sum(images)::float8 AS images FROM (
         SELECT s.kind, coalesce(s.attack ->> 'attack', s.recipe) AS method, extract(epoch FROM a.ended_at - a.started_at) AS seconds,
           CASE WHEN s.kind = 'attack' THEN (s.dataset ->> 'attack')::int ELSE a.epochs * (s.dataset ->> 'train')::int END AS images
         FROM (SELECT * FROM attempts WHERE outcome = 'completed' ORDER BY ended_at DESC LIMIT ${lastAttempts}) AS a
         JOIN stages s ON s.id = a.stage_id) AS measured
       WHERE images > 0 GROUP BY 1, 2`,
    ),
    tx.query({ slots: int8() }, onlineSlots),
  ]);
  return { speeds, slots: workers!.slots };
};
