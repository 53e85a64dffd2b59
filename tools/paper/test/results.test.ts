/** The file of `report save`: what goes in comes out, and equal checks stand in it once. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { readResults, writeResults } from '../src/index.ts';

const kept = readResults(
  readFileSync(new URL('../../../docs/results/table2-seed-0.json', import.meta.url), 'utf8'),
);

it('gives back what was kept, and holds equal checks once', () => {
  const [first, ...others] = kept.results;
  const evaluations = first!.trial.evaluations.map((one, i) =>
    i === 3 ? { ...one, diagnostics: one.diagnostics.slice(1) } : one,
  );
  const results = [{ ...first!, trial: { ...first!.trial, evaluations } }, ...others];
  const text = writeResults({ ...kept, results });
  expect(readResults(text).results).toEqual(results);
  const [line] = JSON.parse(text).results;
  expect(
    line.trial.evaluations.map(({ diagnostics }: { diagnostics: unknown }) =>
      Array.isArray(diagnostics) ? diagnostics.length : diagnostics,
    ),
  ).toEqual([19, 0, 0, 18, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  expect(first!.trial.evaluations[1]!.diagnostics).toEqual(first!.trial.evaluations[0]!.diagnostics);
});

it('refuses a file that names checks of an evaluation that it does not have', () => {
  const file = JSON.parse(writeResults(kept));
  file.results[0].trial.evaluations[1].diagnostics = 99;
  expect(() => readResults(JSON.stringify(file))).toThrow('diagnostics');
});
