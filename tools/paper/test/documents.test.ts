/** `docs/table2.md` is what the report writes from the results beside it, in the words of the present version. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { readResults, renderTable2 } from '../src/index.ts';

const docs = fileURLToPath(new URL('../../../docs', import.meta.url));
const read = (file: string): string => readFileSync(`${docs}/${file}`, 'utf8');

it('docs/table2.md and its figure come from docs/results', () => {
  const [first, ...others] = readdirSync(`${docs}/results`)
    .filter((file) => file.startsWith('table2-'))
    .map((file) => readResults(read(`results/${file}`)));
  const { text, figures } = renderTable2([first!, ...others]);
  expect(
    read('table2.md'),
    'write it again: npx funnel report table2 --sweep docs/results/table2-*.json --out docs/table2.md',
  ).toBe(text);
  for (const { file, svg } of figures) expect(read(file)).toBe(svg);
});
