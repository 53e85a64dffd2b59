/** The tables against what they must hold: every stage exactly one result, the expected one; no number lost, doubled or changed. */
import { createHash } from 'node:crypto';
import { type CheckpointManifest, canonicalJson, type EvaluationSummary } from '@funnel/contracts';
import type { Db } from '@funnel/db';
import { networksOf, type Results } from './expected.ts';

export type Audit = {
  readonly findings: readonly string[];
  readonly counts: Readonly<Record<string, number>>;
  /** sha-256 of all results in the tables, and of all that were expected: the same networks, numbers and evaluations, or not. */
  readonly digest: string;
  readonly referenceDigest: string;
};

const digestOf = (results: Results): string =>
  createHash('sha256')
    .update(canonicalJson(Object.values(results).map((table) => [...table].sort())))
    .digest('hex');

/** Differences between two tables of the same kind, the first few in words. */
const compare = (
  what: string,
  expected: ReadonlyMap<string, unknown>,
  found: ReadonlyMap<string, unknown>,
): string[] => {
  const lost = [...expected.keys()].filter((key) => !found.has(key));
  const extra = [...found.keys()].filter((key) => !expected.has(key));
  const changed = [...expected]
    .filter(([key, value]) => found.has(key) && found.get(key) !== value)
    .map(([key]) => key);
  return Object.entries({ lost, extra, changed }).flatMap(([how, keys]) =>
    keys.length === 0 ? [] : [`${keys.length} ${what} ${how}, such as ${keys[0]}`],
  );
};

const rows = async <Row>(db: Db, sql: string): Promise<readonly Row[]> =>
  (await db.pool.query(sql)).rows as Row[]; // shapes stand in the statements

const one = async (db: Db, sql: string): Promise<number> =>
  Number((await rows<{ n: unknown }>(db, sql))[0]?.n ?? 0);

/** What the tables hold of results, in the form of what is expected. */
export const readResults = async (db: Db): Promise<Results> => {
  type State = { chain: string; epoch: number; manifest: CheckpointManifest };
  const states = await rows<State>(
    db,
    'SELECT c.hash AS chain, k.epoch, k.manifest FROM checkpoints k JOIN chains c ON c.id = k.chain_id WHERE k.step = 0',
  );
  type Metric = { chain: string; epoch: number; name: string; value: number };
  const numbers = await rows<Metric>(
    db,
    'SELECT c.hash AS chain, m.epoch, m.name, m.value FROM metrics m JOIN chains c ON c.id = m.chain_id',
  );
  type Row = { stage: string; summary: EvaluationSummary; success: boolean[] };
  const evaluations = await rows<Row>(db, 'SELECT stage_id AS stage, summary, success FROM evaluations');
  return {
    networks: new Map(states.map((s) => [`${s.chain} ${s.epoch}`, networksOf(s.manifest)])),
    metrics: new Map(numbers.map((m) => [`${m.chain} ${m.epoch} ${m.name}`, m.value])),
    evaluations: new Map(
      evaluations.map(({ stage, summary, success }) => [stage, canonicalJson({ summary, success })]),
    ),
  };
};

const compareResults = (expected: Results, found: Results): string[] => [
  ...compare('checkpoints', expected.networks, found.networks),
  ...compare('metrics', expected.metrics, found.metrics),
  ...compare('evaluations', expected.evaluations, found.evaluations),
];

const wrongAverages = `
  WITH real AS (
    SELECT sweep_id, configuration_index, position, metric, min(trial_id) AS trial_id, bool_or(masked) AS masked,
      CASE WHEN count(merit) = count(*) THEN avg(merit) END AS merit
    FROM scores GROUP BY 1, 2, 3, 4
  )
  SELECT count(*) AS n FROM configuration_scores k FULL JOIN real r USING (sweep_id, configuration_index, position, metric)
  WHERE (k.trial_id, k.masked) IS DISTINCT FROM (r.trial_id, r.masked)
    OR (k.merit IS NULL) <> (r.merit IS NULL) OR abs(k.merit - r.merit) > 1e-9`;

/** Everything that must hold when the sweep has ended. */
export const audit = async (db: Db, expected: Results): Promise<Audit> => {
  const counts = {
    trials: await one(db, 'SELECT count(*) AS n FROM trials'),
    stages: await one(db, 'SELECT count(*) AS n FROM stages'),
    stagesCompleted: await one(db, "SELECT count(*) AS n FROM stages WHERE status = 'completed'"),
    attempts: await one(db, 'SELECT count(*) AS n FROM attempts'),
    attemptsExpired: await one(db, "SELECT count(*) AS n FROM attempts WHERE outcome = 'expired'"),
    attemptsFailed: await one(db, "SELECT count(*) AS n FROM attempts WHERE outcome = 'failed'"),
    attemptsHandedBack: await one(db, "SELECT count(*) AS n FROM attempts WHERE outcome = 'handed-back'"),
    fencedWrites: await one(db, 'SELECT coalesce(sum(fenced), 0) AS n FROM attempts'),
    metrics: await one(db, 'SELECT count(*) AS n FROM metrics'),
    epochsTrained: await one(db, 'SELECT coalesce(sum(epochs), 0) AS n FROM attempts'),
    epochsUnshared: await one(
      db,
      "SELECT coalesce(sum((plan->'epochs'->>'unshared')::int), 0) AS n FROM sweeps",
    ),
    epochsPlanned: await one(
      db,
      "SELECT coalesce(sum((plan->'epochs'->>'needed')::int), 0) AS n FROM sweeps",
    ),
  };
  const none = async (what: string, sql: string): Promise<string[]> => {
    const n = await one(db, sql);
    return n === 0 ? [] : [`${n} ${what}`];
  };
  const found = await readResults(db);
  const findings = [
    ...(await none(
      'trials that did not complete',
      "SELECT count(*) AS n FROM trials WHERE status <> 'completed'",
    )),
    ...(await none(
      'stages that did not complete',
      "SELECT count(*) AS n FROM stages WHERE status <> 'completed'",
    )),
    ...(await none(
      'stages with two results',
      "SELECT count(*) AS n FROM (SELECT stage_id FROM attempts WHERE outcome = 'completed' GROUP BY 1 HAVING count(*) > 1) twice",
    )),
    ...(await none(
      'attempts that never ended',
      "SELECT count(*) AS n FROM attempts WHERE outcome = 'running'",
    )),
    ...(await none(
      'checkpoints that another attempt computed otherwise',
      'SELECT coalesce(sum(mismatches), 0) AS n FROM attempts',
    )),
    ...(await none(
      'stored blobs that nothing names',
      'SELECT count(*) AS n FROM blobs b WHERE NOT EXISTS (SELECT FROM checkpoint_blobs c WHERE c.sha256 = b.sha256)',
    )),
    ...(await none('averages over seeds that are not those of the scores', wrongAverages)),
    ...(counts.epochsTrained === counts.epochsPlanned
      ? []
      : [`${counts.epochsTrained} epochs trained, ${counts.epochsPlanned} planned`]),
    ...compareResults(expected, found),
  ];
  return { findings, counts, digest: digestOf(found), referenceDigest: digestOf(expected) };
};
