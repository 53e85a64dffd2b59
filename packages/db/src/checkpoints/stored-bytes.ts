/** The bytes of checkpoints that each client has stored. A count beside the blobs, so that no request has to add them up. */
import { int8, orNull, type RowOf, text } from '../connection/columns.ts';
import type { Tx } from '../connection/transaction.ts';

/** Blobs that a statement wrote or deleted, for its RETURNING list. A blob without a client counts for nobody. */
export const blobColumns = { client: orNull(text()), bytes: int8() };
export const blobList = 'client, octet_length(bytes)::bigint AS bytes';

/** More bytes of a client, or fewer. */
export type ByteChange = { readonly client: string; readonly bytes: number };

/** The changes for blobs that were written (`sign` 1) or deleted (−1). */
export const byteChanges = (
  rows: readonly RowOf<typeof blobColumns>[],
  sign: 1 | -1,
): readonly ByteChange[] =>
  rows.flatMap(({ client, bytes }) => (client === null ? [] : [{ client, bytes: sign * bytes }]));

/** As for the counts of a sweep: two writers wait for each other only if their connections share a slot. */
const slots = 16;

/** Adds the changes to the counts of their clients. To be called late in a transaction, because it locks the rows until the commit. */
export const countBytes = async (tx: Tx, changes: readonly ByteChange[]): Promise<void> => {
  const sums = new Map<string, number>();
  for (const { client, bytes } of changes) sums.set(client, (sums.get(client) ?? 0) + bytes);
  const clients = [...sums.keys()].filter((client) => sums.get(client) !== 0).sort();
  if (clients.length === 0) return;
  await tx.run(
    `INSERT INTO stored_bytes AS s (client, slot, bytes)
     SELECT d.client, pg_backend_pid() % ${slots}, d.bytes
     FROM unnest($1::text[], $2::bigint[]) WITH ORDINALITY AS d (client, bytes, place) ORDER BY d.place
     ON CONFLICT (client, slot) DO UPDATE SET bytes = s.bytes + excluded.bytes`,
    [clients, clients.map((client) => sums.get(client))],
  );
};
