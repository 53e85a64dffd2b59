/** Writes the search of a new sweep, and decisions. */
import { plainArray } from '../connection/array-literals.ts';
import { int4 } from '../connection/columns.ts';
import type { Tx } from '../connection/transaction.ts';
import type { NewDecision, NewSearch } from '../types.ts';

/** SQL: a unit of `$5` epochs trains for less than the highest rung of the search of sweep `$1`. */
const isBelowTop = `coalesce($5::int < (SELECT (definition #>> '{search,fidelity,max}')::int FROM sweeps WHERE id = $1), false)`;

/** Resolves to false if the number has a decision already. */
export const insertDecision = async (tx: Tx, sweepId: string, decision: NewDecision): Promise<boolean> => {
  const { number, source, configuration, rung, epochs, point, place, among, newEpochs } = decision;
  const rows = await tx.query(
    { number: int4() },
    `INSERT INTO decisions (sweep_id, number, source, rung, epochs, configuration, point, place, among, new_epochs, below_top)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, ${isBelowTop}) ON CONFLICT DO NOTHING RETURNING number`,
    [
      sweepId,
      number,
      source,
      rung,
      epochs,
      configuration,
      point === null ? null : JSON.stringify(point),
      place,
      among,
      newEpochs,
    ],
  );
  return rows.length > 0;
};

/** Writes the search and its decision 0, which proposes the first configuration. The next decisions are due at once. */
export const insertSearch = async (
  tx: Tx,
  sweepId: string,
  { configurations, stride, varying, earlier, decision }: NewSearch,
): Promise<void> => {
  await tx.run(
    'INSERT INTO searches (sweep_id, configurations, proposed, stride, varying, earlier) VALUES ($1, $2, 1, $3, $4, $5)',
    [sweepId, configurations, stride, plainArray([...varying]), JSON.stringify(earlier)],
  );
  await insertDecision(tx, sweepId, decision);
  tx.wake('searches');
};
