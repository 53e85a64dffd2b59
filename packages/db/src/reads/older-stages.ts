/** The stages of trials that another version of Funnel made. */
import type { StageSpec, VersionChange } from '@funnel/contracts';
import { listOf, orNull, text } from '../connection/columns.ts';
import type { Tx } from '../connection/transaction.ts';
import { specColumns } from '../lifecycle/stage-row.ts';

/** Compares a stored stage with the present version. The planner can, since it computes identities. */
export type ChangesOf = (stage: StageSpec) => readonly VersionChange[];

/** A trial; with `stageId`, only this one of its attacks. */
export type Row = { readonly trialId: string; readonly stageId: string | null };

export const rowKey = ({ trialId, stageId }: Row): string => `${trialId} ${stageId ?? ''}`;

/** The changes of each row by `rowKey`, in the order of the stages. Rows without changes have no entry. */
export const readChanges = async (
  tx: Tx,
  rows: readonly Row[],
  changesOf: ChangesOf,
): Promise<ReadonlyMap<string, VersionChange[]>> => {
  const found = await tx.query(
    { trial_id: text(), stage_id: orNull(text()), ...specColumns },
    `SELECT r.trial_id, r.stage_id, ${listOf(specColumns, 's')}
     FROM unnest($1::text[], $2::text[]) AS r (trial_id, stage_id)
     JOIN trial_stages ts ON ts.trial_id = r.trial_id JOIN stages s ON s.id = ts.stage_id
     WHERE s.kind <> 'attack' OR r.stage_id IS NULL OR r.stage_id = s.id
     ORDER BY r.trial_id, r.stage_id, ts.ordinal`,
    [rows.map((row) => row.trialId), rows.map((row) => row.stageId)],
  );
  const changes = new Map<string, VersionChange[]>();
  // Trials share stages.
  const known = new Map<string, readonly VersionChange[]>();
  for (const { trial_id, stage_id, ...stage } of found) {
    const own = known.get(stage.id) ?? changesOf(stage);
    known.set(stage.id, own);
    const key = rowKey({ trialId: trial_id, stageId: stage_id });
    if (own.length > 0) changes.set(key, [...(changes.get(key) ?? []), ...own]);
  }
  return changes;
};
