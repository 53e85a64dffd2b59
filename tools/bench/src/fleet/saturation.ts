/** What a phase of the fleet was held up by, from what the database was seen doing. */
import type { Watched } from './watch-database.ts';

export type Limits = {
  /** Of this machine, which server and simulated workers share. */
  readonly cores: number;
  /** That the server allows. */
  readonly connections: number;
};

type Seen = Watched & { readonly workerCores: number };

/** Of all cores or connections: beyond it they are used up. */
const full = 0.85;
/** Sessions that wait at once, on the mean: below it nobody is held up. */
const some = 1;

const disk = /^IO |^LWLock WAL/;
const locks = /^(Lock|LWLock(?! WAL)) /;

const sum = (sessions: Seen['sessions'], pattern: RegExp): number =>
  Object.entries(sessions).reduce((total, [waits, mean]) => total + (pattern.test(waits) ? mean : 0), 0);

const maxOf = (sessions: Seen['sessions'], pattern: RegExp): string =>
  Object.entries(sessions)
    .filter(([waits]) => pattern.test(waits))
    .sort((a, b) => b[1] - a[1])[0]?.[0] ?? '';

/**
 * In words, what gave way first, and then what did too; empty when there was room everywhere. A full processor comes first: whoever waits
 * for a core keeps what others wait for.
 */
export const saturated = ({ cores, workerCores, sessions, connections }: Seen, limits: Limits): string[] => {
  const busy = (cores ?? 0) + workerCores;
  const causes: (readonly [string, number])[] = [
    [
      `the processor: PostgreSQL ${cores ?? '?'} and simulated workers ${workerCores} of ${limits.cores} cores`,
      busy / limits.cores / full,
    ],
    [`connections: ${connections} of ${limits.connections}`, connections / limits.connections / full],
    [`the disk: sessions wait for ${maxOf(sessions, disk)}`, sum(sessions, disk) / some],
    [`rows that many want: sessions wait for ${maxOf(sessions, locks)}`, sum(sessions, locks) / some],
  ];
  const [processor, ...others] = causes;
  return [processor!, ...others.sort((a, b) => b[1] - a[1])]
    .filter(([, share]) => share >= 1)
    .map(([words]) => words);
};
