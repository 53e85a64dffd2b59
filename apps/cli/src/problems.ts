/**
 * The refusals of the API in words for somebody at a terminal: commands that work as typed, and neither routes nor headers. The API's own
 * words (`errors` in contracts) are for programs.
 */
import {
  type ErrorCode,
  errors,
  mistakesTitle,
  mistakeText,
  type Problem,
  type ProblemIssue,
} from '@funnel/contracts';
import type { PlacedIssue } from './error-json.ts';
import type { Place } from './sweep-lines.ts';

type Words = { readonly title?: string; readonly hint: string };

/** Every code whose words in contracts speak of HTTP. A hint that an error brings itself stays. */
const terminalWords: Partial<Record<ErrorCode, Words>> = {
  INVALID_REQUEST: { title: 'Funnel refuses these values', hint: 'Nothing was changed.' },
  MALFORMED_BODY: { title: 'Funnel cannot read this', hint: 'Nothing was changed.' },
  UNSUPPORTED_MEDIA_TYPE: {
    title: 'The program at this address does not know the request',
    hint: 'It may be another version of Funnel: `npx funnel --version` says yours.',
  },
  CROSS_ORIGIN: { hint: 'Use the dashboard at the address of Funnel itself.' },
  UNAUTHENTICATED: {
    hint: 'Make one where that Funnel runs: `npx funnel token create NAME`. Then give it to your shell: export FUNNEL_TOKEN=…',
  },
  FORBIDDEN: {
    title: 'Your token may not do this',
    hint: 'Take a token with the role that the message names: export FUNNEL_TOKEN=…',
  },
  ROUTE_NOT_FOUND: {
    title: 'The program at this address does not know the request',
    hint: 'It may be another program, or another version of Funnel: `npx funnel --version` says yours. --url or FUNNEL_URL gives another address.',
  },
  METHOD_NOT_ALLOWED: {
    title: 'The program at this address does not know the request',
    hint: 'It may be another version of Funnel: `npx funnel --version` says yours.',
  },
  NOT_FOUND: { hint: '`npx funnel ls` lists sweeps, `npx funnel trials SWEEP` the trials of one.' },
  IDEMPOTENCY_CONFLICT: {
    title: 'This --key belongs to another sweep',
    hint: 'Take another --key, or submit without one.',
  },
  INVALID_TRANSITION: { hint: '`npx funnel ls` shows the status of each sweep.' },
  RATE_LIMITED: { hint: 'Wait a minute, then try again.' },
  TOO_MANY_OWN_PLANS: { hint: 'Wait until the others have ended, or raise FUNNEL_MAX_PLANS_PER_TOKEN.' },
  UNAVAILABLE: { hint: '`npx funnel doctor` says which part does not answer.' },
};

/** The hint of a refused command that would change nothing anyway. */
const readingHint = 'Correct the command. With --help it says which values it takes.';

export type Call = {
  /** Whether the refused call changes nothing. (Default: false) */
  readonly onlyReads?: boolean;
};

/** The words of a terminal for a problem that has only the words of its code. */
const wordsOf = (
  { code, title, hint }: Problem,
  { onlyReads = false }: Call,
): { readonly title: string; readonly hint: string } => {
  const own: Partial<Words> = terminalWords[code] ?? {};
  const ownHint = onlyReads && code === 'INVALID_REQUEST' ? readingHint : own.hint;
  return {
    title: own.title ?? title,
    hint: (hint === errors[code]?.hint && ownHint) || hint, // a newer API may have codes that this program does not know
  };
};

/** The request that an operator finds in the log. */
const tracesOf = ({ code, instance }: Problem): readonly string[] =>
  code === 'INTERNAL' && instance ? [`  request ${instance.replace('urn:uuid:', '')}`] : [];

type PlaceOf = (path: string) => Place;

const describeIssue = (issue: ProblemIssue, place: Place): string => {
  const where = typeof place === 'number' ? `line ${place}, ` : place === null ? '' : `${place}: `;
  const isNamed = typeof place === 'string' && place.endsWith(` ${issue.path}`); // `--set seeds` names the path already
  return `  ${isNamed ? mistakeText({ ...issue, path: place }) : mistakeText(issue, where)}`;
};

/** The text of a problem that the API reports: the mistake, its place, and the next step. */
export const describeProblem = (problem: Problem, call: Call = {}): string => {
  const { title, hint } = wordsOf(problem, call);
  const issues = (problem.issues ?? []).map((issue) => describeIssue(issue, null));
  // With issues, the detail is left out, because it repeats the first issue.
  return issues.length === 0
    ? [`${title}: ${problem.detail}`, ...tracesOf(problem), `→ ${hint}`].join('\n')
    : [`${title}:`, ...issues, `→ ${hint}`].join('\n');
};

type FileCall = Call & {
  /** The place of a path in the file or on the command line. (Default: unknown) */
  readonly placeOf?: PlaceOf;
};

/** Lines come first, in the order of the file. */
const orderOf = (place: Place): number => (typeof place === 'number' ? place : Number.MAX_SAFE_INTEGER);

/** The mistakes in the order of the file. */
const sortIssues = ({ issues = [] }: Problem, placeOf: PlaceOf) =>
  issues
    .map((issue) => ({ issue, place: placeOf(issue.path) }))
    .sort((a, b) => orderOf(a.place) - orderOf(b.place));

/** The mistakes that the API found in a file of the user, for programs. */
export const placeIssues = (problem: Problem, placeOf: PlaceOf): readonly PlacedIssue[] =>
  sortIssues(problem, placeOf).map(({ issue, place }) => {
    if (place === null) return issue;
    return typeof place === 'number' ? { ...issue, line: place } : { ...issue, option: place };
  });

/** The mistakes that the API found in a file of the user. */
export const describeFileProblem = (file: string, problem: Problem, call: FileCall = {}): string => {
  const { onlyReads = false, placeOf = () => null } = call;
  const placed = sortIssues(problem, placeOf);
  if (problem.code !== 'INVALID_REQUEST' || placed.length === 0)
    return `${file}: ${describeProblem(problem, call)}`;
  const usesOption = placed.some(({ place }) => typeof place === 'string');
  return [
    mistakesTitle(`${file}${usesOption ? ' with --set' : ''}`, placed.length),
    ...placed.map(({ issue, place }) =>
      describeIssue(issue.path === 'body' ? { ...issue, path: 'the file' } : issue, place),
    ),
    `→ ${onlyReads ? '' : 'Nothing was written. '}Correct the file${usesOption ? ' or --set' : ''} and try again.`,
  ].join('\n');
};
