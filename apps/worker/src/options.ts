import type { DataPlaces } from '@funnel/engine';
import type { Logger } from 'pino';
import type { SimulationOptions } from './stand-in/options.ts';

export type WorkerOptions = {
  readonly databaseUrl: string;
  /** `redis://…`, or `postgres://…` for the queue beside the data. (Default: `databaseUrl`) */
  readonly queueUrl?: string;
  /** A name for people. (Default: host name, process id and a random part) */
  readonly id?: string;
  /** What FUNNEL_DATA and FUNNEL_HOME name: where data sets are looked for. (Default: the usual places) */
  readonly places?: DataPlaces;
  /** Trainers. (Default: one per core, as many as memory holds, 8 at most) */
  readonly slots?: number;
  /** A backend's name, or `auto`. (Default: `auto`) */
  readonly backend?: string;
  /** After so long without a heartbeat a stage is given to others. (Default: 10) */
  readonly leaseSeconds?: number;
  /** A stage fails for good after so many failed attempts. (Default: 3) */
  readonly maxAttempts?: number;
  /** Everything is handed back within this time after `stop`. (Default: 10) */
  readonly drainSeconds?: number;
  /** How long a trainer may take for the checkpoint of a pause before it is killed. (Default: 4) */
  readonly stopSeconds?: number;
  /** A trainer without progress for so long is killed, and its attempt has failed. (Default: 300) */
  readonly hangSeconds?: number;
  /** A trainer that holds more is replaced between stages. (Default: 1.5 GiB) */
  readonly memoryLimitBytes?: number;
  /** Seconds between looks for work that no ring announced. (Default: 2) */
  readonly pollSeconds?: number;
  /** A collector of traces that speaks OTLP over HTTP, such as http://localhost:4318. (Default: no traces) */
  readonly tracesUrl?: string;
  /** Pseudo training with known outcomes instead of tfjs: for tests of everything around training. */
  readonly simulation?: SimulationOptions;
  /** Aborted: a worker that waits for its database waits no longer. */
  readonly signal?: AbortSignal;
  readonly log: Logger;
};
