/**
 * Runs every SQL statement of this package on a migrated database. Compares PostgreSQL's description of the result with the columns that
 * the statement declares: their names, their types, and whether they may be NULL.
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { defaultLimits, RetentionPolicy, routes } from '@funnel/contracts';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { int4, orNull, text } from '../src/connection/columns.ts';
import type { ExecutedStatement } from '../src/connection/db.ts';
import { reading } from '../src/connection/transaction.ts';
import {
  actingAs,
  addDataset,
  addHandPoint,
  annotateSweep,
  announceAbilities,
  anyToken,
  type ClaimedStage,
  cancelSweep,
  checkDataset,
  claimStage,
  collectGarbage,
  compareTrials,
  completeStage,
  continueActions,
  continuePropagation,
  countWorkersWith,
  type Db,
  datasetBytesOf,
  deleteSweep,
  endSearch,
  endStage,
  eventsAfter,
  extendSearch,
  failAttempt,
  findToken,
  getBlobs,
  getCheckpoint,
  getDataset,
  getDatasetChunk,
  getDatasetImages,
  getEvaluation,
  getImages,
  getMetrics,
  getStage,
  getSubmission,
  getSweep,
  getTrial,
  getWorker,
  handBackStage,
  heartbeat,
  knownChains,
  lastEventId,
  leaderboard,
  listAudit,
  listDatasetNames,
  listDatasets,
  listFailingBatches,
  listStages,
  listSubmissions,
  listSweeps,
  listTokens,
  listTrials,
  listUnfinished,
  listWorkers,
  missingBlobs,
  onEvents,
  pauseSweep,
  pingDatabase,
  pingSchema,
  postponeSubmission,
  putDatasetChunk,
  readBlob,
  readClientUse,
  readEarlier,
  readSearch,
  readServiceCounts,
  readSpeeds,
  readStageLog,
  readWorkerLog,
  reconcile,
  refuseSubmission,
  registerWorker,
  releaseSearch,
  releaseStage,
  removeDataset,
  renewSubmission,
  resolveSweeps,
  restoreWorker,
  resumeSweep,
  retireWorker,
  retrySweep,
  revokeToken,
  saveToken,
  startRelay,
  statusesOf,
  storeDataset,
  storeSubmission,
  submitSweep,
  takeDueSearch,
  takeSubmission,
  unitEvidence,
  wantedDatasets,
  withdrawSubmission,
} from '../src/index.ts';
import { pauseAction, pausePropagations } from '../src/lifecycle/failing-batches.ts';
import { differencesOf } from '../src/testing/check-statement.ts';
import { makeDataset, openTestDb } from '../src/testing/index.ts';
import { beat, leaseOf, letExpire, options } from './support/attempts.ts';
import { decide, leaveEmpty, promoting, searching, submitSearch } from './support/search.ts';
import { claim, drain, evaluationOf, finish, record } from './support/simulated-trainer.ts';
import { definition, prepared, submit } from './support/submit.ts';
import { query } from './support/tables.ts';

let db: Db;
const executed = new Map<string, ExecutedStatement>();

const fault = { code: 'BROKEN', message: 'It broke' };

/** Finishes stages until a classifier is claimed. */
const claimClassifier = async (): Promise<ClaimedStage> => {
  for (let claimed = await claim(db); claimed; claimed = await claim(db)) {
    if (claimed.spec.kind === 'classify') return claimed;
    await finish(db, claimed);
  }
  throw new Error('Expected a classifier to be ready, but none is');
};

/** A worker hands a stage back, changes, is set aside, and is restored by its probe. */
const refuseAndProbe = async (): Promise<void> => {
  const other = { host: 'here', pid: 2, version: '1', backend: 'wasm', device: 'cpu', slots: 1 };
  await registerWorker(db, { id: 'other', ...other });
  const claimed = (await claim(db, 'other'))!;
  await handBackStage(db, { ...leaseOf(claimed), lack: 'memory', ...fault });
  await reconcile(db, options);
  await getStage(db, claimed.stageId);
  await announceAbilities(db, 'other', { engineVersion: null, trainerBytes: null, datasets: null });
  await restoreWorker(db, 'other');
  await query(db, `UPDATE workers SET set_aside_at = now(), probe_at = now() WHERE id = 'other'`);
  const probe = (await claim(db, 'other'))!;
  await releaseStage(db, leaseOf(probe));
  await getWorker(db, 'other');
  await readWorkerLog(db, 'other');
  await retireWorker(db, { workerId: 'other', status: 'gone' });
};

