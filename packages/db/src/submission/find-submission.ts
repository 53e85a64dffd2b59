/** The sweep of an earlier request with the same Idempotency-Key. */
import { AppError } from '@funnel/contracts';
import { text } from '../connection/columns.ts';
import type { Tx } from '../connection/transaction.ts';
import type { Submission } from '../types.ts';

/** Null: the key is new. Errors: IDEMPOTENCY_CONFLICT. */
export const findSubmission = async (
  tx: Tx,
  { key, bodyHash }: NonNullable<Submission['idempotency']>,
): Promise<string | null> => {
  const [row] = await tx.query(
    { body_hash: text(), sweep_id: text() },
    'SELECT body_hash, sweep_id FROM idempotency_keys WHERE key = $1',
    [key],
  );
  if (!row) return null;
  if (row.body_hash === bodyHash) return row.sweep_id;
  const message = `Expected the same body as in the first request with Idempotency-Key ${key} (sweep ${row.sweep_id}), but got another one`;
  throw new AppError('IDEMPOTENCY_CONFLICT', message, { sweepId: row.sweep_id });
};
