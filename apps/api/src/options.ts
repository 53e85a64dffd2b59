import type { Db } from '@funnel/db';
import type { StageQueue } from '@funnel/queue';
import type { Tracer } from '@funnel/tracing';
import type { FastifyBaseLogger } from 'fastify';

/** All that the API needs to be told. Whoever opened `db` and `queue` closes them, after the app. */
export type ApiOptions = {
  readonly db: Db;
  readonly queue: StageQueue;
  /** Part of every stage's identity. */
  readonly engineVersion: string;
  /** The address that it will listen on: decides whom it trusts. (Default: 127.0.0.1) */
  readonly host?: string;
  /** `auto`: no tokens on loopback until one exists. (Default: auto) */
  readonly auth?: 'auto' | 'required';
  /** Names besides loopback's by which it may be called. */
  readonly allowedHosts?: readonly string[];
  /** Whether the address of a caller is what the proxy before us says. (Default: false) */
  readonly trustProxy?: boolean;
  /** Requests per minute and client. (Default: 3,000; on loopback 120,000) */
  readonly rateLimit?: number;
  /** Bytes of a JSON body at most; a YAML body may have a sixteenth. (Default: 1 MiB) */
  readonly maxBodyBytes?: number;
  /** Seconds of computing that planning one sweep, or reading one body, may take. (Default: 10) */
  readonly planningSeconds?: number;
  /** Clients of the event stream at most. (Default: 500) */
  readonly maxStreams?: number;
  /** Of them, those with one token; where no token is needed there is no such limit. (Default: a quarter, but at least 8) */
  readonly maxStreamsPerToken?: number;
  /** Seconds for a request to arrive whole. (Default: 30) */
  readonly arrivalSeconds?: number;
  /** Seconds between two looks whether the tokens of open streams are still good. (Default: 15) */
  readonly watchStreamsSeconds?: number;
  /** Attempts that may fail before a stage does. (Default: 3) */
  readonly maxAttempts?: number;
  /** Seconds without a heartbeat after which a worker's stages are given to others; the same as the workers'. (Default: 10) */
  readonly leaseSeconds?: number;
  /** Seconds between rounds of the reconciler, which runs while the app listens. (Default: 3) */
  readonly reconcileSeconds?: number;
  /** Folder of the built dashboard; null: none. (Default: null) */
  readonly webFolder?: string | null;
  /** (Default: off) */
  readonly tracer?: Tracer;
  /** (Default: silent) */
  readonly logger?: FastifyBaseLogger;
};