/** Brings data sets in, reads one, and deletes all. */
const useDatasets = async (): Promise<void> => {
  const made = makeDataset();
  const { digest } = made.upload;
  const wrong = makeDataset({ name: 'wrong', labelOf: () => 3 });
  for (const { upload, bytes } of [made, wrong]) {
    await addDataset(db, upload, { owner: 'ann' });
    await addDataset(db, upload, { owner: 'ann' });
    await putDatasetChunk(db, { digest: upload.digest, number: 0, bytes });
    await checkDataset(db, upload.digest, AbortSignal.abort());
    await checkDataset(db, upload.digest);
  }
  await addDataset(db, made.upload, { owner: 'ann' });
  await expect(addDataset(db, wrong.upload, { owner: 'ann' })).rejects.toMatchObject({
    code: 'DATASET_CORRUPT',
  });
  await listDatasets(db);
  await countWorkersWith(db, digest);
  await wantedDatasets(db, [digest]);
  await datasetBytesOf(db, 'ann');
  await addDataset(db, makeDataset({ name: 'unfinished', salt: 8 }).upload, { owner: 'ann' });
  await listUnfinished(db, 'ann');
  await removeDataset(db, 'unfinished', { owner: 'ann' });
  const { name, content } = makeDataset({ name: 'stored', salt: 5 }).upload;
  const parts = async function* () {
    yield makeDataset({ salt: 5 }).bytes;
  };
  for (const _ of ['first', 'again']) await storeDataset(db, { name, content, owner: 'ann' }, parts());
  await expect(storeDataset(db, { name: 'pets', content, owner: 'ann' }, parts())).rejects.toMatchObject({
    code: 'NAME_TAKEN',
  });
  await listDatasetNames(db);
  await listWorkers(db);
  await getDataset(db, 'pets');
  await getDatasetChunk(db, { digest, number: 0 });
  await getDatasetImages(db, 'pets', { split: 'test', from: 0, count: 2 });
  await removeDataset(db, 'pets', { owner: 'ann' });
  await query(db, `UPDATE datasets SET asked_at = now() - interval '1 hour'`);
  await collectGarbage(db, RetentionPolicy.parse({ keepDays: 0 }), { dryRun: false });
};

/** Runs sweeps from their submission to their deletion, along every path with its own statements. */
/** Two attacks of a sweep rank different trials first. */
const disagree = async (): Promise<void> => {
  const attacks = [{ attack: 'fgsm', search: false }, 'gradient'] as const;
  const { sweepId } = await submit(db, { seeds: [1, 2], space: { gamma: [31, 32] }, attacks: [...attacks] });
  for (let claimed = await claim(db); claimed; claimed = await claim(db)) {
    const isFirst = claimed.spec.kind === 'attack' && (await gammaOf(claimed.stageId)) === 31;
    const evaluation = () => evaluationOf(claimed!, [isFirst], { medianL2: isFirst ? 2 : 1, l2: 2 });
    if (claimed.spec.kind === 'attack')
      await completeStage(db, { ...leaseOf(claimed), evaluation: evaluation() });
    else await finish(db, claimed);
  }
  for (const group of ['trial', 'configuration'])
    for (const metric of ['robustAccuracy', 'cleanAccuracy']) // all clean accuracies are the same
      await leaderboard(
        db,
        routes.leaderboard.query.parse({ sweep: sweepId, attack: 'fgsm', group, metric }),
      );
  await leaderboard(db, routes.leaderboard.query.parse({ sweep: sweepId, metric: 'noiseLevel' }));
};

