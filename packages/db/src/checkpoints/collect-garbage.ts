/**
 * Frees the space of checkpoints and data sets that no kept trial needs. Results stay: metrics, evaluations, scores, statuses. A later sweep that needs a
 * deleted state trains it again.
 */
import {
  AppError,
  budgetsOfChoice,
  type Collection,
  expandAttacks,
  objectiveOf,
  type RetentionPolicy,
  type StoredDefinition,
  usualMetricAmong,
} from '@funnel/contracts';
import { float8, int4, jsonb, orNull, type RowOf, text, texts } from '../connection/columns.ts';
import type { Db } from '../connection/db.ts';
import { reading, type Tx, transaction } from '../connection/transaction.ts';
import { dropSuperfluous, findSuperfluous } from '../datasets/collect-datasets.ts';
import { lockStructure } from '../lifecycle/structure-lock.ts';
import { dropUnused } from './checkpoints.ts';
import { countBytes } from './stored-bytes.ts';

/** A sweep and the ranking of its trials. An empty attack means the worst case. */
type RankedSweep = { readonly sweep: string; readonly attack: string; readonly metric: string };

const endedColumns = {
  ids: texts(),
  attacks: jsonb<StoredDefinition['attacks']>(),
  dataset: jsonb<StoredDefinition['dataset']>(),
  objective: orNull(jsonb<StoredDefinition['objective']>()),
};

/** Ended sweeps with the same attacks, data set and objective share one row. */
const selectEnded = `
  SELECT array_agg(id) AS ids, definition -> 'attacks' AS attacks, definition -> 'dataset' AS dataset, definition -> 'objective' AS objective
  FROM sweeps WHERE status NOT IN ('running', 'paused') GROUP BY 2, 3, 4`;

/** The ended sweeps. The policy ranks their trials, or if it names no ranking, the objective of each sweep does. */
const rankEndedSweeps = async (
  db: Db,
  { attack, metric }: Pick<RetentionPolicy, 'attack' | 'metric'>,
): Promise<readonly RankedSweep[]> => {
  const rankingOf = ({ attacks, dataset, objective }: RowOf<typeof endedColumns>) => {
    if (attack !== undefined || metric !== undefined) {
      const runs = expandAttacks(attacks, { budgets: budgetsOfChoice(dataset) });
      return { attack, metric: metric ?? usualMetricAmong(runs, attack) };
    }
    const usual = objectiveOf({ attacks, dataset, objective: objective ?? undefined });
    return { attack: usual.run?.attack, metric: usual.metric };
  };
  return (await reading(db).query(endedColumns, selectEnded)).flatMap((sweeps) => {
    const ranking = rankingOf(sweeps);
    return sweeps.ids.map((sweep) => ({ sweep, attack: ranking.attack ?? '', metric: ranking.metric }));
  });
};

/**
 * Refuses a policy with an unknown sweep: the name is probably misspelt, and the intended sweep would lose its checkpoints. Errors:
 * INVALID_REQUEST.
 */
const refuseUnknownSweeps = async (db: Db, names: readonly string[]): Promise<void> => {
  if (names.length === 0) return;
  const unknown = await reading(db).query(
    { name: text(), index: int4() },
    `SELECT n.name, n.number::int - 1 AS index FROM unnest($1::text[]) WITH ORDINALITY AS n (name, number)
     WHERE NOT EXISTS (SELECT FROM sweeps w WHERE w.id = n.name OR w.name = n.name) ORDER BY n.number`,
    [names],
  );
  const [first] = unknown;
  if (!first) return;
  const expected = 'the id or the whole name of a sweep';
  throw new AppError('INVALID_REQUEST', `Expected ${expected}, but there is none called ${first.name}`, {
    issues: unknown.map(({ name, index }) => ({
      path: `keepSweeps[${index}]`,
      expected,
      received: JSON.stringify(name),
    })),
  });
};

/**
 * $1: days to keep. $2: how many best trials to keep. $3–$5: ended sweeps, with the attack ('' for the worst case) and the metric that rank
 * each. $6: sweeps to keep, by id or name. A sweep that ended after $3–$5 were read keeps everything.
 *
 * A trial is given up when its sweep ended more than $1 days ago, $6 does not name the sweep, and the trial is not among the best of the
 * sweep. A stage is needed when a live sweep or a kept trial has it, or when a retry of a failed stage would start from it.
 */
