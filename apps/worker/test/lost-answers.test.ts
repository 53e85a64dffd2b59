/** The connection breaks after the database has committed a claim, and before its answer comes. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import type { Db } from '@funnel/db';
import { expect, it, onTestFinished } from 'vitest';
import { openTestDatabase, results, submit, sweepEnded, undisturbedResults, worker } from './fixtures.ts';

/** A proxy in front of the server that ends the connections of the first claims when the server answers their COMMIT. */
const loseAnswersOfClaims = async (db: Db, count: number) => {
  const { hostname, port } = new URL(db.url);
  let lost = 0;
  const proxy = createServer((client) => {
    const server = connect(Number(port), hostname);
    let isClaim = false;
    client.on('data', (bytes) => {
      isClaim ||= bytes.includes('INSERT INTO attempts');
      server.write(bytes);
    });
    server.on('data', (bytes) => {
      if (isClaim && lost < count && bytes.includes('COMMIT\0')) {
        lost++;
        client.destroy();
      } else client.write(bytes);
    });
    client.on('error', () => {}).on('close', () => server.destroy());
    server.on('error', () => {}).on('close', () => client.destroy());
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  onTestFinished(() => void proxy.close());
  const through = new URL(db.url);
  through.port = String((proxy.address() as AddressInfo).port);
  return { url: through.href, lost: () => lost };
};

it('a claim whose answer is lost is no lost stage: the worker gets it at its next claim', async () => {
  const db = await openTestDatabase();
  const sweepId = await submit(db);
  const proxy = await loseAnswersOfClaims(db, 3);
  const running = await worker(db, { databaseUrl: proxy.url, leaseSeconds: 60 });
  await sweepEnded(db, sweepId);
  await running.stop();
  expect(proxy.lost()).toBe(3);
  const { rows } = await db.pool.query(
    `SELECT outcome, fencing_token FROM attempts WHERE outcome <> 'completed' OR fencing_token > 1`,
  );
  expect(rows).toEqual([]);
  expect(await results(db)).toEqual(await undisturbedResults());
});
