/** The API as a process, which a test can kill. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onTestFinished, vi } from 'vitest';

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
/** Nearly as long as a test may take: a slow machine fails no test. */
export const waiting = { timeout: 100_000, interval: 50 };

type LogLine = { readonly msg: string; readonly url?: string; readonly what?: string };

export type ApiProcess = {
  readonly child: ChildProcess;
  /** Everything that it has written, errors included. */
  readonly output: () => string;
  readonly lines: () => readonly LogLine[];
  /** Its exit status; null after a signal. */
  readonly ended: Promise<number | null>;
};

/** Starts `main.ts` on a free port; killed after the test. */
export const runApi = (env: Record<string, string>): ApiProcess => {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, ['--import', 'tsx', main], {
    env: { PATH, HOME, FUNNEL_PORT: '0', ...env },
  });
  let log = '';
  let all = '';
  child.stdout.on('data', (chunk) => {
    log += chunk;
    all += chunk;
  });
  child.stderr.on('data', (chunk) => {
    all += chunk;
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return {
    child,
    output: () => all,
    lines: () =>
      log
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line)), // as pino writes them
    ended: once(child, 'close').then(([code]) => code),
  };
};

/** Waits for this message in the log. Throws when the process ends before. */
export const says = async ({ lines, output, ended }: ApiProcess, msg: string): Promise<LogLine> => {
  let hasEnded = false;
  void ended.then(() => {
    hasEnded = true;
  });
  return vi.waitUntil(() => {
    const line = lines().find((each) => each.msg === msg);
    if (!line && hasEnded) throw new Error(`Expected “${msg}”, but it has ended: ${output()}`);
    return line;
  }, waiting);
};

/** The address where it listens. */
export const listening = async (api: ApiProcess): Promise<string> => (await says(api, 'listening')).url!;

/** Tells it to stop, and answers its exit status. */
export const stopped = ({ child, ended }: ApiProcess): Promise<number | null> => {
  child.kill('SIGTERM');
  return ended;
};
