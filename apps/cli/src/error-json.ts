/** An error as JSON, for programs that call `funnel` with `--json`: the words of the terminal, in parts. */
import { escapeControlsInJson, type ProblemIssue } from '@funnel/contracts';

/** A mistake, and the line of the file or the option where it stands, if that is known. */
export type PlacedIssue = ProblemIssue & { readonly line?: number; readonly option?: string };

export type Explained = {
  /** The message, a line for each issue, then lines that begin with `→`: what to do. */
  readonly text: string;
  /** (Default: none) */
  readonly issues?: readonly PlacedIssue[] | undefined;
};

/** True if the command line has `--json`. It is read before the command line is parsed, because a wrong one has this form, too. */
export const wantsJson = (args: readonly string[]): boolean => {
  const end = args.indexOf('--');
  return args.slice(0, end < 0 ? undefined : end).includes('--json');
};

/** What to do: after an arrow, or in the parentheses that Commander adds to its errors. */
const hintLine = /^(?:→ (.*)|\((.*)\))$/;

/** `{"error":{"message":…,"issues":[…],"hint":…}}` on one line. The hint is null where there is none. */
export const errorJson = ({ text, issues = [] }: Explained): string => {
  const lines = text.trim().split('\n');
  const hints = lines.flatMap((line) => {
    const [, afterArrow, inParentheses] = hintLine.exec(line) ?? [];
    return afterArrow ?? inParentheses ?? [];
  });
  const message = lines
    .filter((line) => !hintLine.test(line) && !(issues.length > 0 && line.startsWith('  ')))
    .join('\n')
    .replace(/^error: /, '');
  const error = {
    message: issues.length > 0 ? message.replace(/:$/, '') : message,
    issues,
    hint: hints.length > 0 ? hints.join(' ') : null,
  };
  return escapeControlsInJson(JSON.stringify({ error }));
};
