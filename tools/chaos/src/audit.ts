/**
 * The audit of a run: rules that the tables must obey at any time, and the comparison of all results with the expected ones. A rule is a
 * count that must be 0.
 */

import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CheckpointManifest, canonicalJson, type EvaluationSummary } from '@funnel/contracts';
import { type Db, databaseError, isTransient } from '@funnel/db';
import { networksOf, type Results } from './expected.ts';

/** The last fault of a run may have hit PostgreSQL just before its audit. It recovers in seconds. */
const recoveryMs = 60_000;
const pauseMs = 200;

/** Waits for a PostgreSQL that recovers or restarts. */
export const rowsOf = async <Row>(db: Db, sql: string): Promise<readonly Row[]> => {
  const deadline = Date.now() + recoveryMs;
  for (;;) {
    try {
      return (await db.pool.query(sql)).rows as Row[]; // the statement decides the type
    } catch (error) {
      if (!isTransient(databaseError(error)) || Date.now() > deadline) throw error;
      await sleep(pauseMs);
    }
  }
};

export const countOf = async (db: Db, sql: string): Promise<number> =>
  Number((await rowsOf<{ n: unknown }>(db, sql))[0]?.n ?? 0);

/** A description of the rows that must not exist, and the SQL that counts them. */
export type Rule = readonly [what: string, sql: string];

const wrongCounts = `
  WITH kept AS (
    SELECT sweep_id, subject, sum(count) AS n FROM sweep_counts WHERE subject NOT IN ('trained', 'trained-elsewhere', 'active', 'active:attack') GROUP BY 1, 2 HAVING sum(count) <> 0
    UNION ALL SELECT client, 'bytes', sum(bytes) FROM stored_bytes GROUP BY 1 HAVING sum(bytes) <> 0
  ), real AS (
    SELECT l.sweep_id, 'stage:' || s.kind || ':' || s.status AS subject, count(*) AS n
    FROM sweep_stages l JOIN stages s ON s.id = l.stage_id WHERE l.direct GROUP BY 1, 2
    UNION ALL SELECT sweep_id, 'trial:' || status, count(*) FROM trials GROUP BY 1, 2
    UNION ALL SELECT client, 'bytes', sum(octet_length(bytes)) FROM blobs WHERE client IS NOT NULL GROUP BY 1
  )
  SELECT count(*) AS n FROM kept FULL JOIN real USING (sweep_id, subject) WHERE kept.n IS DISTINCT FROM real.n`;

/** Where a seed's score is infinite, the average is the median: the mean of the two middle values. (An interpolation would compute ∞ − ∞.) */
const wrongAverages = `
  WITH seeds AS (
    SELECT sweep_id, configuration_index, ordinal, metric, min(trial_id) AS trial_id, bool_or(below) AS below,
      count(utility) = count(*) AS whole, bool_or(utility = 'Infinity') AS infinite, avg(utility) AS mean,
      percentile_disc(0.5) WITHIN GROUP (ORDER BY utility) AS lower_median, -percentile_disc(0.5) WITHIN GROUP (ORDER BY -utility) AS upper_median
    FROM scores GROUP BY 1, 2, 3, 4
  ), real AS (
    SELECT *, CASE WHEN NOT whole THEN NULL WHEN infinite THEN lower_median / 2 + upper_median / 2 ELSE mean END AS utility FROM seeds
  )
  SELECT count(*) AS n FROM configuration_scores k FULL JOIN real r USING (sweep_id, configuration_index, ordinal, metric)
  WHERE (k.trial_id, k.below) IS DISTINCT FROM (r.trial_id, r.below)
    OR (k.utility IS NULL) <> (r.utility IS NULL) OR (k.utility = 'Infinity') <> (r.utility = 'Infinity')
    OR (r.utility <> 'Infinity' AND abs(k.utility - r.utility) > 1e-9)`;

const danglingReferences = `
  SELECT (SELECT count(*) FROM sweep_stages l WHERE NOT EXISTS (SELECT FROM sweeps w WHERE w.id = l.sweep_id))
    + (SELECT count(*) FROM sweep_stages l WHERE NOT EXISTS (SELECT FROM stages s WHERE s.id = l.stage_id))
    + (SELECT count(*) FROM trial_stages ts WHERE NOT EXISTS (SELECT FROM trials t WHERE t.id = ts.trial_id))
    + (SELECT count(*) FROM trial_stages ts WHERE NOT EXISTS (SELECT FROM stages s WHERE s.id = ts.stage_id))
    + (SELECT count(*) FROM configuration_hyperparameters k WHERE NOT EXISTS (SELECT FROM sweeps w WHERE w.id = k.sweep_id))
    + (SELECT count(*) FROM stages s WHERE s.planned_by IS NOT NULL AND NOT EXISTS (SELECT FROM sweeps w WHERE w.id = s.planned_by))
    + (SELECT count(*) FROM stages s WHERE s.sweep_id IS NOT NULL AND NOT EXISTS (SELECT FROM sweeps w WHERE w.id = s.sweep_id)) AS n`;

