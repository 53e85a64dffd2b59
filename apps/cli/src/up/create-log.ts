import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { destination, type Logger, multistream, pino } from 'pino';
import type { Output } from '../output/output.ts';

type Line = { readonly msg?: string; readonly error?: string; readonly err?: { readonly message?: string } };

/** Everything goes to `funnel.log`; what a person should know of (warnings and worse) is also said on the terminal, in words. */
export const createLog = (home: string, level: string, output: Output): Logger => {
  mkdirSync(home, { recursive: true });
  const terminal = {
    write: (text: string): void => {
      const { msg, error, err }: Line = JSON.parse(text);
      const why = error ?? err?.message;
      output.note(`! ${msg ?? 'something happened'}${why ? `: ${why}` : ''}`);
    },
  };
  return pino(
    { level },
    multistream([
      { level: 'trace', stream: destination({ dest: join(home, 'funnel.log'), append: true, sync: true }) },
      { level: 'error', stream: terminal },
    ]),
  );
};
