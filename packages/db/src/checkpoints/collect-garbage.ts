import {
  AppError,
  type Collection,
  objectiveOf,
  type RetentionPolicy,
  type SweepDefinition,
  usualMetricOf,
} from '@funnel/contracts';
import type { Db } from '../connection/db.ts';
import { reading, type Tx, transaction } from '../connection/transaction.ts';
import { lockStructure } from '../lifecycle/accounts.ts';
import { dropUnused } from './checkpoints.ts';

/** An empty attack is the worst case. */
export type EndedSweep = { readonly sweep: string; readonly attack: string; readonly metric: string };

/** Sweeps that may ask the same question: those of the same attacks. */
type Alike = Pick<SweepDefinition, 'attacks' | 'dataset'> & {
  readonly ids: readonly string[];
  readonly objective: SweepDefinition['objective'] | null;
};

const alike = `
  SELECT array_agg(id) AS ids, definition -> 'attacks' AS attacks, definition -> 'dataset' AS dataset, definition -> 'objective' AS objective
  FROM sweeps WHERE status IN ('completed', 'cancelled') GROUP BY 2, 3, 4`;

/** And what is best in each: as asked, or else as the sweep itself is ranked. */
export const endedSweeps = async (
  db: Db,
  { attack, metric }: Pick<RetentionPolicy, 'attack' | 'metric'>,
): Promise<readonly EndedSweep[]> => {
  const rankingOf = ({ attacks, dataset, objective }: Alike) => {
    if (attack !== undefined || metric !== undefined)
      return { attack, metric: metric ?? usualMetricOf(attack) };
    const own = objectiveOf({ attacks, dataset, objective: objective ?? undefined });
    return { attack: own.run?.attack, metric: own.metric };
  };
  return (await reading(db).query<Alike>(alike)).flatMap((sweeps) => {
    const by = rankingOf(sweeps);
    return sweeps.ids.map((sweep) => ({ sweep, attack: by.attack ?? '', metric: by.metric }));
  });
};

/** A policy that keeps a sweep which is not there was misspelt, and what it meant to keep would go. Errors: INVALID_REQUEST. */
export const refuseUnknownSweeps = async (db: Db, names: readonly string[]): Promise<void> => {
  if (names.length === 0) return;
  const unknown = `SELECT n.name, n.place::int - 1 AS place FROM unnest($1::text[]) WITH ORDINALITY AS n (name, place)
     WHERE NOT EXISTS (SELECT FROM sweeps w WHERE w.id = n.name OR w.name = n.name) ORDER BY n.place`;
  const rows = await transaction(db, (tx) => tx.query<{ name: string; place: number }>(unknown, [names]));
  const [first] = rows;
  if (!first) return;
  const expected = 'the id or the whole name of a sweep';
  throw new AppError('INVALID_REQUEST', `Expected ${expected}, but there is none called ${first.name}`, {
    issues: rows.map(({ name, place }) => ({
      path: `keepSweeps[${place}]`,
      expected,
      received: JSON.stringify(name),
    })),
  });
};

/**
 * Frees the room of checkpoints that no kept trial needs. Results stay: metrics, evaluations, scores, statuses. A sweep that needs a
 * collected state again trains it again.
 */

/**
 * $1 days, $2 best, $3–$5 sweeps, and by which attack ('' for the worst case) and metric each is ranked, $6 kept sweeps by id or name.
 * A sweep that ended since these were read is not looked at.
 *
 * A trial is given up when its sweep has ended, long enough ago, is not named, and it is not among its best. A stage is needed when a
 * trial that is not given up or a live sweep has it, or when a failed stage would be tried again from it.
 */
const decided = `
  ended AS (
    SELECT w.id, r.attack, r.metric FROM sweeps w JOIN unnest($3::text[], $4::text[], $5::text[]) AS r (id, attack, metric) ON r.id = w.id
    WHERE w.status IN ('completed', 'cancelled') AND w.finished_at <= now() - make_interval(secs => $1::float8 * 86400)
      AND w.id <> ALL($6) AND w.name <> ALL($6)
  ), ranked AS (
    SELECT t.id, row_number() OVER (PARTITION BY t.sweep_id ORDER BY bool_or(s.masked), max(s.utility) DESC NULLS LAST, t.id) AS place
    FROM ended w JOIN trials t ON t.sweep_id = w.id JOIN scores s ON s.trial_id = t.id AND s.attack = w.attack AND s.metric = w.metric GROUP BY t.id
  ), given_up AS MATERIALIZED (
    SELECT t.id, t.sweep_id FROM ended w JOIN trials t ON t.sweep_id = w.id
    WHERE t.id NOT IN (SELECT id FROM ranked WHERE place <= $2)
  ), tried_again AS (
    SELECT DISTINCT unnest(f.surrogates || f.parent || f.depends_on) AS id FROM stages f
    WHERE (f.status = 'failed' OR f.skip_cause = 'failed') AND EXISTS (
      SELECT FROM sweep_stages l JOIN sweeps w ON w.id = l.sweep_id WHERE l.stage_id = f.id AND w.status <> 'cancelled')
  ), live AS (
    SELECT DISTINCT l.stage_id AS id FROM sweeps w JOIN sweep_stages l ON l.sweep_id = w.id WHERE w.status IN ('running', 'paused')
  )`;

