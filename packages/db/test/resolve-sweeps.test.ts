/** The words that a search may use for the sweeps that it learns from. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Db, resolveSweeps } from '../src/index.ts';
import { openTestDb } from '../src/testing/index.ts';
import { submit } from './support/submit.ts';

let db: Db;
let ids: string[];
beforeAll(async () => {
  db = await openTestDb();
  ids = [];
  for (const name of ['γ against β', 'nightly', 'nightly', 'last of all'])
    ids.push((await submit(db, { name, seeds: [ids.length] })).sweepId);
});
afterAll(() => db.close());

const issueOf = async (...words: string[]) => {
  const error = await resolveSweeps(db, words).catch((caught: unknown) => caught);
  expect(error).toMatchObject({ code: 'INVALID_REQUEST' });
  return (error as { details: { issues: { path: string; expected: string; received: string }[] } }).details
    .issues[0]!;
};

it('ids, names, latest and the start of an id name sweeps', async () => {
  const [first, , , last] = ids as [string, string, string, string];
  expect(await resolveSweeps(db, [last, first, 'γ against β', 'latest'])).toEqual([last, first, first, last]);
  await db.pool.query("UPDATE sweeps SET name = 'latest' WHERE id = $1", [first]);
  expect(await resolveSweeps(db, ['latest'])).toEqual([last]);
  await db.pool.query("UPDATE sweeps SET name = 'γ against β' WHERE id = $1", [first]);
  const same = (length: number) => ids.filter((id) => id.startsWith(last.slice(0, length))).length;
  const unique = Array.from({ length: 16 }, (_, i) => i + 1).find((length) => same(length) === 1)!;
  expect(await resolveSweeps(db, [last.slice(0, unique)])).toEqual([last]);
});

it('a word that names no sweep is refused, with the names that it resembles', async () => {
  const expected = 'a sweep: its id or the start of it, its name, or latest';
  expect(await issueOf('latest', 'nigthly')).toEqual({
    path: 'search.from[1]',
    expected: `${expected} (did you mean "nightly"?)`,
    received: 'nigthly',
  });
  expect((await issueOf('zzzzzz')).expected).toBe(`${expected} (there is none like this)`);
});

it('a word that names several is refused with some of their ids', async () => {
  const { path, expected } = await issueOf('nightly');
  expect(path).toBe('search.from[0]');
  expect(expected).toContain(`(several have this name or start: ${ids[2]}, ${ids[1]}, for example)`);
});
