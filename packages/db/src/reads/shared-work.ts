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
const maxCompared = 2000;

/** The unfinished work of each of these sweeps. */
export const readPortions = async (
  tx: Tx,
  sweepIds: readonly string[],
): Promise<ReadonlyMap<string, readonly Portion[]>> => {
  const rows = await tx.query(
    { sweep_id: text(), partners: texts(), epochs: int8(), attacks: int8() },
    `SELECT sweep_id, coalesce(partners, '{}') AS partners, sum(epochs) AS epochs, sum(attacks) AS attacks FROM (
       SELECT w.id AS sweep_id, greatest(0, s.epochs - greatest(s.start_epoch, coalesce(s.epoch, 0))) AS epochs, (s.kind = 'attack')::int AS attacks,
         (SELECT array_agg(o.sweep_id ORDER BY o.sweep_id) FROM sweep_stages o
          WHERE o.stage_id = s.id AND o.sweep_id = ANY($1) AND o.sweep_id <> w.id) AS partners
       FROM unnest($1::text[]) AS w (id)
       CROSS JOIN LATERAL (SELECT stage_id FROM sweep_stages WHERE sweep_id = w.id ORDER BY ordinal DESC LIMIT ${maxCompared}) AS l
       JOIN stages s ON s.id = l.stage_id AND s.status IN ('waiting', 'ready', 'running')) AS unfinished
     GROUP BY 1, 2 ORDER BY 1, 2`,
    [sweepIds],
  );
  const portions = new Map<string, Portion[]>(sweepIds.map((id) => [id, []]));
  for (const { sweep_id, ...portion } of rows) portions.get(sweep_id)!.push(portion);
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
