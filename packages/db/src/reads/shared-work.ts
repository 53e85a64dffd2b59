/** Which part of the work that is left several sweeps share. Workers do it once, so a time that adds up sweeps counts it once. */
import { int8, text, texts } from '../connection/columns.ts';
import type { Tx } from '../connection/transaction.ts';

/** Unfinished work of one sweep: what it shares with all of the sweeps `partners`, and with no others of those that are compared. */
export type Portion = {
  readonly partners: readonly string[];
  readonly epochs: number;
  readonly attacks: number;
};

/** Only the last stages of each sweep are compared, and stand for all, so that the answer does not get slower with their number. */
const comparedOf = (sweeps: number): number => Math.min(2000, Math.ceil(10_000 / sweeps));

/** The unfinished work of each of these sweeps. */
export const readPortions = async (
  tx: Tx,
  sweepIds: readonly string[],
): Promise<ReadonlyMap<string, readonly Portion[]>> => {
  const rows = await tx.query(
    { sweep_id: text(), sweeps: texts(), epochs: int8(), attacks: int8() },
    // The sweeps of a stage are found once for each stage, and numbered. For each pair of sweeps, 50 sweeps that share everything would take seconds.
    `WITH compared AS MATERIALIZED (
       SELECT w.id AS sweep_id, s.id AS stage_id, greatest(0, s.epochs - greatest(s.start_epoch, coalesce(s.epoch, 0))) AS epochs,
         (s.kind = 'attack')::int AS attacks
       FROM unnest($1::text[]) AS w (id)
       CROSS JOIN LATERAL (SELECT stage_id FROM sweep_stages WHERE sweep_id = w.id ORDER BY ordinal DESC LIMIT $2) AS l
       JOIN stages s ON s.id = l.stage_id AND s.status IN ('waiting', 'ready', 'running')),
     users AS MATERIALIZED (
       SELECT stage_id, sweeps, dense_rank() OVER (ORDER BY sweeps) AS number FROM (
         SELECT o.stage_id, array_agg(o.sweep_id ORDER BY o.sweep_id) AS sweeps
         FROM (SELECT DISTINCT stage_id FROM compared) AS d JOIN sweep_stages o ON o.stage_id = d.stage_id AND o.sweep_id = ANY($1)
         GROUP BY 1) AS by_stage),
     portions AS (
       SELECT c.sweep_id, u.number, min(u.stage_id) AS stage_id, sum(c.epochs) AS epochs, sum(c.attacks) AS attacks
       FROM compared c JOIN users u USING (stage_id) GROUP BY 1, 2)
     SELECT p.sweep_id, u.sweeps, p.epochs, p.attacks FROM portions p JOIN users u USING (stage_id) ORDER BY 1, 2`,
    [sweepIds, comparedOf(sweepIds.length)],
  );
  const portions = new Map<string, Portion[]>(sweepIds.map((id) => [id, []]));
  for (const { sweep_id, sweeps, epochs, attacks } of rows) {
    const partners = sweeps.filter((id) => id !== sweep_id);
    portions.get(sweep_id)!.push({ partners, epochs, attacks });
  }
  return portions;
};

/** Whether one of the sweeps `others` needs this work, too. */
export const isSharedWith =
  (others: readonly string[]) =>
  ({ partners }: Portion): boolean =>
    partners.some((id) => others.includes(id));

type Shares = { readonly epochs: number; readonly attacks: number };

/** The shares, from 0 to 1, of the epochs and attacks of these portions that one of the sweeps `others` needs, too. */
export const sharesWith = (portions: readonly Portion[], others: readonly string[]): Shares => {
  const isShared = isSharedWith(others);
  const shareOf = (what: keyof Shares): number => {
    let [all, shared] = [0, 0];
    for (const portion of portions) {
      all += portion[what];
      if (isShared(portion)) shared += portion[what];
    }
    return all === 0 ? 0 : shared / all;
  };
  return { epochs: shareOf('epochs'), attacks: shareOf('attacks') };
};
