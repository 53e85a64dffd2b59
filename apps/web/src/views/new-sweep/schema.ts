/** Reads the declared schemas for the form: the fields to draw, and errors by path. New hyperparameters and settings need no code here. */
import { FunnelError } from '@funnel/client';
import { formatAmount } from '@funnel/contracts';
import { z } from 'zod';

export type Field = {
  readonly kind: 'number' | 'boolean' | 'choice' | 'text';
  readonly title: string;
  readonly description: string;
  readonly defaultValue: unknown;
  readonly choices: readonly string[];
  /** `1 to 4,096`, `above 0 to 1`; empty without bounds. */
  readonly range: string;
  readonly integer: boolean;
  /** Null is allowed: an empty input leaves the choice to the attack. */
  readonly nullable: boolean;
};

type Json = {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Json[];
  readonly default?: unknown;
  readonly title?: string;
  readonly description?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
};

const rangeText = ({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: Json): string => {
  // zod bounds integers by MAX_SAFE_INTEGER. Such a bound is not shown.
  const declared = (bound: number | undefined) =>
    bound === undefined || Math.abs(bound) >= Number.MAX_SAFE_INTEGER ? undefined : bound;
  const low =
    declared(minimum) === undefined
      ? declared(exclusiveMinimum) === undefined
        ? ''
        : `above ${exclusiveMinimum}`
      : formatAmount(minimum!);
  const high =
    declared(maximum) === undefined
      ? declared(exclusiveMaximum) === undefined
        ? ''
        : `below ${exclusiveMaximum}`
      : formatAmount(maximum!);
  if (low !== '' && high !== '') return `${low} to ${high}`;
  return low === '' ? (high === '' ? '' : `up to ${high}`) : low.startsWith('above') ? low : `from ${low}`;
};

const cache = new WeakMap<z.ZodType, Field>();

export const fieldOf = (schema: z.ZodType): Field => {
  const found = cache.get(schema);
  if (found) return found;
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Json; // a JSON Schema
  const options = json.anyOf?.filter(({ type }) => type !== 'null') ?? [];
  const core = json.anyOf === undefined ? json : options.length === 1 ? options[0]! : {};
  const choices = (core.enum ?? []).map(String);
  const numeric = core.type === 'number' || core.type === 'integer';
  const field: Field = {
    kind: choices.length > 0 ? 'choice' : numeric ? 'number' : core.type === 'boolean' ? 'boolean' : 'text',
    title: json.title ?? '',
    description: json.description ?? '',
    defaultValue: json.default,
    choices,
    range: numeric ? rangeText(core) : '',
    integer: core.type === 'integer',
    nullable: json.anyOf?.some(({ type }) => type === 'null') ?? false,
  };
  cache.set(schema, field);
  return field;
};

type Issue = z.core.$ZodIssue;

/** Path and message of an issue. For a union, the user probably meant the branch with the deepest issue. */
const explain = (issue: Issue): { readonly path: string; readonly message: string } => {
  const path = issue.path.join('.');
  if (issue.code !== 'invalid_union') return { path, message: issue.message };
  const nested = issue.errors.flat();
  const rank = (inner: Issue) => 2 * inner.path.length + (inner.code === 'invalid_type' ? 0 : 1);
  const best = [...nested].sort((a, b) => rank(b) - rank(a))[0];
  if (!best) return { path, message: issue.message };
  const inner = explain(best);
  return { path: [path, inner.path].filter((part) => part !== '').join('.'), message: inner.message };
};

export type Issues = ReadonlyMap<string, string>;

/** The first error of each path. */
export const issuesOf = (error: z.ZodError | undefined): Issues => {
  const issues = new Map<string, string>();
  for (const issue of error?.issues ?? []) {
    const { path, message } = explain(issue);
    if (!issues.has(path)) issues.set(path, message);
  }
  return issues;
};

/** The errors of the form, and those for which the server refused what the form shows. */
export const withRefusals = (issues: Issues, error: unknown): Issues => {
  const refused = error instanceof FunnelError ? (error.problem.issues ?? []) : [];
  const added = refused.map(
    ({ path, expected, received }) => [path, `Expected ${expected}, but got ${received}`] as const,
  );
  return new Map([...added, ...issues]);
};

/** The first error at a path or below it; null without one. */
export const issueAt = (issues: Issues, path: string): string | null => {
  for (const [at, message] of issues)
    if (at === path || at.startsWith(`${path}.`) || at.startsWith(`${path}[`)) return message;
  return null;
};
