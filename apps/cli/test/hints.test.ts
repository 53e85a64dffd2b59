/** The program, its pages, alerts and examples name commands. Each of them works as typed: the real program parses it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { buildProgram, commandFiles } from '../src/main.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const shown =
  /^(((apps|packages|tools)\/[^/]+\/src\/.*\.tsx?)|(infra\/bootstrap\/.*|apps\/cli\/bin\/.*)\.mjs|infra\/(observability|k8s)\/.*\.ya?ml|examples\/.*\.yaml|\.env\.example|docker-compose\.yml)$/;
const files = ['apps', 'packages', 'tools', 'infra', 'examples']
  .flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true }).map((path) => join(folder, String(path))),
  )
  .concat('.env.example', 'docker-compose.yml')
  .filter((path) => shown.test(path) && !path.includes('node_modules'));

/** Comments of code are for its readers; comments of YAML and of .env.example are for users. */
const readShown = (file: string): string => {
  const text = readFileSync(join(root, file), 'utf8');
  return /\.(ts|tsx|mjs)$/.test(file)
    ? text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|\s)\/\/ .*$/gm, '')
    : text.replaceAll(/ \\\n# +/g, ' ');
};

/** Values for the expressions in hints. Every other expression is an id. */
const samples: Readonly<Record<string, string>> = {
  '${name}': 'mnist',
  '${topic}': 'metrics',
  '${present[0]}': 'failed',
  '${nextSweep(env)}': 'examples/gamma-beta.yaml',
};
const sample = (expression: string): string => samples[expression] ?? 'x';

type Hint = { readonly file: string; readonly command: string };
const hints = files.flatMap((file): Hint[] =>
  [...readShown(file).matchAll(/\bnpx funnel ((?:\$\{[^}]*\}|'[^'`\n]*'|[^`<>()'"|\\\n])*)/g)].map(
    ([, words = '']) => ({ file, command: words.replaceAll(/\$\{[^}]*\}/g, sample).trim() }),
  ),
);

/** Parses a command with the real program, but does not run it. Returns the name of the command that would run. */
const parse = async (command: string): Promise<string> => {
  const program = await buildProgram({});
  let reached = '';
  const visit = (each: Command): void => {
    each.exitOverride().configureOutput({ writeOut: () => {}, writeErr: () => {} });
    if (each.commands.length === 0 || each.name() === 'workers')
      // `workers` alone lists them
      each.action(() => {
        reached = each.name();
      });
    each.commands.forEach(visit);
  };
  visit(program);
  const words = command.split(/\s+/).map((word) => word.replace(/^'(.*)'$/, '$1'));
  await program.parseAsync(words, { from: 'user' });
  return reached;
};

describe('hints', () => {
  const commands = [...new Set(hints.map(({ command }) => command))].filter(
    (command) => command !== '…' && command !== '',
  );

  it.each(commands)('npx funnel %s', async (command) => {
    if (['--help', '--version'].includes(command))
      return expect(parse(command)).rejects.toMatchObject({ exitCode: 0 });
    expect(await parse(command.replaceAll('NAME', 'name'))).not.toBe(''); // the name of a data set has small letters
  });

  it('are found in the program, the API, the pages and the alerts', () => {
    const found = (folder: string) => hints.filter(({ file }) => file.startsWith(folder)).length;
    for (const folder of ['apps/cli', 'apps/web', 'packages/contracts', 'infra/observability', 'examples'])
      expect(found(folder), folder).toBeGreaterThan(0);
    expect(hints.map(({ command }) => command)).toEqual(
      expect.arrayContaining(['data get mnist', 'doctor', 'token create NAME', 'watch x', 'migrate']),
    );
  });

  it('all begin with npx, because `funnel` alone is not on the PATH', () => {
    const names = commandFiles.flatMap((file) => file.names).join('|');
    const bare = new RegExp(`(?<!npx )(?<!name: ')\\bfunnel (${names})\\b`, 'g');
    const found = files.flatMap((file) =>
      [...readShown(file).matchAll(bare)].map(([words]) => `${file}: ${words}`),
    );
    // The Kubernetes namespace is called `funnel` too.
    expect(found.filter((line) => !line.startsWith('infra/k8s'))).toEqual([]);
  });

  it('with a mistake are refused', async () => {
    for (const command of ['token create', 'retry', 'data get nothing', 'trials x --status odd', 'gcc'])
      await expect(parse(command), command).rejects.toThrow();
  });
});
