import { AppError } from '@funnel/contracts';
import type { Db } from '../connection/db.ts';
import { transaction } from '../connection/transaction.ts';

/** A policy that keeps a sweep which is not there was misspelt, and what it meant to keep would go. Errors: INVALID_REQUEST. */
export const refuseUnknownSweeps = async (db: Db, names: readonly string[]): Promise<void> => {
  if (names.length === 0) return;
  const unknown = `SELECT n.name, n.place::int - 1 AS place FROM unnest($1::text[]) WITH ORDINALITY AS n (name, place)
     WHERE NOT EXISTS (SELECT FROM sweeps w WHERE w.id = n.name OR w.name = n.name) ORDER BY n.place`;
  const rows = await transaction(db, (tx) => tx.query<{ name: string; place: number }>(unknown, [names]));
  const [first] = rows;
  if (!first) return;
  const expected = 'the id or the whole name of a sweep';
  throw new AppError('INVALID_REQUEST', `Expected ${expected}, but there is none called ${first.name}`, {
    issues: rows.map(({ name, place }) => ({
      path: `keepSweeps[${place}]`,
      expected,
      received: JSON.stringify(name),
    })),
  });
};
