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

/** Few images. The two languages differ only in quotes. */
const smaller = (code: string): string =>
  code
    .replace(/("?train"?): \d+/, '$1: 200')
    .replace(/("?test"?): \d+/, '$1: 64')
    .replace(/("?attack"?): 100\b/, '$1: 32');

const notebook: Notebook = JSON.parse(read('examples/notebook.ipynb'));
const code = notebook.cells
  .filter(({ cell_type }) => cell_type === 'code')
  .map(({ source }) => source.join(''));

/** The training ε and the robust accuracy of each run, as a program prints them. */
type Results = readonly (readonly string[])[];
const resultsIn = (output: string): Results =>
  [...output.matchAll(/training ε (\S+) +(?:robust )?([\d.]+) #*$/gm)]
    .map(([, epsilon, robust]) => [epsilon!, robust!])
    .sort();
const printed = new Map<'notebook' | 'client', Results>();

/** What both programs print besides the ids of trials. */
const expectResults = (program: 'notebook' | 'client', output: string): void => {
  expect(output).toMatch(/^4 trials, \d+ epochs to train$/m);
  printed.set(program, resultsIn(output));
  expect(printed.get(program)!.map(([epsilon]) => epsilon)).toEqual(['0', '0.025', '0.05', '0.1']);
};

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
      expect(output).toMatch(/^completed$/m);
      expectResults('notebook', output);
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
    expectResults('client', output);
    if (printed.has('notebook')) expect(printed.get('client')).toEqual(printed.get('notebook'));
  });
});
