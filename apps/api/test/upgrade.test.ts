/** An API that serves while another version migrates its database. */
import { expect, onTestFinished, test, vi } from 'vitest';
import { build, fingerprint, oneTrial } from './build.ts';

const words = expect.stringMatching(/but it has 9999_to_come: .*Install the version that has 9999_to_come/);
const refusal = { status: 503, code: 'SCHEMA_MISMATCH', detail: words };

test('answers 503, writes nothing, and serves again when the schema matches again', async () => {
  const api = await build({ reconcileSeconds: 0.05 });
  onTestFinished(api.close);
  await api.app.listen({ port: 0 });
  const get = async (url: string) => (await api.app.inject(url)).json();
  expect(await get('/readyz')).toMatchObject({ status: 'ok' });

  await api.db.pool.query(
    `ALTER TABLE sweeps RENAME COLUMN name TO name_to_come;
     INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at) VALUES ('x', 'x', '9999_to_come', now())`,
  );
  // A statement that fails shows the mismatch at once, before the reconciler has noticed it.
  expect(await get('/v1/sweeps')).toMatchObject(refusal);
  expect(await get('/readyz')).toMatchObject(refusal);
  expect(await get('/healthz')).toEqual({ status: 'ok' });
  // Later the API also refuses statements that the tables would accept.
  await vi.waitFor(async () => expect(await get('/v1/workers')).toMatchObject(refusal), { timeout: 60_000 });
  await api.db.pool.query('ALTER TABLE sweeps RENAME COLUMN name_to_come TO name');
  const before = await fingerprint(api.db);
  const submitted = await api.app.inject({ method: 'POST', url: '/v1/sweeps', payload: oneTrial });
  expect(submitted.json()).toMatchObject(refusal);
  expect(submitted.headers['retry-after']).toBe('2');
  expect(await fingerprint(api.db)).toBe(before);

  await api.db.pool.query("DELETE FROM _prisma_migrations WHERE migration_name = '9999_to_come'");
  await vi.waitFor(async () => expect(await get('/v1/workers')).toEqual({ items: [] }), { timeout: 60_000 });
  expect(await get('/readyz')).toMatchObject({ status: 'ok' });
});
