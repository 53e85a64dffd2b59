/** The sweep of an earlier request of the same client with the same Idempotency-Key. */
import { AppError, tokenOfClient } from '@funnel/contracts';
import { text } from '../connection/columns.ts';
import type { Tx } from '../connection/transaction.ts';
import type { Submission } from '../types.ts';

/** No key and no client has a line break, so keys of two clients never meet, nor a key of a client and one without a client. */
const separator = '\n';

/** A key as it is stored: each client (a token, or an address) has keys of its own. */
export const storedKey = (client: string | undefined, key: string): string =>
  client === undefined ? key : `${client}${separator}${key}`;

/** The key that a client sent. Also of older versions, which stored it as it is. */
export const sentKey = (stored: string): string => stored.slice(stored.indexOf(separator) + 1);

/** What a client said of its request: a submission of a sweep, or one that waits. */
type Sent = Pick<Submission, 'share'> & Required<Pick<Submission, 'idempotency'>>;

/**
 * Null: the key is new for this client. Older versions stored the key without the client: such a key belongs to the client of its sweep, or,
 * if nobody knows that client, to all addresses. Errors: IDEMPOTENCY_CONFLICT.
 */
export const findSubmission = async (
  tx: Tx,
  { idempotency: { key, bodyHash }, share }: Sent,
): Promise<string | null> => {
  const keys = [storedKey(share?.client, key), key];
  const isAddress = share !== undefined && tokenOfClient(share.client) === null;
  const [row] = await tx.query(
    { body_hash: text(), sweep_id: text() },
    `SELECT k.body_hash, k.sweep_id FROM idempotency_keys k JOIN sweeps s ON s.id = k.sweep_id
     WHERE k.key IN ($1, $2)
       AND (k.key = $1 OR s.client = $3::text OR (s.client IS NULL AND $4::boolean))
     ORDER BY k.key = $1 DESC LIMIT 1`,
    [...keys, share?.client ?? null, isAddress],
  );
  if (!row) return null;
  if (row.body_hash === bodyHash) return row.sweep_id;
  const message = `Expected the same sweep as in the first submission with the key ${key} (sweep ${row.sweep_id}), but got another one`;
  throw new AppError('IDEMPOTENCY_CONFLICT', message, { sweepId: row.sweep_id });
};
