/** The notebook and the TypeScript program of examples/ do the same job: both run against a real service, on few images for one epoch. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { read } from '../documents/blocks.ts';
import { openWorkplace, type Workplace } from '../documents/workplace.ts';

type Cell = {
  readonly cell_type: 'markdown' | 'code';
  readonly id: string;
  readonly metadata: object;
  readonly source: readonly string[];
  readonly outputs?: readonly unknown[];
  readonly execution_count?: number | null;
};
type Notebook = {
  readonly cells: readonly Cell[];
  readonly metadata: object;
  readonly nbformat: number;
  readonly nbformat_minor: number;
};

/** Few images, and one epoch of everything except the classifier, which must get some images right. The two languages differ only in quotes. */
const smaller = (code: string): string =>
  code
    .replaceAll(/("?(?:initialise|optimise)Epochs"?): \d+/g, '$1: 1')
    .replace(/("?train"?): \d+/, '$1: 200')
    .replace(/("?test"?): \d+/, '$1: 64')
    .replace(/("?attack"?): 100\b/, '$1: 32');

const notebook: Notebook = JSON.parse(read('examples/notebook.ipynb'));
const code = notebook.cells
  .filter(({ cell_type }) => cell_type === 'code')
  .map(({ source }) => source.join(''));

/** Rank, recipe, γ and robust accuracy of each row. */
type Row = readonly (string | undefined)[];
const boards = new Map<string, readonly Row[]>();

let workplace: Workplace;
/** Inside the repository, because Node looks for packages in the folders above a file. */
let scripts: string;
beforeAll(async () => {
  workplace = await openWorkplace('real');
  scripts = mkdtempSync(fileURLToPath(new URL('./run-', import.meta.url)));
});
afterAll(async () => {
  await workplace?.close();
  rmSync(scripts, { recursive: true, force: true });
});

describe('examples/notebook.ipynb', () => {
  it('is a notebook of format 4.5 without outputs', () => {
    expect(notebook).toMatchObject({
      nbformat: 4,
      nbformat_minor: 5,
      metadata: { kernelspec: { name: 'python3' } },
    });
    expect(new Set(notebook.cells.map(({ id }) => id)).size).toBe(notebook.cells.length);
    for (const { id, cell_type, source, outputs, execution_count } of notebook.cells) {
      expect(id).toMatch(/^[\w-]{1,64}$/);
      expect(source.slice(0, -1).every((line) => line.endsWith('\n'))).toBe(true);
      expect({ outputs, execution_count }).toEqual(
        cell_type === 'code'
          ? { outputs: [], execution_count: null }
          : { outputs: undefined, execution_count: undefined },
      );
    }
  });

  const python = spawnSync('python3', ['--version']).status === 0;
  if (!python)
    process.stderr.write('NOT RUN on this machine: examples/notebook.ipynb. apt-get install python3\n');
  it.runIf(python)(
    'runs from top to bottom, without pandas and matplotlib',
    { timeout: 600_000 },
    async () => {
      const script = join(workplace.folder, 'notebook.py');
      const without =
        'import sys\nsys.modules.update(dict.fromkeys(["pandas", "matplotlib", "matplotlib.pyplot"]))\n';
      writeFileSync(script, without + smaller(code.join('\n')));
      const { status, output } = await workplace.run('python3', [script], { PYTHONIOENCODING: 'utf-8' });
      expect(status, output).toBe(0);
      expect(output).toMatch(/^4 trials, \d+ epochs to train$/m);
      expect(output).toMatch(/^completed$/m);
      const rows = [...output.matchAll(/^(\d) (funn|classic) (1|5|25|None) ([\d.]+) [\d.]+$/gm)];
      boards.set(
        'notebook',
        rows.map(([, rank, recipe, gamma, robust]) => [
          rank,
          recipe,
          gamma?.replace('None', '–'),
          Number(robust).toFixed(2),
        ]),
      );
      expect(boards.get('notebook')).toHaveLength(4);
      expect([...output.matchAll(/^γ (\d+) /gm)].map(([, gamma]) => gamma)).toEqual(['1', '5', '25']);
    },
  );
});

describe('examples/client.ts', () => {
  it('prints the same leaderboard', { timeout: 600_000 }, async () => {
    const script = join(scripts, 'client.ts');
    writeFileSync(script, smaller(read('examples/client.ts')));
    const tsx = fileURLToPath(import.meta.resolve('tsx'));
    const { status, output } = await workplace.run(process.execPath, ['--import', tsx, script]);
    expect(status, output).toBe(0);
    expect(output).toMatch(/^4 trials, \d+ epochs to train$/m);
    const rows = [...output.matchAll(/^(\d) {2}(funn|classic) +γ (\S+) +([\d.]+) #*$/gm)];
    boards.set(
      'client',
      rows.map(([, rank, recipe, gamma, robust]) => [rank, recipe, gamma, robust]),
    );
    expect(
      boards
        .get('client')
        ?.map(([, recipe, gamma]) => [recipe, gamma])
        .sort(),
    ).toEqual([
      ['classic', '–'],
      ['funn', '1'],
      ['funn', '25'],
      ['funn', '5'],
    ]);
    if (boards.has('notebook')) expect(boards.get('client')).toEqual(boards.get('notebook'));
  });
});
