/** Where a command's words go: results to stdout, everything about the way there to stderr. */
import { writeResult } from './streams.ts';

export type Output = {
  /** With `--json`: results are JSON and nothing else is on stdout. */
  readonly json: boolean;
  readonly write: (text: string) => void;
  readonly note: (text: string) => void;
  /** The terminal's width where stderr is one, else null: then nothing is drawn over. */
  readonly columns: () => number | null;
  /** Overwrites what was drawn last on a terminal. */
  readonly draw: (lines: readonly string[]) => void;
};

/** Back to the first of the lines drawn last, and everything below it erased. */
const back = (lines: number): string => (lines > 0 ? `\x1b[${lines}A\x1b[J` : '');

export const createOutput = (
  json: boolean,
  stdout: NodeJS.WriteStream & { readonly fd: 1 },
  stderr: NodeJS.WriteStream,
): Output => {
  let drawn = 0;
  const isTerminal = Boolean(stderr.isTTY);
  return {
    json,
    write: (text) => {
      drawn = 0;
      writeResult(stdout, `${text}\n`);
    },
    note: (text) => {
      drawn = 0;
      stderr.write(`${text}\n`);
    },
    columns: () => (isTerminal ? stderr.columns || 80 : null),
    draw: (lines) => {
      const width = stderr.columns || 80; // 0: a terminal that does not know
      const fitted = lines.map((line) => `${[...line].slice(0, width - 1).join('')}\n`);
      stderr.write(back(drawn) + fitted.join(''));
      drawn = lines.length;
    },
  };
};

/** Prints a result: as it is with `--json`, else as `text` shows it. */
export const present = <T>(output: Output, result: T, text: (result: T) => string): void =>
  output.write(output.json ? JSON.stringify(result, null, 2) : text(result));
