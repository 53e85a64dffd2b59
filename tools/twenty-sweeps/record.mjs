/**
 * Runs the twenty sweeps on a Funnel that is already there, one after the other, and writes down all that must stay the same from version to
 * version: plans, identities of stages, hashes of checkpoints, leaderboards. Uses only HTTP, so that it runs against any version.
 *
 *   node tools/twenty-sweeps/record.mjs --url http://127.0.0.1:7070 --out now.json.gz --expect tools/twenty-sweeps/expected.json.gz
 *
 * The database must be empty; otherwise a plan finds stages that are done already. `expected.json.gz` is the record of version 0.1.0 on wasm.
 * With --expect, the script prints the first differences and exits with 1 when anything differs.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import { readArguments, refuseArguments } from '../../infra/bootstrap/usage.mjs';
import { sweeps } from './sweeps.mjs';

const usage = `node tools/twenty-sweeps/record.mjs --url ADDRESS --out FILE [--expect FILE]
  Runs the twenty sweeps on the empty Funnel at ADDRESS and writes a record of them, such as now.json.gz. With --expect, prints the first
  differences from an earlier record, and ends with 1 when there is one.`;

const { values } = readArguments(usage, {
  options: { url: { type: 'string' }, out: { type: 'string' }, expect: { type: 'string' } },
});
if (!values.url || !values.out)
  refuseArguments('Expected --url and --out, such as --url http://127.0.0.1:7070 --out now.json.gz', usage);

const call = async (path, body) => {
  const answer = await fetch(`${values.url}${path}`, {
    ...(body && {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${text}`);
  return JSON.parse(text);
};

const all = async (path) => {
  const items = [];
  for (let next = ''; next !== null; ) {
    const page = await call(
      `${path}${path.includes('?') ? '&' : '?'}limit=200${next && `&cursor=${encodeURIComponent(next)}`}`,
    );
    items.push(...page.items);
    next = page.next;
  }
  return items;
};

/** Earlier names of fields. The record of an earlier version gets the new names. */
const renamed = new Map([
  ['knob', 'hyperparameter'],
  ['after', 'dependsOn'],
  ['leaseEpoch', 'fencingToken'],
]);
const withNewNames = (value) => {
  if (Array.isArray(value)) return value.map(withNewNames);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [renamed.get(name) ?? name, withNewNames(member)]),
  );
};

/** Ids of sweeps and trials contain the time of the submission. The record has the sweep's name in their place. */
const stable = (id, name) => (value) => JSON.parse(JSON.stringify(value).replaceAll(id, name));

/** Leaves out the reasons of a verdict, whose wording may change. */
const withoutWords = (rows) => rows.map(({ reasons, ...row }) => row);

const ended = async (id) => {
  for (;;) {
    const sweep = await call(`/v1/sweeps/${id}`);
    if (sweep.status === 'completed') return sweep;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
};

/** The fields that describe a stage and its result. The others say when and where it ran. */
const stageFields = [
  ...['id', 'chain', 'kind', 'recipe', 'status', 'hyperparameters', 'seed', 'epochs', 'startEpoch'],
  ...['parent', 'dependsOn', 'attack', 'surrogates', 'checkpoint'],
];

const record = async (definition) => {
  const plan = await call('/v1/sweeps/plan', definition);
  const { id } = await call('/v1/sweeps', definition);
  const sweep = await ended(id);
  const stages = (await all(`/v1/sweeps/${id}/stages`)).map(withNewNames);
  const trials = await all(`/v1/sweeps/${id}/trials`);
  const { attack, metric } = definition.objective ?? {};
  const query = new URLSearchParams({ sweep: id, ...(attack && { attack, metric }) });
  return stable(
    id,
    definition.name,
  )({
    name: definition.name,
    plan: withNewNames(plan),
    planAtSubmission: withNewNames(sweep.plan),
    definition: sweep.definition,
    stages: stages.map((stage) => Object.fromEntries(stageFields.map((field) => [field, stage[field]]))),
    trials: trials.map(({ createdAt, finishedAt, ...trial }) => trial),
    leaderboard: withoutWords(await all(`/v1/leaderboard?${query}`)),
    configurations: withoutWords(await all(`/v1/leaderboard?${query}&group=configuration`)),
  });
};

/** Paths at which two records differ, with both values. */
const differences = (before, now, path = '') => {
  if (Object.is(before, now)) return [];
  if (typeof before !== 'object' || typeof now !== 'object' || before === null || now === null)
    return [`${path}: ${JSON.stringify(before)} → ${JSON.stringify(now)}`];
  const names = new Set([...Object.keys(before), ...Object.keys(now)]);
  return [...names].flatMap((name) => differences(before[name], now[name], `${path}/${name}`));
};

/**
 * Leaves out what follows from the verdicts of trials, whose rule migration 0022 changed, and what rows say since then. The verdicts of evaluations and
 * all values stay.
 */
const comparable = (record) => {
  const row = ({ rank, verdict, interval, counts, letters, cleanInterval, ...rest }) => rest;
  const key = ({ trialId, attack, settings }) => JSON.stringify([trialId, attack, settings]);
  const rows = (list) => list.map(row).sort((a, b) => (key(a) < key(b) ? -1 : 1));
  return {
    ...record,
    trials: record.trials.map(({ verdict, ...trial }) => trial),
    leaderboard: rows(record.leaderboard),
    configurations: rows(record.configurations),
  };
};

const started = Date.now();
const records = [];
for (const [i, definition] of sweeps.entries()) {
  records.push(await record(definition));
  console.error(
    `${i + 1} of ${sweeps.length}: ${definition.name} (${Math.round((Date.now() - started) / 1000)} s)`,
  );
}
writeFileSync(values.out, gzipSync(`${JSON.stringify(records, null, 1)}\n`));
const stages = new Map(records.flatMap((entry) => entry.stages.map((stage) => [stage.id, stage])));
const checkpoints = new Set([...stages.values()].map(({ checkpoint }) => checkpoint).filter(Boolean));
console.error(
  `${records.length} sweeps, ${stages.size} stages, ${checkpoints.size} checkpoints, ${records.reduce((sum, { leaderboard }) => sum + leaderboard.length, 0)} rows of leaderboards`,
);
if (values.expect) {
  const expected = JSON.parse(gunzipSync(readFileSync(values.expect)).toString());
  const found = differences(expected.map(comparable), records.map(comparable));
  for (const line of found.slice(0, 20)) console.error(line);
  console.error(found.length === 0 ? 'Nothing differs.' : `${found.length} values differ.`);
  process.exitCode = found.length === 0 ? 0 : 1;
}