/** A chain on which anything is unfinished is left alone; where no trial is given up, nobody looks. `only`: a condition on stages `s`. */
const superfluous = (only: string) => `
  WITH ${decided}, held AS (
    SELECT ts.stage_id AS id, bool_or(g.id IS NOT NULL) AS released, bool_or(g.id IS NULL) AS kept
    FROM stages s JOIN trial_stages ts ON ts.stage_id = s.id LEFT JOIN given_up g ON g.id = ts.trial_id
    WHERE s.kind <> 'attack' AND ${only} AND EXISTS (SELECT FROM given_up) GROUP BY 1
  ), considered AS MATERIALIZED (
    SELECT s.chain, s.epochs, coalesce(h.released, false) AS released,
      coalesce(h.kept, false) OR live.id IS NOT NULL OR tried_again.id IS NOT NULL AS needed,
      s.status IN ('waiting', 'ready', 'running') AS unfinished
    FROM stages s LEFT JOIN held h ON h.id = s.id LEFT JOIN live ON live.id = s.id LEFT JOIN tried_again ON tried_again.id = s.id
    WHERE s.kind <> 'attack' AND ${only} AND EXISTS (SELECT FROM given_up)
  ), concerned AS (
    SELECT chain FROM considered GROUP BY chain HAVING bool_or(released AND NOT needed) AND NOT bool_or(unfinished)
  ), superfluous AS (
    SELECT p.chain_id, p.epoch, p.step, c.hash AS chain
    FROM concerned k JOIN chains c ON c.hash = k.chain JOIN checkpoints p ON p.chain_id = c.id
    WHERE p.step > 0 OR NOT EXISTS (SELECT FROM considered s WHERE s.chain = k.chain AND s.epochs = p.epoch AND s.needed)
  )`;

/** $7: whether the chains are wanted, too. */
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

type Asked = { readonly policy: RetentionPolicy; readonly ended: readonly EndedSweep[] };

const parametersOf = ({ policy: { keepDays, keepBest, keepSweeps }, ended }: Asked) => [
  keepDays,
  keepBest,
  ended.map(({ sweep }) => sweep),
  ended.map(({ attack }) => attack),
  ended.map(({ metric }) => metric),
  keepSweeps,
];

type Survey = Omit<Collection, 'done'> & { readonly chains: readonly string[] };

/** The whole of the stages, trials and checkpoints is joined: with room for it in memory, in half the time. */
const look = (db: Db, asked: Asked, dryRun: boolean): Promise<Survey> =>
  transaction(db, async (tx) => {
    await tx.query("SET LOCAL work_mem = '128MB'");
    const [found] = await tx.query<Survey>(survey, [...parametersOf(asked), !dryRun]);
    return found!;
  });

/** A collected stage has no checkpoint: the next sweep that needs it finds it missing, and trains it. */
const remove = `${superfluous('s.chain = ANY($7)')}, emptied AS (
    UPDATE stages s SET checkpoint = NULL FROM superfluous p WHERE s.chain = p.chain AND s.epochs = p.epoch AND p.step = 0
  ), released AS (
    DELETE FROM checkpoint_blobs b USING superfluous p
    WHERE b.chain_id = p.chain_id AND b.epoch = p.epoch AND b.step = p.step RETURNING b.sha256
  ), removed AS (
    DELETE FROM checkpoints c USING superfluous p WHERE c.chain_id = p.chain_id AND c.epoch = p.epoch AND c.step = p.step
  )
  SELECT DISTINCT sha256 FROM released`;

/** Chains per transaction: short enough that nobody waits long for the lock. */
const batch = 100;

/** Looks again under the lock: what a submission has come to need since the survey is kept. */
const removeBatch = async (tx: Tx, asked: Asked, chains: readonly string[]): Promise<void> => {
  await lockStructure(tx);
  const rows = await tx.query<{ sha256: string }>(remove, [...parametersOf(asked), chains]);
  await dropUnused(
    tx,
    rows.map((row) => row.sha256),
  );
};

export type CollectOptions = {
  /** Only say what would go. */
  readonly dryRun: boolean;
  /** After so many milliseconds no further batch is begun, and the answer is not `done`. (Default: no limit) */
  readonly patience?: number;
};

/** What went, or with `dryRun` would go. Errors: INVALID_REQUEST where a sweep to keep is not there. */
export const collectGarbage = async (
  db: Db,
  policy: RetentionPolicy,
  { dryRun, patience = Number.POSITIVE_INFINITY }: CollectOptions,
): Promise<Collection> => {
  await refuseUnknownSweeps(db, policy.keepSweeps);
  const end = performance.now() + patience;
  const asked = { policy, ended: await endedSweeps(db, policy) };
  const { chains, ...collection } = await look(db, asked, dryRun);
  if (dryRun) return { ...collection, done: true };
  let next = 0;
  for (; next < chains.length && (next === 0 || performance.now() < end); next += batch)
    await transaction(db, (tx) => removeBatch(tx, asked, chains.slice(next, next + batch)));
  return { ...collection, done: next >= chains.length };
};
