import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  actingAs,
  annotateSweep,
  type Db,
  deleteSweep,
  getSweep,
  listAudit,
  listSweeps,
  storeSubmission,
  submitSweep,
  takeSubmission,
} from '../src/index.ts';
import { openTestDb } from '../src/testing/index.ts';
import { drain } from './support/simulated-trainer.ts';
import { definition, prepared, submit } from './support/submit.ts';
import { query } from './support/tables.ts';

let db: Db;
beforeAll(async () => {
  db = await openTestDb();
});
afterAll(() => db.close());

const annotationsOf = async (id: string) => {
  const { notes, tags } = await getSweep(db, id);
  return { notes, tags };
};

test('a new sweep has the tags of its submission and no notes; its definition and its stages know nothing of them', async () => {
  const plain = await submit(db, { name: 'plain' });
  const { sweepId } = await submitSweep(db, {
    ...prepared(definition({ name: 'plain' })),
    tags: ['baseline', 'paper/v2'],
  });
  expect(await annotationsOf(plain.sweepId)).toEqual({ notes: '', tags: [] });
  expect(await annotationsOf(sweepId)).toEqual({ notes: '', tags: ['baseline', 'paper/v2'] });
  const stored = await query<{ definition: unknown }>(
    db,
    'SELECT DISTINCT definition FROM sweeps WHERE id = ANY($1)',
    [[plain.sweepId, sweepId]],
  );
  expect(stored).toEqual([{ definition: definition({ name: 'plain' }) }]);
  const own = await query(db, 'SELECT id FROM stages WHERE planned_by = $1', [sweepId]);
  expect(own).toEqual([]); // it shares every stage of the first sweep
});

test('each given field replaces the old one, and the other stays', async () => {
  const { sweepId } = await submit(db, { name: 'annotated' });
  await annotateSweep(db, sweepId, { notes: 'γ = 5 wins.\nSee “paper”.' });
  await annotateSweep(db, sweepId, { tags: ['b', 'a'] });
  expect(await annotationsOf(sweepId)).toEqual({ notes: 'γ = 5 wins.\nSee “paper”.', tags: ['b', 'a'] });
  await annotateSweep(db, sweepId, { notes: '', tags: [] });
  expect(await annotationsOf(sweepId)).toEqual({ notes: '', tags: [] });
});

test('tags are added and removed, and changes at the same time all count', async () => {
  const { sweepId } = await submit(db, { name: 'shared' });
  await annotateSweep(db, sweepId, { tags: ['a', 'b', 'c'] });
  await annotateSweep(db, sweepId, { addTags: ['d', 'a'], removeTags: ['b', 'absent'] });
  expect((await annotationsOf(sweepId)).tags).toEqual(['a', 'c', 'd']);
  const names = Array.from({ length: 10 }, (_, i) => `t${i}`);
  await Promise.all(names.map((name) => annotateSweep(db, sweepId, { addTags: [name], removeTags: ['c'] })));
  expect((await annotationsOf(sweepId)).tags).toHaveLength(12);
  expect((await annotationsOf(sweepId)).tags).toEqual(expect.arrayContaining(['a', 'd', ...names]));
  const more = Array.from({ length: 9 }, (_, i) => `u${i}`);
  const refused = annotateSweep(db, sweepId, { addTags: more, notes: 'not stored' });
  await expect(refused).rejects.toMatchObject({
    code: 'INVALID_REQUEST',
    message: 'Expected at most 20 tags, but got 21 with the others',
  });
  expect(await annotationsOf(sweepId)).toMatchObject({ notes: '', tags: { length: 12 } });
});

test('the list has the sweeps that carry all of the tags', async () => {
  const idOf = async (name: string, tags: readonly string[]) => {
    const { sweepId } = await submit(db, { name });
    await annotateSweep(db, sweepId, { tags: [...tags] });
    return sweepId;
  };
  const both = await idOf('both', ['x', 'y']);
  const one = await idOf('one', ['x']);
  const idsWith = async (...tag: string[]) =>
    (await listSweeps(db, { limit: 9, tag })).items.map(({ id }) => id);
  expect(await idsWith('x')).toEqual([one, both]);
  expect(await idsWith('y', 'x')).toEqual([both]);
  expect(await idsWith('x', 'nobody')).toEqual([]);
  expect((await listSweeps(db, { limit: 9, tag: ['x'], search: 'both' })).items).toMatchObject([
    { id: both, tags: ['x', 'y'] },
  ]);
});

test('an annotation is told to pages, and the audit log has who wrote how much', async () => {
  const { sweepId } = await submit(db, { name: 'watched' });
  const events = () =>
    query<{ payload: unknown }>(db, 'SELECT payload FROM events WHERE sweep_id = $1 ORDER BY id', [sweepId]);
  const before = (await events()).length;
  const author = { actor: 'ada', address: '127.0.0.1' };
  await annotateSweep(actingAs(db, author), sweepId, { notes: 'secret', tags: ['a'] });
  expect((await events()).slice(before)).toEqual([
    { payload: { type: 'sweep', sweepId, status: 'running' } },
  ]);
  const { items } = await listAudit(db, { limit: 1 });
  expect(items).toMatchObject([
    {
      ...{ actor: 'ada', action: 'annotateSweep', subject: sweepId },
      details: { tags: ['a'], charactersOfNotes: 6 },
    },
  ]);
  expect(JSON.stringify(items)).not.toContain('secret');
});

test('an unknown sweep is refused', async () => {
  await expect(annotateSweep(db, 'nobody', { tags: ['a'] })).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('a sweep that has ended can be annotated, and its annotations are deleted with it', async () => {
  const { sweepId } = await submit(db, { name: 'ended', seeds: [77] });
  await drain(db);
  await annotateSweep(db, sweepId, { tags: ['gone'] });
  expect((await getSweep(db, sweepId)).status).toBe('completed');
  await deleteSweep(db, sweepId);
  expect((await listSweeps(db, { limit: 9, tag: ['gone'] })).items).toEqual([]);
});

test('a stored submission keeps its tags until it is taken', async () => {
  const request = { client: 'a', size: 'large', engineVersion: 'engine-1', bodyHash: 'hash' } as const;
  await storeSubmission(db, { ...request, definition: definition(), tags: ['late'] });
  expect(await takeSubmission(db, 'large', 60)).toMatchObject({ tags: ['late'] });
});

test('the database refuses rows without tags', async () => {
  await expect(query(db, 'UPDATE sweeps SET tags = NULL')).rejects.toThrow(/sweeps_tags_check/);
  await expect(query(db, 'UPDATE submissions SET tags = NULL')).rejects.toThrow(/submissions_tags_check/);
});
