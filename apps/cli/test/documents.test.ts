/** Runs every command and checks every block of code in the documents. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Problem, SweepDefinition } from '@funnel/contracts';
import { readSweepYaml } from '@funnel/contracts/sweep-yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Block,
  blocksOf,
  commandsOf,
  filesOf,
  inlineCommandsOf,
  namesOf,
  root,
} from './documents/blocks.ts';
import { elsewhere } from './documents/elsewhere.ts';
import { linearModel, pictures, preambles } from './documents/preambles.ts';
import { openWorkplace, type Workplace } from './documents/workplace.ts';
import { funnel } from './funnel.ts';

const documents = [
  'README.md',
  'docs/sweep-file.md',
  'docs/search.md',
  'docs/api.md',
  'docs/notebooks.md',
  'docs/operations.md',
  'docs/attacks.md',
  'docs/data.md',
];
const blocks = documents.flatMap(blocksOf);
const written = (...languages: string[]): { title: string; block: Block }[] =>
  blocks
    .filter(({ language }) => languages.includes(language))
    .map((block) => ({ title: `${block.document}, line ${block.line}`, block }));

let workplace: Workplace;
/** Inside the repository, because TypeScript looks for packages in the folders above a file. */
let scripts: string;
beforeAll(async () => {
  workplace = await openWorkplace();
  scripts = mkdtempSync(fileURLToPath(new URL('./documents/run-', import.meta.url)));
  const [sweep] = written('yaml');
  writeFileSync(join(workplace.folder, 'sweep.yaml'), sweep!.block.text);
  for (const [name, bytes] of Object.entries(pictures())) {
    mkdirSync(join(workplace.folder, name, '..'), { recursive: true });
    writeFileSync(join(workplace.folder, name), bytes);
  }
  mkdirSync(join(workplace.folder, 'my-model'));
  for (const [name, bytes] of Object.entries(await linearModel()))
    writeFileSync(join(workplace.folder, 'my-model', name), bytes);
});
afterAll(async () => {
  await workplace?.close();
  rmSync(scripts, { recursive: true, force: true });
});

/** The text with the address of this service, and with a data set that every machine has. */
const adapted = (text: string): string =>
  text.replaceAll('http://127.0.0.1:7070', workplace.url).replaceAll('--dataset mnist', '--dataset glyphs');

const runCommand = async (command: string): Promise<void> => {
  const other = elsewhere[command];
  if (other) return other(workplace);
  const { status, output } = await workplace.run('bash', ['-euo', 'pipefail', '-c', adapted(command)]);
  expect(status, `${command}\n${output}`).toBe(0);
  // When the API refuses a request, curl exits with 0 and prints the problem.
  if (command.startsWith('curl')) expect(output, command).not.toContain('urn:funnel:error');
};

/** The error of a sweep file with a mistake in its fourth line, as `--json` writes it. */
const errorOfCommand = async (): Promise<unknown> => {
  const lines = ['name: a', 'recipes: classic', 'dataset: { name: glyphs }', 'seeds: 0', ''];
  writeFileSync(join(workplace.folder, 'my.yaml'), lines.join('\n'));
  const { stderr } = await funnel(['plan', 'my.yaml', '--json', '--url', workplace.url], {
    cwd: workplace.folder,
  });
  return JSON.parse(stderr.trimEnd().split('\n').at(-1)!);
};

describe('documents', () => {
  it.each(written('sh'))('$title: commands run', async ({ block }) => {
    for (const command of commandsOf(block)) await runCommand(command);
  });

  it('README.md: commands in sentences run', async () => {
    for (const command of new Set(inlineCommandsOf('README.md'))) await runCommand(command);
  });

  it.each(written('yaml'))('$title: is a sweep', ({ block }) => {
    const { error } = SweepDefinition.safeParse(readSweepYaml(block.text));
    expect(error?.issues).toBeUndefined();
  });

  it('README.md: every line of the sweep file is explained', () => {
    const { text } = blocksOf('README.md').find(({ language }) => language === 'yaml')!;
    for (const line of text.trimEnd().split('\n')) expect(line).toMatch(/# \S/);
  });

  it.each(written('json'))('$title: is what the API or the command line answers', async ({ block }) => {
    const shown = JSON.parse(block.text);
    if ('error' in shown) expect(shown).toEqual(await errorOfCommand());
    else expect(Problem.parse(shown)).toEqual(shown);
  });

  it('TypeScript blocks pass the type check and run', { timeout: 240_000 }, async () => {
    const files = written('ts').map(({ block }, i) => {
      const name = `${block.document.replaceAll(/\W/g, '-')}-${i}.ts`;
      writeFileSync(
        join(scripts, name),
        `${preambles[block.document] ?? ''}${adapted(block.text)}\nexport {};\n`,
      );
      return name;
    });
    expect(files.length).toBeGreaterThan(0);
    const extended = fileURLToPath(new URL('tsconfig.json', root));
    writeFileSync(
      join(scripts, 'tsconfig.json'),
      JSON.stringify({ extends: extended, include: ['./*.ts'], exclude: [] }),
    );
    const tsc = fileURLToPath(new URL('node_modules/.bin/tsc', root));
    const checked = await workplace.run(tsc, ['--noEmit', '-p', scripts]);
    expect(checked.status, checked.output).toBe(0);
    for (const file of files) {
      const tsx = fileURLToPath(import.meta.resolve('tsx'));
      const { status, output } = await workplace.run(process.execPath, [
        '--import',
        tsx,
        join(scripts, file),
      ]);
      expect(status, `${file}\n${output}`).toBe(0);
    }
  });

  const python = spawnSync('python3', ['--version']).status === 0;
  if (!python) process.stderr.write('NOT RUN on this machine: docs/notebooks.md. apt-get install python3\n');
  it.runIf(python)('docs/notebooks.md: the cells run from top to bottom', async () => {
    const cells = written('python').map(({ block }) => block.text);
    const script = join(workplace.folder, 'notebook.py');
    writeFileSync(script, cells.join('\n'));
    const { status, output } = await workplace.run('python3', [script], { PYTHONIOENCODING: 'utf-8' });
    expect(status, output).toBe(0);
    expect(output).toMatch(/^8 trials, \d+ epochs/m);
    expect(output).toMatch(/INVALID_REQUEST: .*space\.gama/);
    expect(output).toMatch(/^completed \{'completed': 8\}/m);
    expect(output).toMatch(/^(fgsm|deepfool-l2) fooled \d+ of \d+$/m);
  });

  it.each([
    ...documents,
    'ARCHITECTURE.md',
    'docs/extending.md',
    'docs/models.md',
    'docs/recipes.md',
    'docs/running.md',
  ])('%s points at files that exist, and at pictures that load quickly', (document) => {
    for (const file of [...filesOf(document), ...namesOf(document)]) {
      expect(existsSync(new URL(file)), file).toBe(true);
      if (file.endsWith('.png')) expect(statSync(new URL(file)).size, file).toBeLessThan(300_000);
    }
  });

  it('every block is tested, and every replaced command still stands in a document', () => {
    const known = ['sh', 'yaml', 'json', 'ts', 'python', 'mermaid']; // a diagram is looked at
    expect(blocks.filter(({ language }) => !known.includes(language))).toEqual([]);
    const commands = [
      ...written('sh').flatMap(({ block }) => commandsOf(block)),
      ...inlineCommandsOf('README.md'),
    ];
    expect(Object.keys(elsewhere).filter((command) => !commands.includes(command))).toEqual([]);
  });
});
