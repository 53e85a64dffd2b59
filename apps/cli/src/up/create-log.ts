import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { logDestination } from '@funnel/log';
import { type Logger, multistream, pino } from 'pino';
import type { Output } from '../output/output.ts';

type Line = { readonly msg?: string; readonly error?: string; readonly err?: { readonly message?: string } };

/** The same words are said once in this time: a database that is away fails every request. */
const quietMilliseconds = 30_000;

/** Says lines of the log in words; what was said just now is counted, and said again with its number. */
const createTerminal = (say: (sentence: string) => void) => {
  const said = new Map<string, { readonly at: number; more: number }>();
  return (text: string): void => {
    const { msg, error, err }: Line = JSON.parse(text);
    const why = error ?? err?.message;
    const sentence = `${msg ?? 'something happened'}${why ? `: ${why}` : ''}`;
    const before = said.get(sentence);
    const now = performance.now();
    if (before && now - before.at < quietMilliseconds) {
      before.more++;
      return;
    }
    say(before?.more ? `${sentence} (and ${before.more} times since it was said last)` : sentence);
    for (const [old, { at }] of said) if (now - at >= quietMilliseconds) said.delete(old);
    said.set(sentence, { at: now, more: 0 });
  };
};

/** Everything goes to `funnel.log`; errors are also said on the terminal, in words. */
export const createLog = (home: string, level: string, output: Output): Logger => {
  mkdirSync(home, { recursive: true });
  const say = (sentence: string): void => output.note(`! ${sentence}`);
  return pino(
    { level },
    multistream([
      { level: 'trace', stream: logDestination(join(home, 'funnel.log'), { say }) },
      { level: 'error', stream: { write: createTerminal(say) } },
    ]),
  );
};
