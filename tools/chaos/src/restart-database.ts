/** PostgreSQL goes down every few seconds, on a clock of its own: whatever else happens, it happens beside that. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from './random.ts';
import type { Database } from './services.ts';

/** In turns: SIGQUIT ends it as a crash does, so that it recovers from its log; SIGINT rolls back what is under way and shuts down. */
const ways = [
  { name: 'crash PostgreSQL', signal: 'SIGQUIT' },
  { name: 'restart PostgreSQL', signal: 'SIGINT' },
] as const;

export type DatabaseFault = (typeof ways)[number]['name'];
export const databaseFaults: readonly DatabaseFault[] = ways.map(({ name }) => name);

export type RestartOptions = {
  readonly signal: AbortSignal;
  /** Between two, on the mean; 0: never. */
  readonly everySeconds: number;
  readonly random: Random;
};

/** Until `signal` is aborted. A server that is still coming back is left alone until the next turn. */
export const restartDatabase = async (
  database: Database,
  { signal, everySeconds, random }: RestartOptions,
  onFault: (name: DatabaseFault) => void,
): Promise<void> => {
  if (everySeconds <= 0) return;
  for (let turn = 0; ; ) {
    const pause = everySeconds * 1000 * random.between(0.6, 1.4);
    await sleep(pause, undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    const way = ways[turn % ways.length]!;
    if (!(await database.end(way.signal))) continue;
    turn++;
    onFault(way.name);
  }
};
