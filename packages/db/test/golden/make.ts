/**
 * Makes the golden database of the current schema: `npm run golden -w @funnel/db`. Run it once per released schema, and never again for
 * that schema, because later versions must be able to continue from the data of that release. It holds a finished sweep, a running sweep
 * with an attempt that never ended, a masked trial, a token and an entry of the audit log.
 */
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { actingAs, completeStage, createDb, saveToken } from '../../src/index.ts';
import { readMigrations } from '../../src/migrate.ts';
import { createTestDatabase } from '../../src/testing/index.ts';
import { claim, drain, evaluationOf, finish, record } from '../support/simulated-trainer.ts';
import { submit } from '../support/submit.ts';
import { answersOf } from './answers.ts';
import { dumpDatabase } from './dump.ts';

const database = await createTestDatabase();
const db = createDb(database.url);
const client = new pg.Client({ connectionString: database.url });
await client.connect();
try {
  await submit(db, { name: 'finished', space: { gamma: [1, 2] }, seeds: 2, attacks: ['fgsm', 'gradient'] });
  for (let claimed = await claim(db); claimed; claimed = await claim(db)) {
    const { stageId, fencingToken, spec } = claimed;
    // One trial has a masked gradient attack; each attack fools other images.
    if (spec.kind === 'attack' && spec.attack?.attack === 'gradient')
      await completeStage(db, {
        stageId,
        fencingToken,
        evaluation: evaluationOf(claimed, [false, true, spec.seed === 1, false], {
          verdict: spec.seed === 1 ? 'masked' : 'ok',
        }),
      });
    else await finish(db, claimed);
  }
  await drain(db);
  await submit(db, { name: 'under way', space: { gamma: 3 }, seeds: [7] });
  const running = await claim(db, 'worker that never came back');
  await record(db, running!, { epoch: 1, step: 0 });
  const golden = { name: 'golden', role: 'read', hash: 'f'.repeat(64) } as const;
  await saveToken(actingAs(db, { actor: 'cli', address: null }), golden);

  const newest = (await readMigrations()).at(-1)!.name;
  const file = (ending: string) => fileURLToPath(new URL(`./${newest}.${ending}`, import.meta.url));
  await writeFile(file('sql'), await dumpDatabase(client));
  await writeFile(file('json'), `${JSON.stringify(await answersOf(db), null, 1)}\n`);
} finally {
  await client.end();
  await db.close();
  await database.drop();
}
