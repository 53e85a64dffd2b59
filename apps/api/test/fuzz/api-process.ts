/** The API in a process of its own, so that its event loop and its memory are not those of the client. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { ProcessReport } from './watch-event-loop.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const watch = new URL('./watch-event-loop.ts', import.meta.url).href;

/** Lines of the log that are kept for the message of a failure. */
const keptLines = 20;

export type ApiProcess = {
  readonly url: string;
  /** The longest gap of its event loop since the last report, and its memory. */
  readonly report: () => Promise<ProcessReport>;
  /** The last warnings and errors of its log. */
  readonly faults: () => string;
  readonly close: () => Promise<void>;
};

export const startApiProcess = async (databaseUrl: string): Promise<ApiProcess> => {
  const { PATH = '', HOME = '' } = process.env;
  const child = fork(main, {
    execArgv: ['--import', 'tsx', '--import', watch],
    env: {
      PATH,
      HOME,
      DATABASE_URL: databaseUrl,
      FUNNEL_PORT: '0',
      FUNNEL_RATE_LIMIT: '1000000000',
      // The fuzz is one client. Its submissions must reach the code behind its own limits.
      FUNNEL_MAX_SUBMISSIONS_PER_TOKEN: '1000000',
      FUNNEL_MAX_SWEEPS_PER_TOKEN: '1000000',
    },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const faults: string[] = [];
  const url = await new Promise<string>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`The API ended with ${code}: ${faults.join('\n')}`)));
    createInterface(child.stdout!).on('line', (line) => {
      if (line.includes('"msg":"listening"')) resolve(JSON.parse(line).url);
      if (/"level":[4-6]0/.test(line)) faults.push(line.slice(0, 2000));
      if (faults.length > keptLines) faults.shift();
    });
  });
  const report = async (): Promise<ProcessReport> => {
    const answer = once(child, 'message');
    child.send('report');
    const [sent] = await answer;
    return sent as ProcessReport; // as watch-event-loop.ts sends it
  };
  await report(); // the start does not count
  return {
    url,
    report,
    faults: () => faults.join('\n'),
    close: async () => {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    },
  };
};
