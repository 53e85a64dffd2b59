/** Searches with any number of workers while processes are killed: their decisions must be those of one worker without faults. */
import { createClient } from '@funnel/client';
import { createDb, type Db } from '@funnel/db';
import { compareResults, countOf, readResults } from './audit.ts';
import {
  auditSearches,
  compareDecisions,
  type Decided,
  digestOfDecisions,
  readDecisions,
} from './audit-search.ts';
import type { Results } from './expected.ts';
import { type DrawnFault, type FaultName, injectFaults } from './faults.ts';
import { type Fleet, startFleet } from './fleet.ts';
import { patientClient, submit, untilEnded } from './follow-sweep.ts';
import { createRandom } from './random.ts';
import { caseName, type SearchCase, searchSweep } from './search-sweeps.ts';
import { type Services, withServices } from './services.ts';

export type SearchesOptions = {
  readonly cases: readonly SearchCase[];
  readonly queue: 'postgres' | 'redis';
  readonly workers: number;
  /** Submits half of the configurations, and extends the search when it has ended. */
  readonly extend: boolean;
  /** The attack of one unit of each search may not start for this long; 0: none is delayed. */
  readonly delaySeconds: number;
  /** Of the faults; null: no faults. */
  readonly seed: number | null;
  /** Time of a step of the simulated trainer. */
  readonly stepMilliseconds: number;
  /** Mean time between two faults. */
  readonly pauseSeconds: number;
  /** A run that takes longer fails. */
  readonly limitSeconds: number;
  /** When aborted, the run stops as at its time limit and leaves nothing running. */
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
};

export type SearchesReport = {
  readonly ok: boolean;
  readonly queue: string;
  readonly workers: number;
  readonly seconds: number;
  readonly injected: Readonly<Record<string, number>>;
  readonly restarts: number;
  readonly findings: readonly string[];
  readonly counts: Readonly<Record<string, number>>;
  /** SHA-256 of all decisions. */
  readonly digest: string;
  readonly decided: readonly Decided[];
  readonly results: Results;
};

const leaseSeconds = 3;
const kinds: readonly DrawnFault[] = ['kill worker', 'kill api', 'empty the queue'];

/** The decision whose unit is delayed: the first ones need no outcome, so others overtake it. */
const delayedDecision = 3;

/**
 * The attacks of decision 3 may not start until so many seconds after they became ready. A trigger of the database does this, so that no
 * process can be faster.
 */
const delayUnits = async (db: Db, seconds: number): Promise<void> => {
  await db.pool.query('CREATE TABLE delayed (stage_id text, until timestamptz)');
  await db.pool.query(
    `CREATE FUNCTION delay_unit() RETURNS trigger LANGUAGE plpgsql AS $$
     BEGIN
       IF EXISTS (SELECT FROM trial_stages l JOIN trials t ON t.id = l.trial_id
                  WHERE l.stage_id = NEW.id AND t.configuration_index = ${delayedDecision}) THEN
         NEW.ready_at := now() + make_interval(secs => ${seconds});
         INSERT INTO delayed VALUES (NEW.id, NEW.ready_at);
       END IF;
       RETURN NEW;
     END $$`,
  );
  await db.pool.query(
    `CREATE TRIGGER delay_unit BEFORE UPDATE OF status ON stages FOR EACH ROW
     WHEN (NEW.kind = 'attack' AND OLD.status = 'waiting' AND NEW.status = 'ready') EXECUTE FUNCTION delay_unit()`,
  );
};

/** Findings if no unit was delayed, or if one started too soon. */
const auditDelay = async (db: Db): Promise<readonly string[]> => {
  const delayed = await countOf(db, 'SELECT count(*) AS n FROM delayed');
  const early = await countOf(
    db,
    'SELECT count(*) AS n FROM delayed d JOIN stages s ON s.id = d.stage_id WHERE s.started_at < d.until',
  );
  return [
    ...(delayed > 0 ? [] : ['no unit was delayed']),
    ...(early === 0 ? [] : [`${early} delayed stages that started too soon`]),
  ];
};

/** Repeats until the search has so many configurations: an answer that is lost must not extend it twice. */
const extendTo = async (url: string, id: string, configurations: number): Promise<void> => {
  const [patient, once] = [patientClient(url), createClient({ url, retries: 0 })];
  for (;;) {
    const missing = configurations - (await patient.getSearch({ params: { id } })).configurations;
    if (missing <= 0) return;
    await once.extendSearch({ params: { id }, body: { trials: missing } }).catch(() => {}); // `missing` says whether it was done
  }
};

