/** From zod's issues to ours: where, what was expected, what came. One per fault; of a union only the option that was meant. */
import { AppError, type ProblemIssue } from '@funnel/contracts';
import type { z } from 'zod';
import { knownKeysAt, nearest } from './known-keys.ts';
import { cut, describe, eitherOf, formatPath, isStorable, typeName } from './values.ts';

type Issue = z.core.$ZodIssue;
type UnionIssue = Extract<Issue, { code: 'invalid_union' }>;
type UnknownKeys = Extract<Issue, { code: 'unrecognized_keys' }>;
type Bound = Extract<Issue, { code: 'too_small' | 'too_big' }>;

/** More than a person reads at once: so many faults are explained, and the others are counted. */
const maxIssues = 50;
/** Characters of what was expected: enough for the names of all attacks, or of all hyperparameters. */
const longestExpected = 2000;
/** Characters of what came: a described value has at most 100, and words around it. */
const longestReceived = 150;

type Found = { readonly path: readonly PropertyKey[]; readonly expected: string; readonly received: string };

/** Our own messages read "Expected …, but got …. More.". */
const ownWords = (message: string): { readonly expected: string; readonly received?: string } | null => {
  const words = /^Expected (.*?)(?:, but (got )?(.*?))?(?:\. (.*))?$/s.exec(message);
  if (!words) return null;
  const [, expected = '', got, came, more] = words;
  return { expected: more ? `${expected} (${more})` : expected, received: got ? came : undefined };
};

const valueAt = (input: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (here, part) =>
      typeof here === 'object' && here !== null ? (here as Record<PropertyKey, unknown>)[part] : undefined,
    input,
  );

const oneOf = (values: readonly unknown[], given: unknown): string => {
  const meant =
    typeof given === 'string'
      ? nearest(
          given,
          values.filter((v) => typeof v === 'string'),
        )
      : null;
  return `one of ${values.map(String).join(', ')}${meant ? ` (did you mean "${meant}"?)` : ''}`;
};

const units: Readonly<Record<string, string>> = { string: ' character', array: ' value' };

const expectedBound = (issue: Bound): string => {
  const below = issue.code === 'too_big';
  const limit = below ? issue.maximum : issue.minimum;
  const relation =
    issue.inclusive === false ? (below ? 'less than' : 'more than') : below ? 'at most' : 'at least';
  const unit = units[issue.origin] ?? '';
  return `${relation} ${limit}${unit}${unit && Number(limit) !== 1 ? 's' : ''}`;
};

const isWrongType = (issue: Issue): boolean => {
  if (issue.path.length > 0) return false;
  if (issue.code === 'invalid_type') return true;
  return issue.code === 'invalid_value' && !issue.values.some((value) => typeof value === typeof issue.input);
};

/** Explained one by one, and only as far as they are shown. */
type Faults = Iterable<Found>;
type Explain = (issue: Issue, at: readonly PropertyKey[]) => Faults;

function* each<T>(items: Iterable<T>, faultsOf: (item: T) => Faults): Faults {
  for (const item of items) yield* faultsOf(item);
}

const first = (faults: Faults, count: number): readonly Found[] => {
  const found: Found[] = [];
  for (const fault of faults) {
    found.push(fault);
    if (found.length === count) break;
  }
  return found;
};

/** The option whose type is right, then the one with the fewest faults: that one was meant. */
const meantOption = (options: readonly (readonly Issue[])[]): readonly Issue[] | null => {
  const fitting = options.filter((issues) => !issues.some(isWrongType));
  return [...fitting].sort((a, b) => a.length - b.length)[0] ?? null;
};

const explainUnion = (issue: UnionIssue, at: readonly PropertyKey[], explain: Explain): Faults => {
  const path = [...at, ...issue.path];
  if (issue.errors.length === 0) {
    // A discriminated union: the discriminator itself is not one of its options.
    const options: readonly unknown[] =
      'options' in issue && Array.isArray(issue.options) ? issue.options : [];
    const given = valueAt(issue.input, issue.path.slice(-1));
    return [{ path, expected: oneOf(options, given), received: describe(given) }];
  }
  const meant = meantOption(issue.errors);
  if (meant) return each(meant, (inner) => explain(inner, path));
  const wrong = each(issue.errors, (option) =>
    each(option.filter(isWrongType), (inner) => explain(inner, path)),
  );
  const expected = new Set(first(wrong, maxIssues).map((fault) => fault.expected));
  return [{ path, expected: eitherOf([...expected]), received: describe(issue.input) }];
};

/** How many faults `explain` would find, without explaining one. */
const countFaults = (issue: Issue): number => {
  if (issue.code === 'unrecognized_keys') return issue.keys.length;
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return 1;
  const meant = meantOption(issue.errors);
  return meant ? meant.reduce((sum, inner) => sum + countFaults(inner), 0) : 1;
};

