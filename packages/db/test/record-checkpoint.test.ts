/** The rows that the end of an epoch stores, and the stages that it completes. */
import { describe, expect, test } from 'vitest';
import {
  claimStage,
  compareTrials,
  completeStage,
  getBlobs,
  getCheckpoint,
  recordCheckpoint,
} from '../src/index.ts';
import { leaseOf } from './support/attempts.ts';
import { db, seed, shareDb } from './support/shared-db.ts';
import { claim, countsAt, drain, finish, record, stateAt } from './support/simulated-trainer.ts';
import { submit } from './support/submit.ts';
import { query } from './support/tables.ts';

shareDb();

describe('recordCheckpoint', () => {
  test('records a position once: a second write with the same bits changes nothing, and other bits are counted', async () => {
    await submit(db, { seeds: [seed] });
    const claimed = (await claim(db))!;
    const first = await record(db, claimed, { epoch: 1, step: 0 });
    expect(await record(db, claimed, { epoch: 1, step: 0 })).toEqual(first);
    const other = await record(db, claimed, { epoch: 1, step: 0 }, 'other');
    expect(other).toMatchObject({ hash: first.hash, matches: false });
    expect(
      await query(db, 'SELECT epochs, mismatches FROM attempts WHERE stage_id = $1', [claimed.stageId]),
    ).toEqual([{ epochs: 1, mismatches: 1 }]);
    expect(
      await query(
        db,
        `SELECT name, value FROM metrics m JOIN chains c ON c.id = m.chain_id WHERE c.hash = $1 ORDER BY name`,
        [claimed.spec.chain],
      ),
    ).toEqual([
      { name: 'attackerLoss', value: 1 },
      { name: 'defenderLoss', value: 2 },
    ]);
    await record(db, claimed, { epoch: 2, step: 0 });
    await completeStage(db, leaseOf(claimed));
  });

  test('keeps moments of the newest position and at the end of stages, and mid-epoch checkpoints while they are the newest', async () => {
    await submit(db, { seeds: [seed], space: { optimiseEpochs: [3, 5] } });
    await finish(db, (await claim(db))!);
    const short = (await claim(db))!;
    expect(short.spec).toMatchObject({ kind: 'optimise', epochs: 3 });
    const positions = async () =>
      (
        await query<{ at: string }>(
          db,
          `SELECT p.epoch || '.' || p.step || CASE WHEN p.continuable THEN '+' ELSE '' END AS at FROM checkpoints p JOIN chains c ON c.id = p.chain_id
           WHERE c.hash = $1 ORDER BY p.epoch, p.step`,
          [short.spec.chain],
        )
      ).map((row) => row.at);
    await record(db, short, { epoch: 1, step: 0 });
    await record(db, short, { epoch: 1, step: 40 });
    expect(await positions()).toEqual(['1.0', '1.40+']);
    await record(db, short, { epoch: 2, step: 0 });
    expect(await positions()).toEqual(['1.0', '2.0+']);
    await record(db, short, { epoch: 3, step: 0 });
    await completeStage(db, leaseOf(short));
    const long = await claimStage(db, { workerId: 'w', leaseSeconds: 60, kinds: ['optimise'] });
    expect(long!.start).toMatchObject({ sameChain: true, manifest: { position: { epoch: 3, step: 0 } } });
    await record(db, long!, { epoch: 4, step: 0 });
    expect(await positions()).toEqual(['1.0', '2.0', '3.0+', '4.0+']);
    const dropped = stateAt(short.spec.chain, { epoch: 1, step: 40 });
    await expect(getBlobs(db, [...dropped.blobs.keys()])).rejects.toMatchObject({
      code: 'NOT_FOUND',
      details: { blobs: [...dropped.blobs.keys()] },
    });
    const second = stateAt(short.spec.chain, { epoch: 2, step: 0 }).manifest;
    const stored = await query<{ hash: string }>(
      db,
      'SELECT p.hash FROM checkpoints p JOIN chains c ON c.id = p.chain_id WHERE c.hash = $1 AND p.epoch = 2',
      [short.spec.chain],
    );
    expect(await getCheckpoint(db, stored[0]!.hash)).toEqual({ ...second, moments: null });
    await finish(db, {
      ...long!,
      start: { sameChain: true, manifest: stateAt(short.spec.chain, { epoch: 4, step: 0 }).manifest },
    });
  });

  test('stores counts per class once for each epoch, and each trial has those of its own last epoch', async () => {
    const { sweepId } = await submit(db, { seeds: [seed], space: { classifierEpochs: [1, 3] } });
    const trials = [`${sweepId}-00000`, `${sweepId}-00001`];
    const countsOf = async () => (await compareTrials(db, trials)).trials.map(({ perClass }) => perClass);
    expect(await countsOf()).toEqual([null, null]);
    await drain(db);
    expect(await countsOf()).toEqual([countsAt(1), countsAt(3)]);

    // An older version stored no counts.
    await query(db, 'DELETE FROM class_counts WHERE epoch = 1');
    expect(await countsOf()).toEqual([null, countsAt(3)]);
    await expect(query(db, `UPDATE class_counts SET correct = '{1}' WHERE epoch = 3`)).rejects.toThrow(
      /class_counts_check/,
    );
  });

  test('refuses a blob that is missing or has another hash, and writes nothing', async () => {
    await submit(db, { seeds: [seed] });
    const claimed = (await claim(db))!;
    const { manifest, blobs } = stateAt(claimed.spec.chain, { epoch: 1, step: 0 });
    const write = { ...leaseOf(claimed), manifest, metrics: { attackerLoss: 1 } };
    await expect(recordCheckpoint(db, { ...write, blobs: new Map() })).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
    });
    const tampered = new Map([...blobs].map(([name, bytes]) => [name, new Uint8Array([...bytes, 1])]));
    await expect(recordCheckpoint(db, { ...write, blobs: tampered })).rejects.toThrow(
      /Expected bytes with sha-256/,
    );
    expect(await query(db, 'SELECT FROM chains WHERE hash = $1', [claimed.spec.chain])).toEqual([]);
    await expect(
      query(db, `INSERT INTO blobs (sha256, bytes) VALUES (repeat('0', 64), 'x')`),
    ).rejects.toThrow(/blobs_sha256_check/);
    await expect(completeStage(db, leaseOf(claimed))).rejects.toMatchObject({ code: 'INVALID_TRANSITION' });
    await finish(db, claimed);
  });
});