const gammaOf = async (stageId: string): Promise<number | undefined> => {
  const [trial] = await query<{ gamma: number }>(
    db,
    `SELECT (t.hyperparameters ->> 'gamma')::float8 AS gamma FROM trials t JOIN trial_stages ts ON ts.trial_id = t.id WHERE ts.stage_id = $1`,
    [stageId],
  );
  return trial?.gamma;
};

const runSweeps = async (): Promise<void> => {
  const worker = {
    id: 'worker',
    host: 'here',
    pid: 1,
    version: '1',
    backend: 'wasm',
    device: 'cpu',
    slots: 1,
  };
  await registerWorker(db, worker);
  await reconcile(db, options); // the first round expires no lease
  const idempotency = { key: 'key', bodyHash: 'hash' };
  const first = await submit(db, { seeds: [1, 2], space: { gamma: [1, 2] } }, idempotency);
  await submit(db, { seeds: [1, 2], space: { gamma: [1, 2] } }, idempotency);
  await knownChains(db, [{ id: 'a', chain: 'b', parent: null, kind: 'initialise' }]);
  await statusesOf(db, ['a']);

  const claimed = (await claim(db))!;
  await heartbeat(db, { workerId: 'worker', leases: [], memoryBytes: 1, leaseSeconds: 60 });
  await record(db, claimed, { epoch: 1, step: 0 });
  await record(db, claimed, { epoch: 1, step: 0 }, ' with other bits');
  await record(db, claimed, { epoch: 1, step: 5 });
  await beat(db, claimed, { position: { epoch: 1, step: 5 }, imagesPerSecond: 10 });
  await releaseStage(db, leaseOf(claimed));
  await refuseAndProbe();
  await claimStage(db, { workerId: 'worker', leaseSeconds: 60, known: [] }); // after an answer that was lost
  const again = (await claim(db))!;
  await failAttempt(db, { ...leaseOf(again), ...fault, maxAttempts: 3 });
  await expect(record(db, again, { epoch: 1, step: 9 })).rejects.toMatchObject({ code: 'STALE_LEASE' });
  await query(db, 'UPDATE stages SET ready_at = now()');
  // A claim that takes longer than a part of its lease begins the lease anew.
  const expiring = (await claimStage(db, { workerId: 'worker', leaseSeconds: 1e-6 }))!;
  await letExpire(db, expiring.stageId);
  await reconcile(db, options);
  await query(db, 'UPDATE stages SET ready_at = now()');
  await drain(db);
  // The same work again: first everything exists, then everything except one attack, which is masked.
  await submit(db, { seeds: [1, 2], space: { gamma: [1, 2] } });
  await submit(db, { seeds: [1, 2], space: { gamma: [1, 2] }, attacks: ['fgsm', 'gradient'] });
  for (let attack = await claim(db); attack; attack = await claim(db)) {
    const evaluation = evaluationOf(attack, [true, false, false, false], { verdict: 'masked' });
    await completeStage(db, { ...leaseOf(attack), evaluation });
    await completeStage(db, { ...leaseOf(attack), evaluation }); // a second call, as after a lost answer
  }
  await submit(db, { seeds: [1, 2], space: { gamma: [1, 2] }, attacks: ['fgsm', 'gradient'] });
  const smallest = await submit(db, {
    recipes: ['funn', 'magnet'],
    seeds: [1],
    maxRunning: 1,
    attacks: ['fab-t-linf', 'pgd-linf', 'square-linf'],
  });
  await drain(db);
  await getTrial(db, `${smallest.sweepId}-00000`);
  await disagree();
  await readResults(first.sweepId);

  // Attacks with surrogates, a classifier that collapses, one that fails, and a retry.
  const { sweepId: failing } = await submit(db, {
    seeds: [5],
    space: { gamma: [1, 2, 3, 4] },
    attacks: [{ attack: 'transfer-linf', surrogates: 2 }],
  });
  await endStage(db, {
    ...leaseOf(await claimClassifier()),
    status: 'collapsed',
    message: 'It ignores its input',
  });
  await failAttempt(db, { ...leaseOf(await claimClassifier()), ...fault, maxAttempts: 1 });
  await drain(db);
  await retrySweep(db, failing, defaultLimits);
  await drain(db);

  // A longer run carries the stages of a shorter one, and is then cancelled.
  const short = await submit(db, { seeds: [6], space: { initialiseEpochs: 2 } });
  const long = await submit(db, { seeds: [6], space: { initialiseEpochs: 4 } });
  await annotateSweep(db, short.sweepId, { notes: 'a note', tags: ['baseline'] });
  await pauseSweep(db, short.sweepId);
  await beat(db, (await claim(db))!);
  await resumeSweep(db, short.sweepId);
  await cancelSweep(db, long.sweepId);
  await drain(db);
  await submit(db, { seeds: [6], space: { initialiseEpochs: 4 } });
  await drain(db);
  const carried = await submit(db, { seeds: [8], space: { initialiseEpochs: 4 } });
  await submit(db, { seeds: [8], space: { initialiseEpochs: 2 } });
  await cancelSweep(db, carried.sweepId);
  await drain(db);

  // The reconciler after a gap, after the clock was set back, and with statuses to repair.
  await submit(db, { seeds: [9] });
  for (const at of [`now() - interval '1 hour'`, `now() + interval '1 hour'`]) {
    await query(db, `UPDATE duties SET at = ${at} WHERE name = 'reconcile'`);
    await query(db, `DELETE FROM duties WHERE name = 'repair'`);
    await reconcile(db, options);
  }
  const large = { seeds: [2], space: { gamma: { min: 1, max: 100, count: 100 } } };
  await cancelSweep(db, (await submit(db, large)).sweepId); // with so many events that they are condensed
  await retireWorker(db, { workerId: 'worker', status: 'gone' });
  await collectGarbage(db, RetentionPolicy.parse({ keepDays: 0, keepBest: 0, keepSweeps: [failing] }), {
    dryRun: false,
  });
  await deleteSweep(db, long.sweepId);
  await runSubmissions();
  await runSearch();
  await pausePropagations(db, { target: 'trials', ids: [1] }, new Error('no'));
  await pauseAction(db, { sweepId: failing, action: 'pause' }, new Error('no'));
  await listFailingBatches(db);
};