/** Submits a search and waits for its end. Resolves to false at the time limit. */
const runSearch = async (fleet: Fleet, id: string, searchCase: SearchCase, options: SearchesOptions) => {
  if (!(await untilEnded(fleet.url, id, options, () => {}))) return false;
  if (!options.extend) return true;
  options.log(`${caseName(searchCase)}: extended`);
  await extendTo(fleet.url, id, searchCase.configurations);
  return untilEnded(fleet.url, id, options, () => {});
};

const firstHalf = (searchCase: SearchCase): SearchCase => ({
  ...searchCase,
  configurations: Math.ceil(searchCase.configurations / 2),
});

/** Submits every search, runs them side by side while faults are injected, and reads their decisions. */
const runAll = async (services: Services, fleet: Fleet, options: SearchesOptions) => {
  const { cases, extend, seed, pauseSeconds, log } = options;
  const started = Date.now();
  const elapsed = (): string => `${((Date.now() - started) / 1000).toFixed(1)} s`;
  const ids: string[] = [];
  for (const each of cases)
    ids.push(await submit(fleet.url, searchSweep(extend ? firstHalf(each) : each), caseName(each)));
  const end = new AbortController();
  const injecting =
    seed === null
      ? null
      : injectFaults(
          { ...services, fleet, leaseSeconds, random: createRandom(seed) },
          { signal: end.signal, pauseSeconds, postgresEvery: 0, seed, kinds },
          (name: FaultName) => log(`${elapsed()}  ${name}`),
        );
  const ended = await Promise.all(
    cases.map(async (each, i) => {
      const isEnded = await runSearch(fleet, ids[i]!, each, options);
      log(`${elapsed()}  ${caseName(each)} ${isEnded ? 'ended' : 'DID NOT END'}`);
      return isEnded;
    }),
  ).finally(() => end.abort());
  const injected = await injecting;
  const client = patientClient(fleet.url);
  const decided: Decided[] = [];
  for (const [i, searchCase] of cases.entries())
    decided.push({ searchCase, decisions: ended[i] ? await readDecisions(client, ids[i]!) : [] });
  const late = cases.filter((_, i) => !ended[i]).map(caseName);
  return {
    decided,
    injected: injected?.counts ?? {},
    seconds: Math.round((Date.now() - started) / 100) / 10,
    findings: [
      ...late.map((name) => `${name} did not end within ${options.limitSeconds} s`),
      ...(injected && injected.missing.length > 0 ? [`not injected: ${injected.missing.join(', ')}`] : []),
    ],
  };
};

/** `expected`: the run of one worker without faults; null for this run itself. Keeps its folder where a check fails. */
export const runSearches = (
  options: SearchesOptions,
  expected: Pick<SearchesReport, 'decided' | 'results'> | null,
): Promise<SearchesReport> => {
  const { queue, workers, stepMilliseconds, delaySeconds, signal, log } = options;
  return withServices({ name: 'searches', queue, log }, async (services) => {
    const { folder: logs, database, queueUrl } = services;
    const db = createDb(database.url);
    try {
      if (delaySeconds > 0) await delayUnits(db, delaySeconds);
      const worker = { simulation: { stepMilliseconds }, slots: 2 };
      const fleet = await startFleet({ database, queueUrl, workers, leaseSeconds, logs, worker });
      const { decided, injected, seconds, findings } = await runAll(services, fleet, options).finally(
        fleet.stop,
      );
      const restarts = [fleet.api, ...fleet.workers].reduce((sum, each) => sum + each.starts() - 1, 0);
      const results = await readResults(db);
      const audited = await auditSearches(db, decided);
      const all = [
        ...findings,
        ...audited.findings,
        ...(delaySeconds > 0 ? await auditDelay(db) : []),
        ...(expected ? compareDecisions(expected.decided, decided) : []),
        ...(expected ? compareResults(expected.results, results) : []),
        ...(signal.aborted ? ['the run was interrupted'] : []),
      ];
      return {
        ok: all.length === 0,
        ...{ queue, workers, seconds, injected, restarts, decided, results },
        findings: all,
        counts: audited.counts,
        digest: digestOfDecisions(decided),
      };
    } finally {
      await db.close();
    }
  });
};
