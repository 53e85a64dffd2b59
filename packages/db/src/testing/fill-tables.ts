/**
 * Fills the tables with the rows of long use, for load tests that need a hundred thousand trials. PostgreSQL itself makes the rows, which
 * is fast. Counts, links, scores and hyperparameters agree with the rows, as after real operations.
 */
import pg from 'pg';

export type Filling = {
  readonly sweeps: number;
  /** Trials of each sweep; five of them are the seeds of one configuration. */
  readonly trialsPerSweep: number;
  /** Epochs of the optimise stage of each trial; each epoch has three metrics. */
  readonly epochs: number;
};

const hyperparameters = `jsonb_build_object('filters', '32-64', 'latent', 64, 'noise', 16, 'initializer', 'glorotUniform', 'batchSize', 128,
  'lossScale', 'mse', 'initialiseEpochs', 9, 'initialiseAttackerRate', 0.001, 'initialiseDefenderRate', 0.0005, 'defenderInput', 'attacked',
  'optimiseAttackerRate', 1e-5, 'optimiseDefenderRate', 1e-5, 'betaUnit', 'loss', 'penalty', 'constraint', 'hinge', 'batch',
  'classifierEpochs', 3, 'classifierRate', 0.001, 'classifierUnits', 64)`;

const definition = (
  sweep: string,
) => `jsonb_build_object('name', 'Load ' || ${sweep}, 'description', '', 'recipes', '["funn"]'::jsonb,
  'dataset', '{"name": "mnist", "train": 60000, "test": 10000, "attack": 1000}'::jsonb, 'space', '{}'::jsonb,
  'search', '{"strategy": "grid"}'::jsonb, 'seeds', '[0, 1, 2, 3, 4]'::jsonb, 'attacks', '[{"attack": "gradient", "settings": {}}]'::jsonb, 'priority', 50)`;

const hash = (text: string) => `encode(sha256(convert_to(${text}, 'UTF8')), 'hex')`;

const summary = `jsonb_build_object('images', 1000, 'attempted', 990, 'cleanAccuracy', 0.99, 'cleanInterval', '[0.98, 1]'::jsonb, 'successes', 495,
  'successRate', 0.5, 'successInterval', '[0.4, 0.6]'::jsonb, 'robustAccuracy', 0.495, 'robustInterval', '[0.4, 0.6]'::jsonb,
  'noiseLevel', 1, 'noiseLevelAll', 1, 'meanSquaredError', 0.1, 'medianL2Success', 1, 'medianL2', 1, 'medianLinf', 1, 'medianL0', 3,
  'meanQueries', 1, 'meanSteps', 1)`;