const decisions = `
  ended AS (
    SELECT w.id, r.attack, r.metric FROM sweeps w JOIN unnest($3::text[], $4::text[], $5::text[]) AS r (id, attack, metric) ON r.id = w.id
    WHERE w.status NOT IN ('running', 'paused') AND w.finished_at <= now() - make_interval(secs => $1::float8 * 86400)
      AND w.id <> ALL($6) AND w.name <> ALL($6)
  ), ranked AS (
    SELECT t.id, row_number() OVER (PARTITION BY t.sweep_id ORDER BY bool_or(s.below), max(s.utility) DESC NULLS LAST, t.id) AS rank
    FROM ended w JOIN trials t ON t.sweep_id = w.id JOIN scores s ON s.trial_id = t.id AND s.attack = w.attack AND s.metric = w.metric GROUP BY t.id
  ), given_up AS MATERIALIZED (
    SELECT t.id, t.sweep_id FROM ended w JOIN trials t ON t.sweep_id = w.id
    WHERE t.id NOT IN (SELECT id FROM ranked WHERE rank <= $2)
  ), retried AS (
    SELECT DISTINCT unnest(f.surrogates || f.parent || f.depends_on) AS id FROM stages f
    WHERE (f.status = 'failed' OR f.skip_cause = 'failed') AND EXISTS (
      SELECT FROM sweep_stages l JOIN sweeps w ON w.id = l.sweep_id WHERE l.stage_id = f.id AND w.status <> 'cancelled')
  ), live AS (
    SELECT DISTINCT l.stage_id AS id FROM sweeps w JOIN sweep_stages l ON l.sweep_id = w.id WHERE w.status IN ('running', 'paused')
  )`;

/**
 * The checkpoints to delete. A chain with an unfinished stage keeps all of its checkpoints. When no trial is given up, PostgreSQL reads no
 * stages. `only`: a condition on stages `s`.
 */
const superfluous = (only: string) => `
  WITH ${decisions}, held AS (
    SELECT ts.stage_id AS id, bool_or(g.id IS NOT NULL) AS released, bool_or(g.id IS NULL) AS kept
    FROM stages s JOIN trial_stages ts ON ts.stage_id = s.id LEFT JOIN given_up g ON g.id = ts.trial_id
    WHERE s.kind <> 'attack' AND ${only} AND EXISTS (SELECT FROM given_up) GROUP BY 1
  ), considered AS MATERIALIZED (
    SELECT s.chain, s.epochs, coalesce(h.released, false) AS released,
      coalesce(h.kept, false) OR live.id IS NOT NULL OR retried.id IS NOT NULL AS needed,
      s.status IN ('waiting', 'ready', 'running') AS unfinished
    FROM stages s LEFT JOIN held h ON h.id = s.id LEFT JOIN live ON live.id = s.id LEFT JOIN retried ON retried.id = s.id
    WHERE s.kind <> 'attack' AND ${only} AND EXISTS (SELECT FROM given_up)
  ), concerned AS (
    SELECT chain FROM considered GROUP BY chain HAVING bool_or(released AND NOT needed) AND NOT bool_or(unfinished)
  ), superfluous AS (
    SELECT p.chain_id, p.epoch, p.step, c.hash AS chain
    FROM concerned k JOIN chains c ON c.hash = k.chain JOIN checkpoints p ON p.chain_id = c.id
    WHERE p.step > 0 OR NOT EXISTS (SELECT FROM considered s WHERE s.chain = k.chain AND s.epochs = p.epoch AND s.needed)
  )`;

/** Counts the rows to delete. $7: whether to list the chains, too. */
const survey = `${superfluous('true')}, released AS (
    SELECT b.sha256, count(*) AS refs FROM superfluous p JOIN checkpoint_blobs b USING (chain_id, epoch, step) GROUP BY 1
  ), freed AS (
    SELECT b.sha256, octet_length(b.bytes) AS size
    FROM released r JOIN (SELECT sha256, count(*) AS refs FROM checkpoint_blobs WHERE EXISTS (SELECT FROM superfluous) GROUP BY 1) AS held USING (sha256, refs)
    JOIN blobs b USING (sha256)
  )
  SELECT (SELECT count(*) FROM given_up)::int AS trials, (SELECT count(*) FROM superfluous)::int AS checkpoints,
    (SELECT count(*) FROM freed)::int AS blobs, (SELECT coalesce(sum(size), 0) FROM freed)::float8 AS bytes,
    CASE WHEN $7::boolean THEN ARRAY(SELECT DISTINCT chain FROM superfluous ORDER BY 1) ELSE '{}' END AS chains,
    (SELECT coalesce(jsonb_agg(jsonb_build_object('id', w.id, 'name', w.name, 'trials', g.trials, 'kept', g.kept) ORDER BY w.id), '[]')
     FROM (SELECT t.sweep_id, count(*) FILTER (WHERE t.id IN (SELECT id FROM given_up)) AS trials,
             count(*) FILTER (WHERE t.id NOT IN (SELECT id FROM given_up)) AS kept
           FROM trials t WHERE t.sweep_id IN (SELECT sweep_id FROM given_up) GROUP BY 1) AS g
     JOIN sweeps w ON w.id = g.sweep_id) AS sweeps`;

