/** The sweeps that a user names as a command does: by id, the start of an id, name, or `latest`. */
import { AppError, didYouMean } from '@funnel/contracts';
import { text } from '../connection/columns.ts';
import type { Db } from '../connection/db.ts';
import { reading, type Tx } from '../connection/transaction.ts';

const expected = 'a sweep: its id or the start of it, its name, or latest';

/** More names than these are not compared with a misspelt one. */
const maxNames = 1000;

/** The sweeps that a word may mean, newest first: the one with this id, else those with this name, else those whose id begins so; 3 at most. */
const findMeant = async (tx: Tx, word: string): Promise<readonly string[]> => {
  const rows = await tx.query(
    { id: text() },
    `WITH found AS (
       SELECT id, CASE WHEN id = $1 OR $1 = 'latest' THEN 0 WHEN name = $1 THEN 1 ELSE 2 END AS place FROM sweeps
       WHERE id = $1 OR name = $1 OR starts_with(id, $1) OR ($1 = 'latest' AND id = (SELECT max(id) FROM sweeps))
     )
     SELECT id FROM found WHERE place = (SELECT min(place) FROM found) ORDER BY id DESC LIMIT 3`,
    [word],
  );
  return word === 'latest' ? rows.slice(0, 1).map(({ id }) => id) : rows.map(({ id }) => id);
};

const helpWith = async (tx: Tx, word: string): Promise<string> => {
  const rows = await tx.query({ name: text() }, 'SELECT name FROM sweeps ORDER BY id DESC LIMIT $1', [
    maxNames,
  ]);
  return (
    didYouMean(word, [...new Set(['latest', ...rows.map(({ name }) => name)])]) ?? 'there is none like this'
  );
};

/**
 * The ids of the sweeps that these words name, in their order. Errors: INVALID_REQUEST, with the place in `search.from`, for a word that names no
 * sweep, or several.
 */
export const resolveSweeps = async (db: Db, words: readonly string[]): Promise<string[]> => {
  const tx = reading(db);
  const ids: string[] = [];
  for (const [place, word] of words.entries()) {
    const [id, ...others] = await findMeant(tx, word);
    if (id !== undefined && others.length === 0) {
      ids.push(id);
      continue;
    }
    const reason =
      id === undefined
        ? await helpWith(tx, word)
        : `several have this name or start: ${[id, ...others].join(', ')}, for example`;
    const issue = { path: `search.from[${place}]`, expected: `${expected} (${reason})`, received: word };
    throw new AppError('INVALID_REQUEST', `Expected ${issue.expected}, but got ${word}`, { issues: [issue] });
  }
  return ids;
};
