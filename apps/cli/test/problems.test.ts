/** Refusals of the API in words for somebody at a terminal. */
import { type ErrorCode, errors, type Problem } from '@funnel/contracts';
import { describe, expect, it } from 'vitest';
import { describeFileProblem, describeProblem } from '../src/problems.ts';
import type { Place } from '../src/sweep-lines.ts';

const problem = (code: ErrorCode, changes: Partial<Problem> = {}): Problem => {
  const { title, status, hint } = errors[code];
  return {
    type: 'about:blank',
    title,
    status,
    code,
    detail: 'Expected a token, but got none',
    hint,
    ...changes,
  };
};
const issue = { path: 'space.gama', expected: 'gamma', received: 'the key "gama"' };

describe('a refusal', () => {
  it('names a command, and no header', () => {
    expect(describeProblem(problem('UNAUTHENTICATED'))).toBe(
      'The token is missing or wrong: Expected a token, but got none\n→ Make one where that Funnel runs: `npx funnel token create NAME`. Then give it to your shell: export FUNNEL_TOKEN=…',
    );
  });

  it('keeps the hint that an error brings itself', () => {
    expect(describeProblem(problem('UNAUTHENTICATED', { hint: 'Unset it.' }))).toMatch(/\n→ Unset it\.$/);
  });

  it.each(Object.keys(errors) as ErrorCode[])('%s speaks of no routes and headers', (code) => {
    const detail = 'What came.';
    for (const issues of [undefined, [issue]])
      expect(describeProblem(problem(code, { detail, ...(issues && { issues }) }))).not.toMatch(
        /route|header|Authorization|Retry-After|\/docs|\/readyz|application\/|`issues`|Idempotency-Key/i,
      );
  });

  it('of a command that only reads does not speak of changes', () => {
    const refused = problem('INVALID_REQUEST', { issues: [issue] });
    const words = 'Funnel refuses these values:\n  space.gama: expected gamma, got the key "gama"\n→ ';
    expect(describeProblem(refused, { onlyReads: true })).toBe(
      `${words}Correct the command. With --help it says which values it takes.`,
    );
    expect(describeProblem(refused)).toBe(`${words}Nothing was changed.`);
    expect(describeFileProblem('my.yaml', refused, { onlyReads: true })).toBe(
      'my.yaml has a mistake:\n  space.gama: expected gamma, got the key "gama"\n→ Correct the file and try again.',
    );
  });

  it('of a file names the file, and counts its mistakes', () => {
    const refused = problem('INVALID_REQUEST', { issues: [issue] });
    expect(describeFileProblem('my.yaml', refused)).toBe(
      'my.yaml has a mistake:\n  space.gama: expected gamma, got the key "gama"\n→ Nothing was written. Correct the file and try again.',
    );
    expect(describeFileProblem('my.yaml', { ...refused, issues: [issue, issue] })).toMatch(
      /^my\.yaml has 2 mistakes:\n/,
    );
  });

  it('of a file says "the file" for all of it, and names an option once', () => {
    const issues = ['body', 'seeds', 'seeds[1]'].map((path) => ({ path, expected: 'less', received: '9' }));
    const placeOf = (path: string): Place => (path === 'body' ? null : '--set seeds');
    expect(describeFileProblem('my.yaml', problem('INVALID_REQUEST', { issues }), { placeOf })).toContain(
      [
        '',
        '  the file: expected less, got 9',
        '  --set seeds: expected less, got 9',
        '  --set seeds: seeds[1]: expected less, got 9',
        '',
      ].join('\n'),
    );
  });

  it('of a file lists its mistakes by line, and names the option that wrote a value', () => {
    const at = (path: string) => ({ path, expected: 'less', received: '9' });
    const places: Record<string, Place> = { late: 12, early: 3, option: '--set seeds' };
    const refused = problem('INVALID_REQUEST', { issues: ['option', 'late', 'unknown', 'early'].map(at) });
    expect(describeFileProblem('my.yaml', refused, { placeOf: (path) => places[path] ?? null })).toBe(
      [
        'my.yaml with --set has 4 mistakes:',
        '  line 3, early: expected less, got 9',
        '  line 12, late: expected less, got 9',
        '  --set seeds: option: expected less, got 9',
        '  unknown: expected less, got 9',
        '→ Nothing was written. Correct the file or --set and try again.',
      ].join('\n'),
    );
  });
});
