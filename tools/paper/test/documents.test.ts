/** `docs/table2.md` and `docs/findings.md` are what the reports write from the results beside them, in the words of the present version. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { readResults, renderFindings, renderTable2, type SweepResults } from '../src/index.ts';

const docs = fileURLToPath(new URL('../../../docs', import.meta.url));
const read = (file: string): string => readFileSync(`${docs}/${file}`, 'utf8');

const resultsOf = (part: string): readonly SweepResults[] =>
  readdirSync(`${docs}/results`)
    .filter((file) => file.startsWith(`${part}-`))
    .map((file) => readResults(read(`results/${file}`)));

it('docs/table2.md and its figure come from docs/results', () => {
  const [first, ...others] = resultsOf('table2');
  const { text, figures } = renderTable2([first!, ...others]);
  expect(
    read('table2.md'),
    'write it again: npx funnel report table2 --sweep docs/results/table2-*.json --out docs/table2.md',
  ).toBe(text);
  for (const { file, svg } of figures) expect(read(file)).toBe(svg);
});

it('docs/findings.md and its figures come from docs/results', () => {
  const { report } = renderFindings({
    reproduction: resultsOf('reproduction'),
    fullSize: resultsOf('full-size'),
    beyond: resultsOf('beyond'),
    baselines: resultsOf('baselines'),
  });
  expect(
    read('findings.md'),
    'write it again: npx funnel report findings --reproduction docs/results/reproduction-*.json --out docs/findings.md',
  ).toBe(report.text);
  for (const { file, svg } of report.figures) expect(read(file)).toBe(svg);
});