const surveyColumns = {
  trials: int4(),
  checkpoints: int4(),
  blobs: int4(),
  bytes: float8(),
  chains: texts(),
  sweeps: jsonb<Collection['sweeps']>(),
};

type Request = { readonly policy: RetentionPolicy; readonly ended: readonly RankedSweep[] };

const parametersOf = ({ policy: { keepDays, keepBest, keepSweeps }, ended }: Request) => [
  keepDays,
  keepBest,
  ended.map(({ sweep }) => sweep),
  ended.map(({ attack }) => attack),
  ended.map(({ metric }) => metric),
  keepSweeps,
];

/** The statement joins all stages, trials and checkpoints. With enough memory for the joins it takes half the time. */
const takeSurvey = (db: Db, request: Request, dryRun: boolean) =>
  transaction(db, async (tx) => {
    await tx.run("SET LOCAL work_mem = '128MB'");
    const [found] = await tx.query(surveyColumns, survey, [...parametersOf(request), !dryRun]);
    return found!;
  });

/** Deletes the checkpoints, and empties `checkpoint` of their stages: the next sweep that needs such a stage trains it. $7: chains. */
const remove = `${superfluous('s.chain = ANY($7)')}, emptied AS (
    UPDATE stages s SET checkpoint = NULL FROM superfluous p WHERE s.chain = p.chain AND s.epochs = p.epoch AND p.step = 0
  ), released AS (
    DELETE FROM checkpoint_blobs b USING superfluous p
    WHERE b.chain_id = p.chain_id AND b.epoch = p.epoch AND b.step = p.step RETURNING b.sha256
  ), removed AS (
    DELETE FROM checkpoints c USING superfluous p WHERE c.chain_id = p.chain_id AND c.epoch = p.epoch AND c.step = p.step
  )
  SELECT DISTINCT sha256 FROM released`;

/** Chains per transaction: so few that nobody waits long for the lock. */
const batch = 100;

/** Decides again under the lock, because a submission after the survey may need some of the checkpoints. */
const removeBatch = async (tx: Tx, request: Request, chains: readonly string[]): Promise<void> => {
  await lockStructure(tx);
  const rows = await tx.query({ sha256: text() }, remove, [...parametersOf(request), chains]);
  const hashes = rows.map((row) => row.sha256);
  await countBytes(tx, await dropUnused(tx, hashes));
};

export type CollectOptions = {
  /** Only report what a run would delete. */
  readonly dryRun: boolean;
  /** After this time no further batch begins, and `done` is false in the result. (Default: no limit) */
  readonly timeoutMs?: number;
};

/**
 * Deletes superfluous checkpoints, or with `dryRun` only counts them. Resolves to the counts. Errors: INVALID_REQUEST when the policy names
 * an unknown sweep.
 */
export const collectGarbage = async (
  db: Db,
  policy: RetentionPolicy,
  { dryRun, timeoutMs = Number.POSITIVE_INFINITY }: CollectOptions,
): Promise<Collection> => {
  await refuseUnknownSweeps(db, policy.keepSweeps);
  const end = performance.now() + timeoutMs;
  const request = { policy, ended: await rankEndedSweeps(db, policy) };
  const { chains, ...found } = await takeSurvey(db, request, dryRun);
  const sets = { decisions, parameters: parametersOf(request) };
  const unused = await findSuperfluous(reading(db), sets);
  const collection = { ...found, datasets: unused.datasets, bytes: found.bytes + unused.bytes };
  if (dryRun) return { ...collection, done: true };
  const { sweeps, ...counts } = collection;
  let next = 0;
  do {
    await transaction(db, async (tx) => {
      // One entry says what the whole call is about to delete.
      if (next === 0)
        await tx.audit({ action: 'collectGarbage', subject: null, details: { policy, ...counts } });
      await removeBatch(tx, request, chains.slice(next, next + batch));
    });
    next += batch;
  } while (next < chains.length && performance.now() < end);
  if (next >= chains.length) await transaction(db, (tx) => dropSuperfluous(tx, unused, sets));
  return { ...collection, done: next >= chains.length };
};
