/** Reads the declared schemas for the form: the fields to draw, and errors by path. New hyperparameters and settings need no code here. */
import { FunnelError } from '@funnel/client';
import { formatAmount, type ProblemIssue, SweepDefinition } from '@funnel/contracts';
import { explainable, explainIssues } from '@funnel/contracts/explain-issues';
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

export type Parsed = {
  /** Undefined for a sweep with mistakes. */
  readonly definition: SweepDefinition | undefined;
  /** The mistakes in the words of the API, which uses the same code. */
  readonly issues: readonly ProblemIssue[];
};

export const parseSweep = (input: unknown): Parsed => {
  const { data, error } = SweepDefinition.safeParse(input, explainable);
  return {
    definition: data,
    issues: error ? explainIssues(error, SweepDefinition, input, 'body').issues : [],
  };
};

/** Why the server refused what the page shows, beyond what the page finds itself. */
export const refusalsOf = (error: unknown): readonly ProblemIssue[] =>
  error instanceof FunnelError ? (error.problem.issues ?? []) : [];

/** What is wrong at each path. */
export type Issues = ReadonlyMap<string, string>;

/** The first mistake of each path. */
export const issuesOf = (issues: readonly ProblemIssue[]): Issues => {
  const messages = new Map<string, string>();
  for (const { path, expected, received } of issues)
    if (!messages.has(path)) messages.set(path, `Expected ${expected}, but got ${received}`);
  return messages;
};

/** The first error at a path or below it; null without one. */
export const issueAt = (issues: Issues, path: string): string | null => {
  for (const [at, message] of issues)
    if (at === path || at.startsWith(`${path}.`) || at.startsWith(`${path}[`)) return message;
  return null;
};
