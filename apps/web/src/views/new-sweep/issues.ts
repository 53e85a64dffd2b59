/** The schema's refusals by path, in words. */
import type { z } from 'zod';

type Issue = z.core.$ZodIssue;

/** Of a union's branches the one that got furthest knows best what was meant. */
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

export const issuesOf = (error: z.ZodError | undefined): Issues => {
  const issues = new Map<string, string>();
  for (const issue of error?.issues ?? []) {
    const { path, message } = explain(issue);
    if (!issues.has(path)) issues.set(path, message);
  }
  return issues;
};

/** What is wrong at a path or below it. */
export const issueAt = (issues: Issues, path: string): string | null => {
  for (const [at, message] of issues) if (at === path || at.startsWith(`${path}.`)) return message;
  return null;
};
