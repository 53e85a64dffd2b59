import { expect, it } from 'vitest';
import { checkLabel, Diagnostic, diagnosticIds, diagnostics } from '../src/attacks/diagnostics.ts';

it('every check has its own name, of words with hyphens', () => {
  const names = diagnosticIds.map((id) => diagnostics[id].name);
  expect(new Set(names).size).toBe(22);
  for (const name of names) expect(name).toMatch(/^[a-z]+(-[a-z]+)+$/);
});

it('a stored result carries the number only, and its name comes from the table', () => {
  const stored = { id: 'H10', value: 1, threshold: 0, verdict: 'masked', detail: 'Zero.' };
  expect(checkLabel(Diagnostic.parse(stored).id)).toBe('gradient-is-zero (H10)');
});
