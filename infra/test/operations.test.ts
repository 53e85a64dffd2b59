/** Every row of “What happens when …” in docs/operations.md names a test or a trial that shows it. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const page = readFileSync(`${root}/docs/operations.md`, 'utf8');
const section = /^## What happens when …\n(.*?)^## /ms.exec(page)?.[1] ?? '';

type Row = { readonly fault: string; readonly files: readonly string[]; readonly trials: readonly number[] };

const rowsOf = (text: string): Row[] =>
  text
    .split('\n')
    .filter((line) => /^\| (?!… \| then \|)/.test(line))
    .map((line) => {
      const [fault = '', , shownBy = ''] = line.slice(2, -2).split(' | ');
      return {
        fault,
        files: [...shownBy.matchAll(/`([^`]+\.ts)`/g)].map(([, file]) => file!),
        trials: [...shownBy.matchAll(/\[trial\]\(#trials\) (\d+)/g)].map(([, number]) => Number(number)),
      };
    });

const rows = rowsOf(section);
/** The numbers of the trials, each with its date and figures. */
const trials = [...section.matchAll(/^(\d+)\. \d{4}-\d\d-\d\d: .*\d/gm)].map(([, number]) => Number(number));

/** What is wrong with a row: it names nothing, or something that is not there. */
const faultsOf = ({ files, trials: named }: Row): string[] => [
  ...(files.length + named.length === 0 ? ['names neither a test nor a trial'] : []),
  ...files
    .filter((file) => !file.endsWith('.test.ts') || !existsSync(`${root}/${file}`))
    .map((file) => `${file} is no test`),
  ...named.filter((number) => !trials.includes(number)).map((number) => `there is no trial ${number}`),
];

test.each(rows)('$fault', (row) => {
  expect(faultsOf(row)).toEqual([]);
});

it('has rows, and every trial belongs to a row', () => {
  expect(rows.length).toBeGreaterThan(40);
  expect(trials).toEqual([...new Set(rows.flatMap((row) => row.trials))].sort((a, b) => a - b));
});

it('the check itself refuses a row that names nothing, a missing file and a missing trial', () => {
  const text = [
    '| … | then | shown by |',
    '|---|---|---|',
    '| a | b | chaos |',
    '| a | b | `apps/none.test.ts`, `apps/api/test/build.ts` |',
    '| a | b | [trial](#trials) 99 |',
    '| a | b | `infra/test/operations.test.ts` |',
  ].join('\n');
  expect(rowsOf(text).map(faultsOf)).toEqual([
    ['names neither a test nor a trial'],
    ['apps/none.test.ts is no test', 'apps/api/test/build.ts is no test'],
    ['there is no trial 99'],
    [],
  ]);
});
