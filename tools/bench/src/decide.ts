/** `bench decide`: the time from the end of a unit to the next decision of its search, by the proposer and a private PostgreSQL. */
import { setTimeout as sleep } from 'node:timers/promises';
import { engineVersion, SweepDefinition, storedDefinition } from '@funnel/contracts';
import { createDb, type Db, submitSweep } from '@funnel/db';
import { buildPlan } from '@funnel/planner';
import { beginSearch, startProposer } from '@funnel/proposer';
import { z } from 'zod';
import { readOptions } from './options.ts';
import { untilInterrupted } from './processes.ts';
import { openTables } from './service.ts';
import { median, percentile } from './timing.ts';

export const decideUsage = `decide [--strategy tpe] [--trials 1000] [--json]
  A search of so many trials, one after the other, without training: the milliseconds from the end of a trial until the next one is written, after
  about 10, 100 and 1,000 trials.`;

const Options = z.strictObject({
  strategy: z.enum(['sobol', 'tpe', 'nsga2']).default('tpe'),
  trials: z.coerce.number().pipe(z.int().min(20).max(10_000)).default(1000),
  json: z.boolean().default(false),
});
type Options = z.output<typeof Options>;

/** Decisions before these need no outcome. */
const firstDecisions = 10;
/** Decisions around a count whose times are put together. */
const windowLength = 10;

const definitionOf = ({ strategy, trials }: Options) =>
  storedDefinition(
    SweepDefinition.parse({
      name: 'decide',
      recipes: ['funn', 'classic'],
      dataset: { name: 'glyphs', train: 100, test: 20, attack: 20 },
      space: {
        gamma: { min: 1, max: 100, scale: 'log' },
        beta: { min: 1e-3, max: 1, scale: 'log' },
        latent: { min: 4, max: 64 },
        initialiseDefenderRate: { min: 1e-5, max: 1e-1, scale: 'log' },
      },
      search: { strategy, trials, parallelism: 1 },
      attacks: [{ attack: 'pgd-linf', epsilon: 0.3 }],
      objective: { attack: 'pgd-linf', metric: 'robustAccuracy' },
    }),
  );

const submit = async (db: Db, options: Options): Promise<string> => {
  const definition = definitionOf(options);
  const { outline, search } = await beginSearch(db, definition, engineVersion);
  const { stages } = outline;
  const { sweepId } = await submitSweep(db, {
    definition,
    stages,
    buildPlan: (known) => buildPlan(outline, known),
    search,
  });
  return sweepId;
};

/** Completes every trial of the sweep with a value that its number decides, and marks the search as due. */
const completeTrials = async (db: Db, sweepId: string): Promise<void> => {
  await db.pool.query(
    `INSERT INTO scores (trial_id, stage_id, metric, sweep_id, ordinal, attack, value, utility, configuration_index)
     SELECT t.id, s.id, 'robustAccuracy', t.sweep_id, 0, 'pgd-linf', v.value, v.value, t.configuration_index
     FROM trials t JOIN trial_stages l ON l.trial_id = t.id JOIN stages s ON s.id = l.stage_id AND s.kind = 'attack',
       LATERAL (SELECT (hashtext(t.id) & 1023) / 1024.0 AS value) v
     WHERE t.sweep_id = $1 AND t.status = 'waiting' ON CONFLICT DO NOTHING`,
    [sweepId],
  );
  await db.pool.query(
    "UPDATE trials SET status = 'completed', verdict = 'ok', finished_at = now() WHERE sweep_id = $1 AND status = 'waiting'",
    [sweepId],
  );
  await db.pool.query('UPDATE searches SET marked = marked + 1 WHERE sweep_id = $1', [sweepId]);
};

const countDecisions = async (db: Db, sweepId: string): Promise<number> => {
  const { rows } = await db.pool.query('SELECT count(*) AS n FROM decisions WHERE sweep_id = $1', [sweepId]);
  return Number((rows[0] as { n: unknown }).n);
};

/** Milliseconds between two looks: the resolution of the times. */
const pollMs = 2;
const decisionTimeoutMs = 60_000;

/** Milliseconds until each decision after the first ones. */
const timeDecisions = (options: Options): Promise<readonly number[]> =>
  untilInterrupted(async (onEnd) => {
    const tables = await openTables();
    onEnd(tables.close);
    const db = createDb(await tables.create('decide'), { max: 4 });
    onEnd(() => db.close());
    let fault: unknown;
    const proposer = startProposer(db, {
      engineVersion,
      onError: (error) => {
        fault = error;
      },
    });
    onEnd(() => proposer.close());
    const sweepId = await submit(db, options);
    const until = async (count: number): Promise<number> => {
      const started = performance.now();
      while ((await countDecisions(db, sweepId)) < count) {
        if (fault !== undefined) throw fault;
        if (performance.now() - started > decisionTimeoutMs)
          throw new Error(`Expected decision ${count - 1} within ${decisionTimeoutMs} ms`);
        await sleep(pollMs);
      }
      return performance.now() - started;
    };
    proposer.wake();
    await until(firstDecisions);
    const times: number[] = [];
    for (let count = firstDecisions; count < options.trials; count++) {
      await completeTrials(db, sweepId);
      proposer.wake();
      times.push(await until(count + 1));
    }
    return times;
  });

export const decide = async (args: readonly string[]): Promise<void> => {
  const options = readOptions(Options, args);
  const times = await timeDecisions(options);
  for (const trials of [10, 100, 1000].filter((count) => count <= options.trials)) {
    // The first times include the start of the thread; the last ones end at the last trial.
    const from = Math.min(trials - firstDecisions + 1, times.length - windowLength);
    const window = times.slice(from, from + windowLength);
    const row = { ...options, trials, median: median(window), max: percentile(window, 1) };
    console.log(
      options.json
        ? JSON.stringify(row)
        : `${options.strategy.padEnd(8)} ${String(trials).padStart(5)} trials: median ${row.median.toFixed(1)} ms, greatest ${row.max.toFixed(1)} ms`,
    );
  }
};