/** Stored submissions, and actions on a sweep that another operation delays. */
const runSubmissions = async (): Promise<void> => {
  const sweep = definition({ seeds: [11] });
  const request = { client: 'a', size: 'large', definition: sweep, engineVersion: 'engine-1' } as const;
  const keyed = { ...request, bodyHash: 'hash', key: 'stored' };
  await storeSubmission(db, keyed);
  await storeSubmission(db, keyed);
  const ticket = (await takeSubmission(db, 'large', 60))!;
  await renewSubmission(db, ticket, 60);
  await submitSweep(db, { ...prepared(sweep), ticket });
  const { id } = (await storeSubmission(db, { ...request, bodyHash: 'hash' })) as { id: string }; // without a key it is stored
  await postponeSubmission(db, (await takeSubmission(db, 'large', 60))!, 0);
  await refuseSubmission(db, (await takeSubmission(db, 'large', 60))!, {
    ...{ code: 'INTERNAL', message: 'x', details: {} },
  });
  await getSubmission(db, id);
  await listSubmissions(db, { limit: 1 });
  await withdrawSubmission(db, id);

  const { sweepId } = await submit(db, { seeds: [12], space: { gamma: { min: 1, max: 64, count: 1400 } } });
  await cancelSweep(db, sweepId);
  while (await continueActions(db));
  for (const target of ['dependants', 'skipped', 'transfer-attacks', 'trials'])
    await query(db, 'INSERT INTO propagations (target, stage_id) SELECT $1, id FROM stages LIMIT 100', [
      target,
    ]);
  await query(db, `INSERT INTO propagations (target, stage_id) VALUES ('dependants', 'deleted')`);
  while (await continuePropagation(db));
  // A large sweep is written before the lock is taken, and connected in batches.
  await submit(db, { seeds: [13], space: { gamma: [1, 2] } });
  await submit(db, { seeds: [13], space: { gamma: [1, 2, 3] } }, undefined, { maxUnderLock: 0 });
  while (await continueActions(db));
};