/** The statements in their order. The temporary table `fill` has a row per stage of each trial. */
const statements = ({ sweeps, trialsPerSweep, epochs }: Filling): readonly string[] => {
  const plan = `jsonb_build_object('trials', ${trialsPerSweep}, 'stages', jsonb_build_object(
      'initialise', '{"total": 1, "cached": 0}'::jsonb, 'optimise', jsonb_build_object('total', ${trialsPerSweep}, 'cached', 0),
      'classify', jsonb_build_object('total', ${trialsPerSweep}, 'cached', 0), 'attack', jsonb_build_object('total', ${trialsPerSweep}, 'cached', 0)),
    'epochs', jsonb_build_object('unshared', ${trialsPerSweep * (epochs + 12)}, 'needed', ${trialsPerSweep * (epochs + 3) + 9}, 'cached', 0), 'sharing', 1)`;
  return [
    `SET work_mem = '256MB'`, // one statement sorts ten million rows
    `INSERT INTO sweeps (id, name, definition, plan, priority, status, started_at, finished_at)
     SELECT 'f' || lpad(to_hex(w), 15, '0'), 'Load ' || w, ${definition('w')}, ${plan}, 50, 'completed', now(), now() FROM generate_series(1, ${sweeps}) AS w`,
    `INSERT INTO trials (id, sweep_id, number, recipe, dataset, seed, hyperparameters, configuration, configuration_index, status, clean_accuracy, verdict, finished_at)
     SELECT w.id || '-' || lpad(n::text, 5, '0'), w.id, n, 'funn', 'mnist', n % 5,
       ${hyperparameters} || jsonb_build_object('optimiseEpochs', ${epochs}, 'gamma', n / 5 % 100, 'beta', (n / 500) * 0.001),
       ${hash("w.id || ' ' || (n / 5)")}, n / 5, 'completed', 0.9 + random() / 10, CASE WHEN n % 13 = 0 THEN 'masked' ELSE 'ok' END, now()
     FROM sweeps w, generate_series(0, ${trialsPerSweep - 1}) AS n WHERE w.id LIKE 'f0%'`,
    `INSERT INTO sweep_hyperparameters (sweep_id, hyperparameter, number, word)
     SELECT t.sweep_id, k.key, CASE jsonb_typeof(k.value) WHEN 'number' THEN k.value::float8 END, CASE jsonb_typeof(k.value) WHEN 'string' THEN k.value #>> '{}' END
     FROM trials t, jsonb_each(t.hyperparameters - 'gamma' - 'beta' || '{"recipe": "funn", "dataset": "mnist"}') AS k WHERE t.number = 0 AND t.sweep_id LIKE 'f0%'`,
    `INSERT INTO configuration_hyperparameters (sweep_id, configuration_index, hyperparameter, number)
     SELECT t.sweep_id, t.configuration_index, k, (t.hyperparameters ->> k)::float8 FROM trials t, unnest(ARRAY['gamma', 'beta']) AS k
     WHERE t.sweep_id LIKE 'f0%' AND t.seed = 0`,
    `CREATE TEMP TABLE fill AS
     SELECT t.id AS trial, t.sweep_id AS sweep, t.number, k.kind, k.ordinal, k.epochs,
       ${hash('CASE k.ordinal WHEN 0 THEN t.sweep_id ELSE t.id END || k.kind')} AS stage
     FROM trials t, (VALUES ('initialise', 0, 9), ('optimise', 1, ${epochs}), ('classify', 2, 3), ('attack', 3, 0)) AS k (kind, ordinal, epochs)
     WHERE t.sweep_id LIKE 'f0%'`,
    `INSERT INTO stages (id, chain, kind, recipe, hyperparameters, seed, dataset, epochs, status, attack, checkpoint, started_at, finished_at)
     SELECT DISTINCT ON (stage) stage, stage, kind, 'funn', '{"gamma": 5, "beta": 0.01}', 0, '{"name": "mnist", "train": 60000, "test": 1, "attack": 1}'::jsonb, epochs, 'completed',
       CASE kind WHEN 'attack' THEN '{"attack": "gradient", "settings": {}}'::jsonb END, CASE WHEN kind <> 'attack' THEN stage END, now(), now() FROM fill ORDER BY stage`,
    `INSERT INTO trial_stages (trial_id, ordinal, stage_id) SELECT trial, ordinal, stage FROM fill ORDER BY trial, ordinal`,
    `INSERT INTO sweep_stages (sweep_id, stage_id, ordinal)
     SELECT sweep, stage, row_number() OVER (PARTITION BY sweep ORDER BY min(number), min(ordinal)) - 1 FROM fill GROUP BY sweep, stage`,
    `INSERT INTO chains (hash) SELECT DISTINCT stage FROM fill WHERE kind <> 'attack'`,
    `INSERT INTO metrics (chain_id, name, epoch, value)
     SELECT c.id, m, e, random() FROM chains c JOIN (SELECT DISTINCT stage, kind, epochs FROM fill) AS s ON s.stage = c.hash,
       unnest(CASE s.kind WHEN 'classify' THEN ARRAY['classifierLoss', 'cleanAccuracy', 'trainAccuracy'] ELSE ARRAY['attackerLoss', 'defenderLoss', 'hingeActive'] END) AS m,
       generate_series(1, s.epochs) AS e ORDER BY c.id, m, e`,
    `INSERT INTO class_counts (chain_id, epoch, images, correct)
     SELECT c.id, e, array_fill(1000, ARRAY[10]), array_fill(950, ARRAY[10])
     FROM chains c JOIN stages s ON s.chain = c.hash AND s.kind = 'classify', generate_series(1, s.epochs) AS e ORDER BY c.id, e`,
    // A tiny checkpoint of the last epoch of each stage; real training also leaves a checkpoint of every earlier epoch.
    `INSERT INTO blobs (sha256, bytes) SELECT ${hash('hash')}, convert_to(hash, 'UTF8') FROM chains`,
    `INSERT INTO checkpoints (chain_id, epoch, step, hash, manifest, continuable)
     SELECT c.id, s.epochs, 0, c.hash, '{}', false FROM chains c JOIN stages s ON s.chain = c.hash`,
    `INSERT INTO checkpoint_blobs (chain_id, epoch, step, sha256)
     SELECT c.id, k.epoch, 0, ${hash('c.hash')} FROM chains c JOIN checkpoints k ON k.chain_id = c.id`,
    `INSERT INTO evaluations (stage_id, attack, settings, summary, verdict, diagnostics, index, label, correct, predicted, success, l2, linf, l0, steps, queries,
       gallery_shape, gallery_index, gallery_original, gallery_attacked)
     SELECT stage, 'gradient', '{}', ${summary}, 'ok', '[]', '{0,1}', '{0,1}', '{t,t}', '{1,1}', '{t,f}', '{1,NULL}', '{1,NULL}', '{3,NULL}', '{1,1}', '{1,1}',
       '{2,2,1}', '{0}', '\\x00010203', '\\x03020100' FROM fill WHERE kind = 'attack'`,
    `INSERT INTO scores (trial_id, stage_id, metric, sweep_id, ordinal, attack, configuration_index, value, utility, below)
     SELECT f.trial, f.stage, m.name, f.sweep, p.ordinal, p.attack, f.number / 5, v.value, v.value * m.sign, f.number % 13 = 0
     FROM fill f, (VALUES (3, 'gradient'), (-1, '')) AS p (ordinal, attack),
       (VALUES ('robustAccuracy', 1), ('successRate', -1), ('medianL2', 1), ('medianLinf', 1), ('noiseLevel', 1), ('cleanAccuracy', 1)) AS m (name, sign),
       LATERAL (SELECT round(random()::numeric, 3)::float8 + 0 * f.number AS value) AS v WHERE f.kind = 'attack'`,
    `INSERT INTO configuration_scores (sweep_id, configuration_index, ordinal, metric, attack, trial_id, utility, deviation, below)
     SELECT sweep_id, configuration_index, ordinal, metric, attack, min(trial_id), round(avg(utility)::numeric, 12)::float8, stddev_samp(utility), bool_or(below)
     FROM scores WHERE sweep_id LIKE 'f0%' GROUP BY 1, 2, 3, 4, 5`,
    `INSERT INTO sweep_counts (sweep_id, slot, subject, count)
     SELECT sweep, 0, 'stage:' || kind || ':completed', count(DISTINCT stage) FROM fill GROUP BY sweep, kind
     UNION ALL SELECT sweep, 0, 'trial:completed', count(DISTINCT trial) FROM fill GROUP BY sweep
     UNION ALL SELECT id, 0, 'trained', (plan #>> '{epochs,needed}')::int FROM sweeps WHERE id LIKE 'f0%'`,
    'DROP TABLE fill',
  ];
};

/** Adds completed sweeps to the migrated, otherwise empty database at `url`: 10 × 10,000 trials × 31 epochs are ten million metrics. */
export const fillTables = async (url: string, filling: Filling): Promise<void> => {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {}); // the current statement also rejects with this error
  await client.connect();
  try {
    for (const statement of statements(filling)) await client.query(statement);
    await client.query('VACUUM ANALYZE');
  } finally {
    await client.end();
  }
};
