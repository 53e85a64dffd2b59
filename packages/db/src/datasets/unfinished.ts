/** The unfinished uploads of a client. They take up its room until they are complete, removed, or a day old. */
import { AppError, type DatasetLimits, plural, type UnfinishedDataset, variableOf } from '@funnel/contracts';
import { int8, orNull, text, timestamptz } from '../connection/columns.ts';
import type { Db } from '../connection/db.ts';
import { reading, type Tx, type Writing } from '../connection/transaction.ts';

/** Nobody has asked for the missing chunks for this long: an upload that its client has given up. */
export const unfinishedTime = '1 day';

const columns = {
  digest: text(),
  name: orNull(text()),
  bytes: int8(),
  received: int8(),
  fault: orNull(text()),
  deleted_at: timestamptz(),
};

const read = async (tx: Tx, owner: string): Promise<readonly UnfinishedDataset[]> => {
  const rows = await tx.query(
    columns,
    `SELECT d.digest, d.name, d.bytes, d.fault, d.asked_at + interval '${unfinishedTime}' AS deleted_at,
       (SELECT coalesce(sum(octet_length(c.bytes)), 0) FROM dataset_chunks c WHERE c.digest = d.digest)::int8 AS received
     FROM datasets d WHERE d.owner = $1 AND d.completed_at IS NULL ORDER BY d.created_at, d.digest`,
    [owner],
  );
  return rows.map(({ deleted_at, fault, ...row }) => ({
    ...row,
    status: fault !== null ? 'refused' : row.received < row.bytes ? 'receiving' : 'checking',
    deletedAt: deleted_at.toISOString(),
  }));
};

/** Oldest first. */
export const listUnfinished = (db: Db, owner: string): Promise<readonly UnfinishedDataset[]> =>
  read(reading(db), owner);

/** Names the unfinished uploads of a client, as words for `funnel data rm`. Empty if there are none. */
const namesOf = (unfinished: readonly UnfinishedDataset[]): string =>
  unfinished.map(({ name, digest }) => name ?? digest).join(', ');

/** What a client without room can do about its unfinished uploads; nothing if it has none. */
export const hintOf = async (tx: Tx, owner: string): Promise<{ readonly hint?: string }> => {
  const names = namesOf(await read(tx, owner));
  return names === ''
    ? {}
    : { hint: `Finish or remove an unfinished upload (\`npx funnel data rm NAME\`). There are: ${names}.` };
};

/** Before one more upload begins. The caller has locked the uploads of this owner. Throws TOO_MANY_DATASETS. */
export const refuseUnfinished = async (
  tx: Tx,
  owner: string,
  { ownUploads }: DatasetLimits,
): Promise<void> => {
  const unfinished = await read(tx, owner);
  if (unfinished.length < ownUploads) return;
  throw new AppError(
    'TOO_MANY_DATASETS',
    `Expected at most ${plural(ownUploads, 'unfinished upload')} from one token (${variableOf('ownUploads')}), but it has ${unfinished.length}`,
    await hintOf(tx, owner),
  );
};

/** Removes an unfinished upload of this owner, by its name or digest. Resolves to whether there was one. */
export const removeUnfinished = async (
  tx: Writing,
  name: string,
  { owner }: { readonly owner: string },
): Promise<boolean> => {
  const rows = await tx.query(
    { digest: text() },
    'DELETE FROM datasets WHERE completed_at IS NULL AND owner = $2 AND (name = $1 OR digest = $1) RETURNING digest',
    [name, owner],
  );
  for (const { digest } of rows)
    await tx.audit({ action: 'removeDataset', subject: name, details: { digest, complete: false } });
  return rows.length > 0;
};