const wrongAccount = `
  SELECT count(*) AS n FROM stages s
  WHERE s.status IN ('waiting', 'ready', 'running')
    AND EXISTS (SELECT FROM sweep_stages l JOIN sweeps w ON w.id = l.sweep_id WHERE l.stage_id = s.id AND w.status = 'running')
    AND NOT EXISTS (
      SELECT FROM sweep_stages l JOIN sweeps w ON w.id = l.sweep_id
      WHERE l.stage_id = s.id AND w.id = s.sweep_id AND w.status = 'running')`;

/** A lack of data, disk, backend or memory (of a stage that needs some) must cost no attempt. */
const spentByLack = `
  SELECT count(*) AS n FROM attempts a JOIN stages s ON s.id = a.stage_id JOIN needs n ON n.id = s.need_id
  WHERE a.outcome = 'failed' AND (a.error_code IN ('DATASET_MISSING', 'DATASET_CORRUPT', 'BACKEND_UNUSABLE', 'ENOSPC')
    OR (a.error_code = 'TRAINER_OUT_OF_MEMORY' AND n.memory_bytes > 0))`;

/** Rules that hold at any time, since both sides change in the same transaction. */
export const atAnyTime: readonly Rule[] = [
  ['counts that differ from the rows', wrongCounts],
  ['averages over seeds that differ from the scores', wrongAverages],
  [
    'running stages without a lease',
    `SELECT count(*) AS n FROM stages s WHERE s.status = 'running' AND NOT EXISTS (
       SELECT FROM attempts a WHERE a.stage_id = s.id AND a.fencing_token = s.fencing_token AND a.worker_id = s.worker_id AND a.outcome = 'running')`,
  ],
  [
    'running attempts whose stage does not run',
    `SELECT count(*) AS n FROM attempts a WHERE a.outcome = 'running' AND NOT EXISTS (
       SELECT FROM stages s WHERE s.id = a.stage_id AND s.fencing_token = a.fencing_token AND s.status = 'running')`,
  ],
  [
    'unfinished stages that count for a sweep that does not run, although a running sweep needs them',
    wrongAccount,
  ],
  ['references to rows that do not exist', danglingReferences],
  [
    'stages without a sweep',
    'SELECT count(*) AS n FROM stages s WHERE NOT EXISTS (SELECT FROM sweep_stages l WHERE l.stage_id = s.id)',
  ],
  ['attempts spent by a lack', spentByLack],
  [
    'stages with two results',
    "SELECT count(*) AS n FROM (SELECT stage_id FROM attempts WHERE outcome = 'completed' GROUP BY 1 HAVING count(*) > 1) twice",
  ],
  [
    'checkpoints for which another attempt computed other bits',
    'SELECT coalesce(sum(mismatches), 0) AS n FROM attempts',
  ],
];

/** Rules that hold when every sweep has ended. */
export const atRest: readonly Rule[] = [
  ['attempts that never ended', "SELECT count(*) AS n FROM attempts WHERE outcome = 'running'"],
  [
    'stored blobs without a reference',
    'SELECT count(*) AS n FROM blobs b WHERE NOT EXISTS (SELECT FROM checkpoint_blobs c WHERE c.sha256 = b.sha256)',
  ],
];

/** One sentence for each rule that does not hold now. */
export const violations = async (db: Db, rules: readonly Rule[]): Promise<readonly string[]> => {
  const found: string[] = [];
  for (const [what, sql] of rules) {
    const n = await countOf(db, sql);
    if (n !== 0) found.push(`${n} ${what}`);
  }
  return found;
};

export type Audit = {
  readonly findings: readonly string[];
  readonly counts: Readonly<Record<string, number>>;
  /** SHA-256 of all results in the tables, and of all expected results. */
  readonly digest: string;
  readonly referenceDigest: string;
};

export const digestOf = (results: Results): string =>
  createHash('sha256')
    .update(canonicalJson(Object.values(results).map((table) => [...table].sort())))
    .digest('hex');

/** Differences between expected and found results of one kind, each with an example. `part`: some expected results may be missing. */
const compare = (
  what: string,
  expected: ReadonlyMap<string, unknown>,
  found: ReadonlyMap<string, unknown>,
  part: boolean,
): string[] => {
  const lost = part ? [] : [...expected.keys()].filter((key) => !found.has(key));
  const extra = [...found.keys()].filter((key) => !expected.has(key));
  const changed = [...expected]
    .filter(([key, value]) => found.has(key) && found.get(key) !== value)
    .map(([key]) => key);
  return Object.entries({ lost, extra, changed }).flatMap(([how, keys]) =>
    keys.length === 0 ? [] : [`${keys.length} ${what} ${how}, such as ${keys[0]}`],
  );
};