/** A search with a promotion, an empty place, a pause, an extension and a deletion. */
const runSearch = async (): Promise<void> => {
  const sweep = searching({ seeds: [14], search: promoting });
  const sweepId = await submitSearch(db, sweep);
  await releaseSearch(db, (await takeDueSearch(db))!);
  await addHandPoint(db, sweepId, { gamma: 7 });
  await decide(db, sweepId, sweep, { number: 1, gamma: 7, rung: 0 }, { handPoint: true });
  await leaveEmpty(db, sweepId, 2);
  await drain(db);
  await decide(db, sweepId, sweep, { number: 3, gamma: 7, rung: 1, configuration: 1 });
  await drain(db);
  const values = [{ attack: undefined, metric: 'robustAccuracy' }] as const;
  await readSearch(db, sweepId, () => values);
  await expect(readSearch(db, 'none', () => values)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await unitEvidence(db, [{ trial: `${sweepId}-00000`, values: [0.5] }], values);
  await readEarlier(db, [sweepId], { values, changesOf: () => [] });
  expect(await resolveSweeps(db, [sweepId])).toEqual([sweepId]);
  await expect(resolveSweeps(db, ['none'])).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
  const query = routes.leaderboard.query.parse({ sweep: sweepId, metric: 'robustAccuracy', limit: 1 });
  const { next } = await leaderboard(db, query);
  await leaderboard(db, { ...query, cursor: next! });
  await pauseSweep(db, sweepId);
  await resumeSweep(db, sweepId);
  const { plan } = await getSweep(db, sweepId);
  await endSearch(db, sweepId, 'stopped');
  await extendSearch(db, sweepId, { from: 4, to: 5, plan, limits: defaultLimits });
  await cancelSweep(db, sweepId);
  await deleteSweep(db, sweepId);
};

/** Reads everything that pages show of a finished sweep. */
const readResults = async (sweepId: string): Promise<void> => {
  await listSweeps(db, { limit: 1 });
  await getSweep(db, sweepId);
  await listTrials(db, { sweepId, limit: 10 });
  await compareTrials(db, [`${sweepId}-00000`, `${sweepId}-00001`]);
  await getMetrics(db, `${sweepId}-00000`);
  const trial = await getTrial(db, `${sweepId}-00000`);
  const stages = (await listStages(db, { sweepId, limit: 10 })).items;
  const stageId = trial.stages.at(-1)!.id;
  await getStage(db, stageId);
  await readStageLog(db, stages[0]!.id);
  await getEvaluation(db, stageId);
  await getImages(db, { trialId: trial.id, stageId });
  const { networks } = await getCheckpoint(db, stages[0]!.checkpoint!);
  await getBlobs(db, [networks.encoder!.blob]);
  await readBlob(db, networks.encoder!.blob);
  await readClientUse(db, 'tester');
  await missingBlobs(db, ['none']);
  await listWorkers(db);
  await readSpeeds(db, ['filters']);
  const filters = [
    '{"where":["gamma:1..2"],"recipe":["funn"]}',
    '{"where":["kernelSize:3"]}',
    '{"group":"configuration","masked":"equal"}',
    '{"masked":"hide","attack":"fgsm"}',
    '{"attack":"fgsm","metric":"medianL2"}',
    '{"attack":"fgsm","metric":"noiseLevel"}',
  ];
  for (const filter of filters)
    await leaderboard(
      db,
      routes.leaderboard.query.parse({
        metric: 'robustAccuracy',
        ...JSON.parse(filter),
      }),
    );
  await leaderboard(db, routes.leaderboard.query.parse({ tag: 'baseline' }));
  const none = leaderboard(db, routes.leaderboard.query.parse({ dataset: 'none' }));
  await expect(none).rejects.toMatchObject({ code: 'NOT_FOUND' });
};

const useServices = async (): Promise<void> => {
  const local = actingAs(db, { actor: 'local', address: null });
  await saveToken(local, { name: 'ci', role: 'submit', hash: 'a' });
  await expect(saveToken(local, { name: 'other', role: 'submit', hash: 'a' })).rejects.toMatchObject({
    code: 'INVALID_TRANSITION',
  });
  await findToken(db, 'a');
  await anyToken(db);
  await listTokens(db);
  await revokeToken(db, 'ci');
  await listAudit(db, { limit: 1 });
  await eventsAfter(db, { after: '', limit: 1 });
  await lastEventId(db);
  const listening = await onEvents(db, () => {});
  await pingDatabase(db);
  await pingSchema(db);
  await readServiceCounts(db);
  await submit(db, { seeds: [100] });
  await vi.waitFor(() => expect([...executed.keys()].join()).toContain('FROM events WHERE xid >='));
  await listening.close();
};

beforeAll(async () => {
  db = await openTestDb({ onStatement: (statement) => executed.set(statement.text, statement) });
  const errors: unknown[] = [];
  let isQueueAway = true;
  const notify = async () => {
    if (isQueueAway) throw new Error('The queue is away');
  };
  const onError = (error: unknown) => {
    errors.push(error);
    isQueueAway = false;
  };
  const relay = startRelay(db, { notify, onError });
  await useServices();
  await runSweeps();
  await useDatasets();
  await relay.close();
  expect(errors).toHaveLength(1);
});
afterAll(() => db.close());

const source = fileURLToPath(new URL('../src', import.meta.url));

/** Files with statements outside of `reading` and `transaction`: they set up a server, a schema, a connection or a test. */
const isSetup = (file: string) => /^(embedded|testing)\/|^migrate\.ts$|^connection\/pooler\.ts$/.test(file);

/** The texts in the source that begin like a statement, as patterns: any text may stand for an inserted expression. */
const statementsInSource = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !isSetup(file))
  .flatMap((file) => {
    const code = readFileSync(path.join(source, file), 'utf8');
    const literals = code.matchAll(
      /(['"`])\s*((?:\(?SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH|SET LOCAL)\b(?:(?!\1).)*)/gs,
    );
    return [...literals].map(([, , literal]) => ({ file, literal: literal! }));
  });

const patternOf = (literal: string): RegExp => {
  const parts = literal
    .split(/\$\{(?:[^{}]|\{[^{}]*\})*\}?/)
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(parts.join('[^]*'));
};

test('every statement in the source has run', () => {
  const texts = [...executed.keys()];
  const missing = statementsInSource.filter(
    ({ literal }) => !texts.some((sql) => patternOf(literal).test(sql)),
  );
  expect(statementsInSource.length).toBeGreaterThan(100);
  expect(missing).toEqual([]);
});

test('every statement gives the columns that it declares', () => {
  const wrong = [...executed.values()].flatMap((statement) =>
    differencesOf(statement).map((difference) => `${difference}: ${statement.text}`),
  );
  expect(wrong).toEqual([]);
});

// Arrays are an exception: Prisma lets every array column be NULL, and no statement writes NULL there.
test('a column that may be NULL in its table may be NULL in the row', async () => {
  const nullable = await query<{ key: string }>(
    db,
    `SELECT attrelid || '.' || attnum AS key FROM pg_attribute WHERE attnum > 0 AND NOT attnotnull AND attndims = 0`,
  );
  const keys = new Set(nullable.map(({ key }) => key));
  const wrong = [...executed.values()].flatMap(({ text: sql, columns, fields }) =>
    fields
      .filter(
        ({ name, tableID, columnID }) =>
          keys.has(`${tableID}.${columnID}`) && columns[name]?.isNullable === false,
      )
      .map(({ name }) => `${name}: ${sql}`),
  );
  expect(wrong).toEqual([]);
});

test('the comparison finds a column with another name or type', async () => {
  const columns = { name: text(), revoked_at: orNull(text()), seed: int4() };
  const seen: ExecutedStatement[] = [];
  const other = { ...db, onStatement: (statement: ExecutedStatement) => void seen.push(statement) };
  await reading(other).query(columns, 'SELECT name, revoked_at, id AS renamed FROM tokens');
  expect(differencesOf(seen[0]!)).toEqual([
    'declares revoked_at as text, but PostgreSQL gives timestamptz',
    'declares the column seed, which PostgreSQL does not give',
    'gives the column renamed, which is not declared',
  ]);
});
