/** Decisions of searches: each is written once, as a submission writes a sweep, and the sweep goes on until its search ends. */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import {
  cancelSweep,
  continueActions,
  deleteSweep,
  endSearch,
  failAttempt,
  pauseSweep,
  readSearch,
  releaseSearch,
  resumeSweep,
  retrySweep,
  takeDueSearch,
} from '../src/index.ts';
import { leaseOf } from './support/attempts.ts';
import { meet } from './support/gate.ts';
import { decide, leaveEmpty, promoting, searching, submitSearch } from './support/search.ts';
import { db, seed, shareDb } from './support/shared-db.ts';
import { claim, drain, finish } from './support/simulated-trainer.ts';
import { submit } from './support/submit.ts';
import { query, stageCounts, sweepStatus, takeOutbox, trialStatuses, wrongCounts } from './support/tables.ts';

shareDb();
/** The searches of earlier tests are due no more. */
beforeEach(async () => void (await query(db, 'UPDATE searches SET done = marked')));

const robust = { attack: undefined, metric: 'robustAccuracy' } as const;
const clean = { attack: undefined, metric: 'cleanAccuracy' } as const;

const marksOf = async (sweepId: string) =>
  (
    await query<{ marked: number; done: number }>(
      db,
      'SELECT marked, done FROM searches WHERE sweep_id = $1',
      [sweepId],
    )
  )[0]!;
const ordinalsOf = (sweepId: string) =>
  query(
    db,
    `SELECT l.ordinal, s.kind, s.epochs, l.direct FROM sweep_stages l JOIN stages s ON s.id = l.stage_id WHERE l.sweep_id = $1 ORDER BY l.ordinal`,
    [sweepId],
  );

