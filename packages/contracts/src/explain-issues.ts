/**
 * Puts the issues of zod into plain words: the path of each fault, what was expected and what came. For a union, it explains only the option
 * that the user meant. The API, the command line and the form of the dashboard say the same.
 *
 * A sweep may have 100,000 faults. The first 50 are explained, one by one, and the others are only counted.
 */
import type { z } from 'zod';
import { asWritten } from './as-written.ts';
import { didYouMean, joinWithOr } from './did-you-mean.ts';
import type { ProblemIssue } from './errors.ts';
import { expectedKey, meantSchemas, membersAt } from './known-keys.ts';
import { meantBy, missedNames } from './misspelt-names.ts';
import { cut, describeValue, describeWhole, formatPath, typeName } from './show-value.ts';

export { cut, describeValue, formatPath };

type Issue = z.core.$ZodIssue;
type UnionIssue = Extract<Issue, { code: 'invalid_union' }>;
type UnknownKeys = Extract<Issue, { code: 'unrecognized_keys' }>;
type Bound = Extract<Issue, { code: 'too_small' | 'too_big' }>;

/** How many faults a refusal explains. */
const maxIssues = 50;
/** Characters of `expected`: enough for the names of all attacks, or of all hyperparameters. */
const maxExpected = 2000;
/** Characters of `received`: a shown value has at most 100, and there may be some words around it. */
const maxReceived = 150;

type Fault = { readonly path: readonly PropertyKey[]; readonly expected: string; readonly received: string };

/** The parts of a message that our own schemas wrote ("Expected …, but got …. More."), or null. */
const parseOwnMessage = (
  message: string,
): { readonly expected: string; readonly received?: string } | null => {
  const match = /^Expected (.*?)(?:, but (got )?(.*?))?(?:\. (.*))?$/s.exec(message);
  if (!match) return null;
  const [, expected = '', got, came, more] = match;
  const advice = more?.replace(/^Did you mean/, 'did you mean');
  return { expected: advice ? `${expected} (${advice})` : expected, received: got ? came : undefined };
};

/** The value at `path`, or undefined. */
const valueAt = (input: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (here, part) =>
      typeof here === 'object' && here !== null ? (here as Record<PropertyKey, unknown>)[part] : undefined,
    input,
  );

/** Of more values than these, a refusal lists only those that the given one resembles. */
const maxListed = 12;