const explainWith = (schema: z.ZodType, input: unknown): Explain => {
  const explainKeys = (issue: UnknownKeys, at: readonly PropertyKey[]): Faults => {
    const parent = [...at, ...issue.path];
    const known = knownKeysAt(schema, parent, input);
    return each(issue.keys, (key) => {
      const meant = nearest(key, known);
      const expected = meant
        ? `a known key: did you mean "${meant}"?`
        : known.length > 0
          ? `one of ${known.join(', ')}`
          : 'no such key';
      return [{ path: [...parent, key], expected, received: `the key ${describe(key)}` }];
    });
  };

  const explain: Explain = (issue, at) => {
    const path = [...at, ...issue.path];
    const one = (expected: string, received?: string): Faults => {
      // What was written, not what defaults and coercion had made of it when the fault was found.
      const written = valueAt(input, path);
      return [
        { path, expected, received: received ?? describe(written === undefined ? issue.input : written) },
      ];
    };
    const own = ownWords(issue.message);
    if (issue.code === 'invalid_union') return explainUnion(issue, at, explain);
    if (issue.code === 'unrecognized_keys') return explainKeys(issue, at);
    if (own) return one(own.expected, own.received);
    if (issue.code === 'invalid_type') return one(typeName(issue.expected));
    if (issue.code === 'too_small' || issue.code === 'too_big') return one(expectedBound(issue));
    if (issue.code === 'invalid_value') return one(oneOf(issue.values, issue.input));
    if (issue.code === 'invalid_format')
      return one(issue.pattern ? `a text that matches ${issue.pattern}` : `a valid ${issue.format}`);
    if (issue.code === 'not_multiple_of') return one(`a multiple of ${issue.divisor}`);
    return one(issue.message);
  };
  return explain;
};

export type Explained = {
  /** The first of them. */
  readonly issues: readonly ProblemIssue[];
  /** How many there are. */
  readonly faults: number;
};

/** `input` is what was parsed; `part` names it where a fault is with the whole of it ("body", "query", …). */
export const explainIssues = (
  error: z.ZodError,
  schema: z.ZodType,
  input: unknown,
  part: string,
): Explained => {
  const explain = explainWith(schema, input);
  const found = each(error.issues as readonly Issue[], (issue) => explain(issue, []));
  return {
    issues: first(found, maxIssues).map(({ path, expected, received }) => ({
      path: formatPath(asWritten(path, input)) || part,
      expected: cut(expected, longestExpected),
      received: cut(received, longestReceived),
    })),
    faults: (error.issues as readonly Issue[]).reduce((sum, issue) => sum + countFaults(issue), 0),
  };
};

/** An attack may be written flat: `settings`, which parsing put between, is not in what the user wrote. */
const asWritten = (path: readonly PropertyKey[], input: unknown): readonly PropertyKey[] => {
  const written: PropertyKey[] = [];
  let here = input;
  for (const part of path) {
    const record = typeof here === 'object' && here !== null ? (here as Record<PropertyKey, unknown>) : {};
    if (part === 'settings' && 'attack' in record && !('settings' in record)) continue;
    written.push(part);
    here = record[part];
  }
  return written;
};

/** One part of a request against its declaration: params, query, headers or body. */

export type Part = 'params' | 'query' | 'headers' | 'body';

const inWords = (count: number): string => count.toLocaleString('en-US');

/** " (and 3 more)"; " (and 49 more listed, and 69,950 more that are not)" */
const others = ({ issues, faults }: Explained): string => {
  const [listed, unlisted] = [issues.length - 1, faults - issues.length];
  if (unlisted > 0) return ` (and ${listed} more listed, and ${inWords(unlisted)} more that are not)`;
  return listed > 0 ? ` (and ${listed} more)` : '';
};

const refuse = (part: Part, explained: Explained): AppError => {
  const { issues } = explained;
  const [first] = issues;
  const detail = first
    ? `${first.path}: expected ${first.expected}, but got ${first.received}${others(explained)}`
    : 'refused';
  return new AppError('INVALID_REQUEST', `In the ${part}, ${detail}`, { issues });
};

const refuseOne = (part: Part, issue: Explained['issues'][number]): AppError =>
  refuse(part, { issues: [issue], faults: 1 });

/** Addresses are percent-decoded into any text; a body was checked when it was parsed. */
const checkTexts = (part: Part, input: unknown): void => {
  if (part === 'body' || typeof input !== 'object' || input === null) return;
  for (const [key, value] of Object.entries(input))
    for (const text of [key, value].flat())
      if (typeof text === 'string' && !isStorable(text))
        throw refuseOne(part, {
          path: formatPath([key]),
          expected: 'text without NUL and half surrogate pairs',
          received: describe(text),
        });
};

/** Throws INVALID_REQUEST with the first faults, and how many there are. A part that is not declared must not be there. */
export const parsePart = (part: Part, schema: z.ZodType | undefined, input: unknown): unknown => {
  checkTexts(part, input);
  if (schema) {
    const result = schema.safeParse(input, { reportInput: true });
    if (result.success) return result.data;
    throw refuse(part, explainIssues(result.error, schema, input, part));
  }
  if (part === 'query')
    for (const key of Object.keys(input ?? {}))
      throw refuseOne(part, {
        path: formatPath([key]),
        expected: 'no query parameters',
        received: `the key ${describe(key)}`,
      });
  if (part === 'body' && input !== undefined && input !== null)
    throw refuseOne(part, { path: part, expected: 'no body', received: describe(input) });
  return undefined;
};
