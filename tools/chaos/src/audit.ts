/** The tables against what they must hold: every stage exactly one result, the expected one; no number lost, doubled or changed. */
import { createHash } from 'node:crypto';
import { type CheckpointManifest, canonicalJson, type EvaluationSummary } from '@funnel/contracts';
import type { Db } from '@funnel/db';
import { atAnyTime, atRest, one, rows, violations } from './consistency.ts';
import { networksOf, type Results } from './expected.ts';

export type Audit = {
  readonly findings: readonly string[];
  readonly counts: Readonly<Record<string, number>>;
  /** sha-256 of all results in the tables, and of all that were expected: the same networks, numbers and evaluations, or not. */
  readonly digest: string;
  readonly referenceDigest: string;
};

export const digestOf = (results: Results): string =>
  createHash('sha256')
    .update(canonicalJson(Object.values(results).map((table) => [...table].sort())))
    .digest('hex');

/** Differences between two tables of the same kind, each with an example. `part`: not all that was expected must be there. */
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

/** `part`: what was found is only a part of what was expected, as when sweeps were cancelled or deleted. (Default: all of it) */
export const compareResults = (expected: Results, found: Results, { part = false } = {}): string[] => [
  ...compare('checkpoints', expected.networks, found.networks, part),
  ...compare('metrics', expected.metrics, found.metrics, part),
  ...compare('evaluations', expected.evaluations, found.evaluations, part),
];

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