const oneOf = (values: readonly unknown[], given: unknown): string => {
  const suggestion =
    typeof given === 'string'
      ? didYouMean(
          given,
          values.filter((v) => typeof v === 'string'),
        )
      : null;
  if (suggestion && values.length > maxListed) return `a known value (${suggestion})`;
  return `one of ${values.map(String).join(', ')}${suggestion ? ` (${suggestion})` : ''}`;
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

/** Whether the issue says that the whole value has another type than this option of a union. */
const isWrongType = (issue: Issue): boolean => {
  if (issue.path.length > 0) return false;
  if (issue.code === 'invalid_type') return true;
  return issue.code === 'invalid_value' && !issue.values.some((value) => typeof value === typeof issue.input);
};

/** Lazy: a fault is explained only when it is read. */
type Faults = Iterable<Fault>;
type Explain = (issue: Issue, at: readonly PropertyKey[]) => Faults;

function* each<T>(items: Iterable<T>, faultsOf: (item: T) => Faults): Faults {
  for (const item of items) yield* faultsOf(item);
}

const takeFirst = (faults: Faults, count: number): readonly Fault[] => {
  const taken: Fault[] = [];
  for (const fault of faults) {
    taken.push(fault);
    if (taken.length === count) break;
  }
  return taken;
};

const isBound = (issue: Issue): issue is Bound => issue.code === 'too_small' || issue.code === 'too_big';

/** Says only that the number is too large for a whole number of JavaScript. */
const isSafeRange = (issue: Issue): boolean => isBound(issue) && issue.origin === 'int';

/** A value out of bounds may break two rules that say the same, such as "more than 0" and "min > 0 on a log scale". The first one is enough. */
const withoutRepeats = (issues: readonly Issue[]): readonly Issue[] => {
  const seen = new Set<string>();
  const ownBounds = new Set(
    issues.filter((issue) => isBound(issue) && !isSafeRange(issue)).map(({ path }) => formatPath(path)),
  );
  return issues.filter((issue) => {
    if (issue.code !== 'custom' && !isBound(issue)) return true;
    const place = formatPath(issue.path);
    if (isSafeRange(issue) && ownBounds.has(place)) return false;
    const isNew = !seen.has(place);
    seen.add(place);
    return isNew;
  });
};

/** The issues of the option that the client meant: of the options whose type fits, the one with the fewest issues. Null if no type fits. */
const meantOption = (options: readonly (readonly Issue[])[]): readonly Issue[] | null => {
  const fitting = options.filter((issues) => !issues.some(isWrongType));
  const meant = [...fitting].sort((a, b) => a.length - b.length)[0];
  return meant ? withoutRepeats(meant) : null;
};

const explainUnion = (issue: UnionIssue, at: readonly PropertyKey[], explain: Explain): Faults => {
  const path = [...at, ...issue.path];
  if (issue.errors.length === 0) {
    // A discriminated union whose discriminator has none of the known values.
    const options: readonly unknown[] =
      'options' in issue && Array.isArray(issue.options) ? issue.options : [];
    const given = valueAt(issue.input, issue.path.slice(-1));
    return [{ path, expected: oneOf(options, given), received: describeValue(given) }];
  }
  const meant = meantOption(issue.errors);
  if (meant) return each(meant, (inner) => explain(inner, path));
  const wrong = each(issue.errors, (option) =>
    each(option.filter(isWrongType), (inner) => explain(inner, path)),
  );
  const expected = new Set(takeFirst(wrong, maxIssues).map((fault) => fault.expected));
  return [{ path, expected: joinWithOr([...expected]), received: describeValue(issue.input) }];
};

/** The number of faults that `explain` would yield. */
const countFaults = (issue: Issue): number => {
  if (issue.code === 'unrecognized_keys') return issue.keys.length;
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return 1;
  const meant = meantOption(issue.errors);
  return meant ? meant.reduce((sum, inner) => sum + countFaults(inner), 0) : 1;
};

/** What a misspelt key or name may stand for: a value, and a schema that takes it if it is right. */
type Meaning = { readonly schema: z.ZodType; readonly given: unknown };

/** The faults within a value whose key or name is misspelt: it has the type of a meaning, and no meaning takes it. `at`: the path of the value. */
function* faultsInside(meanings: readonly Meaning[], at: readonly PropertyKey[]): Faults {
  let fewest: (Meaning & { readonly issues: readonly Issue[] }) | null = null;
  for (const meaning of meanings) {
    const { error } = meaning.schema.safeParse(meaning.given, explainable);
    if (!error) return;
    const issues = withoutRepeats(error.issues as readonly Issue[]);
    if (fewest === null || issues.length < fewest.issues.length) fewest = { ...meaning, issues };
  }
  if (fewest === null || fewest.issues.some(isWrongType)) return;
  const { schema, given, issues } = fewest;
  const explain = explainWith(schema, given);
  const faults = takeFirst(
    each(issues, (issue) => explain(issue, [])),
    maxIssues,
  );
  for (const fault of faults) yield { ...fault, path: [...at, ...asWritten(fault.path, given)] };
}

const explainWith = (schema: z.ZodType, input: unknown): Explain => {
  const explainKeys = (issue: UnknownKeys, at: readonly PropertyKey[]): Faults => {
    const parent = [...at, ...issue.path];
    const expectedOf = expectedKey(schema, parent, input);
    return each(issue.keys, function* (key) {
      const path = [...parent, key];
      const given = valueAt(input, path);
      yield { path, expected: expectedOf(key, given), received: `the key ${describeValue(key)}` };
      const meanings = meantSchemas(schema, parent, input, key).map((meant) => ({ schema: meant, given }));
      yield* faultsInside(meanings, path);
    });
  };

  /** The faults of an object without a known name, which stands at `path`: of the name, and of the keys beside it. */
  const explainNamed = function* (
    issue: Issue,
    at: readonly PropertyKey[],
    names: readonly string[],
  ): Faults {
    const path = [...at, ...issue.path];
    const [parent, key] = [path.slice(0, -1), String(path.at(-1))];
    const meant = meantBy(valueAt(input, parent), key, names);
    if (meant === null || meant.key === key) yield* explainOne(issue, at);
    else
      yield {
        path: [...parent, meant.key],
        expected: `a known key (did you mean "${key}"?)`,
        received: `the key ${describeValue(meant.key)}`,
      };
    const meanings = membersAt(schema, parent, input).flatMap((member) =>
      (meant?.objects ?? []).map((given) => ({ schema: member, given })),
    );
    yield* faultsInside(meanings, parent);
  };

  const explain: Explain = (issue, at) => {
    const names = missedNames(issue);
    return names === null ? explainOne(issue, at) : explainNamed(issue, at, names);
  };

  const explainOne: Explain = (issue, at) => {
    const path = [...at, ...issue.path];
    const one = (expected: string, received?: string): Faults => {
      // The value that the client wrote: `issue.input` may have gone through defaults and coercion.
      const written = valueAt(input, path);
      return [
        {
          path,
          expected,
          received: received ?? describeValue(written === undefined ? issue.input : written),
        },
      ];
    };
    const own = parseOwnMessage(issue.message);
    if (issue.code === 'invalid_union') return explainUnion(issue, at, explain);
    if (issue.code === 'unrecognized_keys') return explainKeys(issue, at);
    if (own) return one(own.expected, own.received);
    if (issue.code === 'invalid_key')
      return issue.issues.flatMap((each) =>
        [...explain(each, path)].map(({ expected }) => ({
          path,
          expected: `a key of ${expected}`,
          received: `the key ${describeValue(path.at(-1))}`,
        })),
      );
    if (issue.code === 'invalid_type') {
      const { input: given } = issue;
      return issue.expected === 'string' && (typeof given === 'number' || typeof given === 'boolean')
        ? one(`a text, such as ${JSON.stringify(String(given))} in quotes`)
        : one(typeName(issue.expected));
    }
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
  /** The first 50 faults. */
  readonly issues: readonly ProblemIssue[];
  /** The number of all faults. Beyond the first 50, those within the values of misspelt keys, and beside misspelt names, do not count. */
  readonly faults: number;
};

/** With these options a schema parses what `explainIssues` explains. */
export const explainable = { reportInput: true, error: describeWhole } as const;

/** `input` is the value that was parsed. A fault of the whole value has the path `part` ("body", "query", …). */
export const explainIssues = (
  error: z.ZodError,
  schema: z.ZodType,
  input: unknown,
  part: string,
): Explained => {
  const explain = explainWith(schema, input);
  const different = withoutRepeats(error.issues as readonly Issue[]);
  const faults = each(different, (issue) => explain(issue, []));
  const issues = takeFirst(faults, maxIssues).map(({ path, expected, received }) => ({
    path: formatPath(asWritten(path, input)) || part,
    expected: cut(expected, maxExpected),
    received: cut(received, maxReceived),
  }));
  return {
    issues,
    faults: Math.max(
      issues.length,
      different.reduce((sum, issue) => sum + countFaults(issue), 0),
    ),
  };
};
