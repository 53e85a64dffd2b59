/** All mistakes of a sweep in one answer: those that its schema finds, and those that only the database and the planner find. */
import {
  AppError,
  isBuiltIn,
  isRecord,
  type ProblemIssue,
  type ServiceLimits,
  SweepDefinition,
} from '@funnel/contracts';
import type { Db } from '@funnel/db';
import { outlineChecked } from './plan-and-submit.ts';
import { resolveNames } from './resolve-names.ts';
import { type Size, sizeOf } from './size-of.ts';
import { issuesBy, issuesOf, together } from './together.ts';

/** `isCounted`: the parts that decide how many trials there are and how they are chosen are as the user wrote them. */
const faultsOf = async (
  db: Db,
  definition: SweepDefinition,
  limits: ServiceLimits,
  isCounted: boolean,
): Promise<readonly ProblemIssue[]> => {
  let resolved: SweepDefinition | undefined;
  const names = await issuesBy(async () => {
    resolved = (await resolveNames(db, definition)).definition;
  });
  if (!isCounted) return names;
  let isSmall = false;
  const sizes = await issuesBy(() => {
    isSmall = sizeOf(definition) === 'small';
  });
  const known = resolved ?? (isBuiltIn(definition.dataset.name) ? definition : null);
  if (!isSmall || !known) return [...names, ...sizes];
  const request = { definition: known, engineVersion: '' };
  return [...names, ...(await issuesBy(() => outlineChecked(request, limits)))];
};

type Part = { readonly top: string; readonly key: string | undefined };

/** `space.gamma[1]`: the part `gamma` of `space`. Of other parts than these two, a mistake anywhere leaves out the whole. */
const partOf = (path: string): Part => {
  const [top = '', key] = path.split(/[.[\]]+/);
  return top === 'space' || top === 'dataset' ? { top, key } : { top, key: undefined };
};

/** The body without its wrong parts: they have their defaults. */
const without = (body: Readonly<Record<string, unknown>>, parts: readonly Part[]): unknown => {
  const rest: Record<string, unknown> = { ...body };
  for (const { top, key } of parts) {
    const inner = rest[top];
    if (key !== undefined && isRecord(inner)) {
      const { [key]: _, ...others } = inner;
      rest[top] = others;
    } else delete rest[top];
  }
  return { ...rest, name: 'a sweep' };
};

/** The mistakes in the parts that have no other. */
const furtherFaults = async (
  db: Db,
  body: unknown,
  known: readonly ProblemIssue[],
  limits: ServiceLimits,
): Promise<readonly ProblemIssue[]> => {
  if (!isRecord(body)) return [];
  const parts = known.map(({ path }) => partOf(path));
  const tops = new Set(parts.map(({ top }) => top));
  const parsed = SweepDefinition.safeParse(without(body, parts));
  if (!parsed.success) return [];
  const isCounted = !tops.has('search') && !tops.has('recipes');
  const found = await faultsOf(db, parsed.data, limits, isCounted);
  const isNew = ({ path }: ProblemIssue): boolean => {
    const { top, key } = partOf(path);
    return !parts.some((part) => part.top === top && (part.key === undefined || part.key === key));
  };
  return found.filter(isNew);
};

/** The refusal of a body by its schema, with what else is wrong in it. `read`: the body without a check. */
export const refusalOfBody = async (
  db: Db,
  error: unknown,
  read: () => unknown,
  limits: ServiceLimits,
): Promise<unknown> => {
  if (!(error instanceof AppError) || error.code !== 'INVALID_REQUEST') return error;
  return together(error, await furtherFaults(db, read(), issuesOf(error), limits));
};

/** The size of a sweep. Throws the errors of `sizeOf`, with what is wrong in the names of the definition. */
export const measure = async (db: Db, definition: SweepDefinition): Promise<Size> => {
  try {
    return sizeOf(definition);
  } catch (error) {
    throw together(error, await issuesBy(() => resolveNames(db, definition)));
  }
};
