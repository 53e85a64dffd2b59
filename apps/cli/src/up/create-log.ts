import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { logDestination } from '@funnel/log';
import { type Logger, multistream, pino } from 'pino';
import type { Output } from '../output/output.ts';

type Line = { readonly msg?: string; readonly error?: string; readonly err?: { readonly message?: string } };

/** Everything goes to `funnel.log`; errors are also said on the terminal, in words. */
export const createLog = (home: string, level: string, output: Output): Logger => {
  mkdirSync(home, { recursive: true });
  const say = (sentence: string): void => output.note(`! ${sentence}`);
  const terminal = {
    write: (text: string): void => {
      const { msg, error, err }: Line = JSON.parse(text);
      const why = error ?? err?.message;
      say(`${msg ?? 'something happened'}${why ? `: ${why}` : ''}`);
    },
  };
  return pino(
    { level },
    multistream([
      { level: 'trace', stream: logDestination(join(home, 'funnel.log'), { say }) },
      { level: 'error', stream: terminal },
    ]),
  );
};