describe('a decision', () => {
  test('makes trials and stages like a submission, numbered by the decision', async () => {
    const sweep = searching({ seeds: [seed, seed + 1000] });
    const sweepId = await submitSearch(db, sweep);
    expect(await trialStatuses(db, sweepId)).toEqual(['waiting', 'waiting']);
    expect(await decide(db, sweepId, sweep, { number: 2, gamma: 7 })).toBe('written');
    await takeOutbox(db);
    const trials = await query(
      db,
      `SELECT id, number, configuration_index AS configuration, seed, hyperparameters -> 'gamma' AS gamma FROM trials WHERE sweep_id = $1 ORDER BY number`,
      [sweepId],
    );
    expect(trials).toEqual(
      [0, 1, 4, 5].map((number) => ({
        id: `${sweepId}-0000${number}`,
        number,
        configuration: number < 2 ? 0 : 2,
        seed: number % 2 === 0 ? seed : seed + 1000,
        gamma: number < 2 ? 5 : 7,
      })),
    );
    // The initialisations are there already; the others follow from 2 decisions × 8 stages on.
    expect((await ordinalsOf(sweepId)).filter(({ ordinal }) => Number(ordinal) >= 8)).toEqual([
      { ordinal: 17, kind: 'optimise', epochs: 3, direct: true },
      { ordinal: 18, kind: 'classify', epochs: 1, direct: true },
      { ordinal: 19, kind: 'attack', epochs: 0, direct: true },
      { ordinal: 21, kind: 'optimise', epochs: 3, direct: true },
      { ordinal: 22, kind: 'classify', epochs: 1, direct: true },
      { ordinal: 23, kind: 'attack', epochs: 0, direct: true },
    ]);
    expect(await wrongCounts(db)).toEqual([]);
    await drain(db);
    await takeOutbox(db);
    expect(await decide(db, sweepId, sweep, { number: 1, gamma: 9 })).toBe('written');
    expect(await takeOutbox(db)).toHaveLength(2);
    expect(await wrongCounts(db)).toEqual([]);
    await drain(db);
    expect(new Set(await trialStatuses(db, sweepId))).toEqual(new Set(['completed']));
    expect(await wrongCounts(db)).toEqual([]);
  });

  test('goes first if its number is the lowest', async () => {
    const sweep = searching({ seeds: [seed] });
    const sweepId = await submitSearch(db, sweep);
    await drain(db);
    await decide(db, sweepId, sweep, { number: 2, gamma: 8 });
    await decide(db, sweepId, sweep, { number: 1, gamma: 7 });
    const claimed = [(await claim(db))!, (await claim(db))!];
    expect(claimed.map(({ spec }) => spec.hyperparameters.gamma)).toEqual([7, 8]);
    for (const one of claimed) await finish(db, one);
  });

  test('is written once when several processes write it', async () => {
    const sweep = searching({ seeds: [seed] });
    const sweepId = await submitSearch(db, sweep);
    const both = Array.from({ length: 4 }, () => decide(db, sweepId, sweep, { number: 1, gamma: 7 }));
    expect((await Promise.all(both)).sort()).toEqual(['taken', 'taken', 'taken', 'written']);
    expect(await trialStatuses(db, sweepId)).toHaveLength(2);
    expect(await wrongCounts(db)).toEqual([]);
  });

  test('has results at once if the database has them, and the search is due again', async () => {
    await submit(db, { seeds: [seed], space: { gamma: [7] } });
    await drain(db);
    const sweep = searching({ seeds: [seed] });
    const sweepId = await submitSearch(db, sweep);
    const before = await marksOf(sweepId);
    await decide(db, sweepId, sweep, { number: 1, gamma: 7 });
    expect(await trialStatuses(db, sweepId)).toEqual(['waiting', 'completed']);
    expect((await marksOf(sweepId)).marked).toBe(before.marked + 1);
    const { decisions } = await readSearch(db, sweepId, () => [robust, clean]);
    expect(decisions[1]!.trials).toMatchObject([{ status: 'completed', values: [0.75, 0.9] }]);
    expect(await wrongCounts(db)).toEqual([]);
  });

  test('waits for stages of another sweep, which get ordinals below 0 and count for the search', async () => {
    const other = await submit(db, { seeds: [seed], space: { gamma: [7], optimiseEpochs: 4 }, priority: 10 });
    const sweep = searching({ seeds: [seed] });
    const sweepId = await submitSearch(db, sweep);
    await decide(db, sweepId, sweep, { number: 1, gamma: 7 }); // the longer run of the other sweep records its result
    expect((await ordinalsOf(sweepId))[0]).toEqual({
      ordinal: -1,
      kind: 'optimise',
      epochs: 4,
      direct: false,
    });
    const carrier = () =>
      query(
        db,
        'SELECT s.sweep_id FROM stages s JOIN sweep_stages l ON l.stage_id = s.id WHERE l.sweep_id = $1 AND l.ordinal = -1',
        [sweepId],
      );
    expect(await carrier()).toEqual([{ sweep_id: sweepId }]); // the search has the higher priority
    await pauseSweep(db, sweepId);
    expect(await carrier()).toEqual([{ sweep_id: other.sweepId }]);
    await resumeSweep(db, sweepId);
    expect(await carrier()).toEqual([{ sweep_id: sweepId }]);
    await pauseSweep(db, other.sweepId);
    await cancelSweep(db, other.sweepId);
    expect(await wrongCounts(db)).toEqual([]);
    await drain(db);
    expect(await trialStatuses(db, sweepId)).toEqual(['completed', 'completed']);
    await pauseSweep(db, sweepId);
    await cancelSweep(db, sweepId);
    await deleteSweep(db, sweepId);
    expect(await query(db, 'SELECT FROM sweep_stages WHERE sweep_id = $1', [sweepId])).toEqual([]);
  });

  test('gives a failed stage that it shares with a later unit new attempts, and counts it once', async () => {
    const sweep = searching({ seeds: [seed] });
    const sweepId = await submitSearch(db, sweep);
    await drain(db);
    await decide(db, sweepId, sweep, { number: 2, gamma: 7 });
    const failing = (await claim(db))!;
    await failAttempt(db, { ...leaseOf(failing), code: 'BROKEN', message: 'It broke', maxAttempts: 1 });
    expect(await trialStatuses(db, sweepId)).toEqual(['completed', 'failed']);
    await decide(db, sweepId, sweep, { number: 1, gamma: 7 });
    expect(await wrongCounts(db)).toEqual([]);
    await drain(db);
    expect(await trialStatuses(db, sweepId)).toEqual(['completed', 'completed', 'completed']);
    expect(await wrongCounts(db)).toEqual([]);
  });

  test('is tried again when another operation has a row for longer than a lock may wait', async () => {
    const sweep = searching({ seeds: [seed] });
    const sweepId = await submitSearch(db, sweep);
    const holder = await db.pool.connect();
    await holder.query('BEGIN');
    await holder.query('SELECT FROM sweeps WHERE id = $1 FOR UPDATE', [sweepId]);
    const waiting = async (): Promise<string | undefined> => {
      const [row] = await query<{ begun: string }>(
        db,
        `SELECT xact_start::text AS begun FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      );
      return row?.begun;
    };
    const decided = decide(db, sweepId, sweep, { number: 1, gamma: 7 });
    const first = await vi.waitUntil(waiting, { timeout: 60_000, interval: 20 });
    await vi.waitUntil(async () => ((await waiting()) ?? first) !== first, { timeout: 60_000, interval: 20 });
    await holder.query('COMMIT');
    holder.release();
    expect(await decided).toBe('written');
    expect(await wrongCounts(db)).toEqual([]);
  });

  test('may leave a place empty', async () => {
    const sweep = searching({ seeds: [seed] });
    const sweepId = await submitSearch(db, sweep);
    expect(await leaveEmpty(db, sweepId, 1)).toBe('written');
    expect(await leaveEmpty(db, sweepId, 1)).toBe('taken');
    expect(await decide(db, sweepId, sweep, { number: 2, gamma: 6 })).toBe('written');
    const record = await readSearch(db, sweepId, () => [robust]);
    expect(
      record.decisions.map(({ source, configuration, trials }) => [source, configuration, trials.length]),
    ).toEqual([
      ['start', 0, 1],
      ['empty', null, 0],
      ['start', 2, 1],
    ]);
    expect(await trialStatuses(db, sweepId)).toHaveLength(2);
  });

  test('has at most the stages of its stride', async () => {
    const sweep = searching({ seeds: [seed] });
    const sweepId = await submitSearch(db, sweep);
    await query(db, 'UPDATE searches SET stride = 3 WHERE sweep_id = $1', [sweepId]);
    await expect(decide(db, sweepId, sweep, { number: 1, gamma: 7 })).rejects.toThrow(
      'Expected at most 3 stages of decision 1, but got 4',
    );
    expect(await trialStatuses(db, sweepId)).toHaveLength(1);
  });
});

describe('a promotion', () => {
  test('continues the training of the rung below, and trains none of its epochs twice', async () => {
    const sweep = searching({ seeds: [seed], search: promoting });
    const sweepId = await submitSearch(db, sweep, { configurations: 9 });
    expect((await drain(db)).epochs).toBe(2 + 1 + 1);
    await decide(db, sweepId, sweep, { number: 9, gamma: 5, rung: 1, configuration: 0, source: 'promotion' });
    const next = (await claim(db))!;
    expect(next.start).toMatchObject({ sameChain: true, manifest: { position: { epoch: 1, step: 0 } } });
    expect(await finish(db, next)).toBe(2);
    expect((await drain(db)).epochs).toBe(1); // only the classifier
    const { decisions } = await readSearch(db, sweepId, () => [robust]);
    expect(
      decisions.map(({ number, configuration, rung, epochs, trials }) => [
        number,
        configuration,
        rung,
        epochs,
        trials.length,
      ]),
    ).toEqual([
      [0, 0, 0, 1, 1],
      [9, 0, 1, 3, 1],
    ]);
    expect(await wrongCounts(db)).toEqual([]);
  });
});

describe('a search is due', () => {
  test('at its submission, and whenever one of its trials has ended', async () => {
    const sweep = searching({ seeds: [seed, seed + 1000] });
    const sweepId = await submitSearch(db, sweep);
    expect(await takeDueSearch(db)).toEqual({ sweepId, marked: 1 });
    expect(await takeDueSearch(db)).toBeNull();
    await releaseSearch(db, { sweepId, marked: 1 });
    expect(await takeDueSearch(db)).toBeNull();
    let woken = 0;
    const forget = db.onWritten('searches', () => {
      woken += 1;
    });
    await drain(db);
    forget();
    expect(woken).toBe(2);
    expect(await takeDueSearch(db)).toEqual({ sweepId, marked: 3 });
  });

  test('again when it was marked while a process had it', async () => {
    const sweep = searching({ seeds: [seed] });
    const sweepId = await submitSearch(db, sweep);
    const taken = (await takeDueSearch(db))!;
    await drain(db);
    await releaseSearch(db, taken);
    expect(await takeDueSearch(db)).toEqual({ sweepId, marked: 2 });
  });

  test('again when the lease of a killed process has run out', async () => {
    const sweepId = await submitSearch(db, searching({ seeds: [seed] }));
    expect(await takeDueSearch(db)).not.toBeNull();
    expect(await takeDueSearch(db)).toBeNull();
    const [lease] = await query<{ left: number }>(
      db,
      'SELECT extract(epoch FROM held_until - clock_timestamp())::float8 AS left FROM searches WHERE sweep_id = $1',
      [sweepId],
    );
    expect(lease!.left).toBeGreaterThan(0);
    expect(lease!.left).toBeLessThanOrEqual(60);
    await query(db, `UPDATE searches SET held_until = now() - interval '1 second' WHERE sweep_id = $1`, [
      sweepId,
    ]);
    expect(await takeDueSearch(db)).toEqual({ sweepId, marked: 1 });
  });

  test('in turns: first the one that nobody had for the longest time', async () => {
    const [first, second] = [
      await submitSearch(db, searching({ seeds: [seed] })),
      await submitSearch(db, searching({ seeds: [seed + 1000] })),
    ];
    const taken = (await takeDueSearch(db))!;
    expect(taken.sweepId).toBe(first);
    await releaseSearch(db, { ...taken, marked: 0 });
    expect((await takeDueSearch(db))!.sweepId).toBe(second);
  });

  test('not while its sweep is paused, and again when it is resumed or retried', async () => {
    const sweep = searching({ seeds: [seed] });
    const sweepId = await submitSearch(db, sweep);
    await releaseSearch(db, (await takeDueSearch(db))!);
    await pauseSweep(db, sweepId);
    expect(await takeDueSearch(db)).toBeNull();
    expect(await decide(db, sweepId, sweep, { number: 1, gamma: 7 })).toBe('closed');
    await resumeSweep(db, sweepId);
    await releaseSearch(db, (await takeDueSearch(db))!);
    const claimed = (await claim(db))!;
    await failAttempt(db, { ...leaseOf(claimed), code: 'BROKEN', message: 'It broke', maxAttempts: 1 });
    await releaseSearch(db, (await takeDueSearch(db))!);
    await retrySweep(db, sweepId);
    expect(await takeDueSearch(db)).not.toBeNull();
    await drain(db);
    expect(await trialStatuses(db, sweepId)).toEqual(['completed']);
  });
});

describe('the sweep of a search', () => {
  test('ends with its last trial after the search has ended, not before', async () => {
    const sweep = searching({ seeds: [seed] });
    const sweepId = await submitSearch(db, sweep, { configurations: 2 });
    await drain(db);
    expect(await sweepStatus(db, sweepId)).toBe('running');
    await endSearch(db, sweepId, 'trials'); // it has one configuration of two: somebody has extended it
    expect((await readSearch(db, sweepId)).ended).toBeNull();
    await decide(db, sweepId, sweep, { number: 1, gamma: 7 });
    await endSearch(db, sweepId, 'trials');
    expect((await readSearch(db, sweepId)).ended).toBe('trials');
    expect(await sweepStatus(db, sweepId)).toBe('running');
    expect(await decide(db, sweepId, sweep, { number: 2, gamma: 8 })).toBe('closed');
    await drain(db);
    expect(await sweepStatus(db, sweepId)).toBe('completed');
    expect(await takeDueSearch(db)).toBeNull();
  });

  test('ends at once when the search ends after the last trial', async () => {
    const sweepId = await submitSearch(db, searching({ seeds: [seed] }));
    await drain(db);
    await endSearch(db, sweepId, 'exhausted');
    expect(await sweepStatus(db, sweepId)).toBe('completed');
  });

  test('decides nothing more when it is cancelled, also when this happens during a decision', async () => {
    const sweep = searching({ seeds: [seed] });
    const sweepId = await submitSearch(db, sweep);
    const meeting = await meet(db, {
      table: 'trials',
      way: 'INSERT',
      first: (one) => decide(one, sweepId, sweep, { number: 1, gamma: 7 }),
      second: (two) => cancelSweep(two, sweepId),
    });
    expect(meeting).toMatchObject({ first: 'closed', deadlocks: 0 });
    while (await continueActions(db));
    expect(await trialStatuses(db, sweepId)).toEqual(['cancelled']);
    expect(Object.keys(await stageCounts(db, sweepId))).toEqual([
      'attack:cancelled',
      'classify:cancelled',
      'initialise:cancelled',
      'optimise:cancelled',
    ]);
    expect(await decide(db, sweepId, sweep, { number: 1, gamma: 7 })).toBe('closed');
    expect(await takeDueSearch(db)).toBeNull();
    expect(await wrongCounts(db)).toEqual([]);
  });

  test('is cancelled and deleted with all units', async () => {
    const sweep = searching({ seeds: [seed] });
    const sweepId = await submitSearch(db, sweep);
    await decide(db, sweepId, sweep, { number: 1, gamma: 7 });
    await decide(db, sweepId, sweep, { number: 3, gamma: 8 });
    await cancelSweep(db, sweepId);
    expect(await trialStatuses(db, sweepId)).toEqual(['cancelled', 'cancelled', 'cancelled']);
    await deleteSweep(db, sweepId);
    for (const [table, column] of [
      ['sweeps', 'id'],
      ['searches', 'sweep_id'],
      ['decisions', 'sweep_id'],
      ['trials', 'sweep_id'],
      ['sweep_stages', 'sweep_id'],
      ['configuration_hyperparameters', 'sweep_id'],
    ])
      expect(await query(db, `SELECT FROM ${table} WHERE ${column} = $1`, [sweepId])).toEqual([]);
    expect(await query(db, 'SELECT FROM stages WHERE seed = $1', [seed])).toEqual([]);
  });
});