/** All results in the tables. */
export const readResults = async (db: Db): Promise<Results> => {
  type State = { chain: string; epoch: number; manifest: CheckpointManifest };
  const states = await rowsOf<State>(
    db,
    'SELECT c.hash AS chain, k.epoch, k.manifest FROM checkpoints k JOIN chains c ON c.id = k.chain_id WHERE k.step = 0',
  );
  type Metric = { chain: string; epoch: number; name: string; value: number };
  const numbers = await rowsOf<Metric>(
    db,
    'SELECT c.hash AS chain, m.epoch, m.name, m.value FROM metrics m JOIN chains c ON c.id = m.chain_id',
  );
  type Counts = { chain: string; epoch: number; images: number[]; correct: number[] };
  const counts = await rowsOf<Counts>(
    db,
    'SELECT c.hash AS chain, k.epoch, k.images, k.correct FROM class_counts k JOIN chains c ON c.id = k.chain_id',
  );
  type Row = { stage: string; summary: EvaluationSummary; success: boolean[] };
  const evaluations = await rowsOf<Row>(db, 'SELECT stage_id AS stage, summary, success FROM evaluations');
  return {
    networks: new Map(states.map((s) => [`${s.chain} ${s.epoch}`, networksOf(s.manifest)])),
    metrics: new Map(numbers.map((m) => [`${m.chain} ${m.epoch} ${m.name}`, m.value])),
    perClass: new Map(
      counts.map(({ chain, epoch, ...perClass }) => [`${chain} ${epoch}`, canonicalJson(perClass)]),
    ),
    evaluations: new Map(
      evaluations.map(({ stage, summary, success }) => [stage, canonicalJson({ summary, success })]),
    ),
  };
};

/** `part`: some expected results may be missing, because sweeps were cancelled or deleted. (Default: false) */
export const compareResults = (expected: Results, found: Results, { part = false } = {}): string[] => [
  ...compare('checkpoints', expected.networks, found.networks, part),
  ...compare('metrics', expected.metrics, found.metrics, part),
  ...compare('counts per class', expected.perClass, found.perClass, part),
  ...compare('evaluations', expected.evaluations, found.evaluations, part),
];

/** Checks everything that must hold when the sweep has ended. */
export const audit = async (db: Db, expected: Results): Promise<Audit> => {
  const counts = {
    trials: await countOf(db, 'SELECT count(*) AS n FROM trials'),
    stages: await countOf(db, 'SELECT count(*) AS n FROM stages'),
    stagesCompleted: await countOf(db, "SELECT count(*) AS n FROM stages WHERE status = 'completed'"),
    attempts: await countOf(db, 'SELECT count(*) AS n FROM attempts'),
    attemptsExpired: await countOf(db, "SELECT count(*) AS n FROM attempts WHERE outcome = 'expired'"),
    attemptsFailed: await countOf(db, "SELECT count(*) AS n FROM attempts WHERE outcome = 'failed'"),
    attemptsHandedBack: await countOf(db, "SELECT count(*) AS n FROM attempts WHERE outcome = 'handed-back'"),
    attemptsHandedBackForLack: await countOf(
      db,
      "SELECT count(*) AS n FROM attempts WHERE outcome = 'handed-back' AND error_code IS NOT NULL",
    ),
    attemptsSpentByLack: await countOf(db, spentByLack),
    workersSetAside: await countOf(db, 'SELECT count(*) AS n FROM workers WHERE set_aside_at IS NOT NULL'),
    fencedWrites: await countOf(db, 'SELECT coalesce(sum(fenced), 0) AS n FROM attempts'),
    metrics: await countOf(db, 'SELECT count(*) AS n FROM metrics'),
    epochsTrained: await countOf(db, 'SELECT coalesce(sum(epochs), 0) AS n FROM attempts'),
    epochsUnshared: await countOf(
      db,
      "SELECT coalesce(sum((plan->'epochs'->>'unshared')::int), 0) AS n FROM sweeps",
    ),
    epochsPlanned: await countOf(
      db,
      "SELECT coalesce(sum((plan->'epochs'->>'needed')::int), 0) AS n FROM sweeps",
    ),
  };
  const found = await readResults(db);
  const findings = [
    ...(await violations(db, [
      ['trials that did not complete', "SELECT count(*) AS n FROM trials WHERE status <> 'completed'"],
      ['stages that did not complete', "SELECT count(*) AS n FROM stages WHERE status <> 'completed'"],
      ...atAnyTime,
      ...atRest,
    ])),
    ...(counts.epochsTrained === counts.epochsPlanned
      ? []
      : [`${counts.epochsTrained} epochs trained, ${counts.epochsPlanned} planned`]),
    ...compareResults(expected, found),
  ];
  return { findings, counts, digest: digestOf(found), referenceDigest: digestOf(expected) };
};
