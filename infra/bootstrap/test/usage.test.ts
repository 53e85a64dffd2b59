/** Each script says how it is called, refuses what it does not know, and does nothing in both cases. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));

const run = (args: readonly string[]) =>
  spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8', timeout: 100_000 });

const tsx = ['--import', 'tsx'];
const bench = [...tsx, 'tools/bench/src/main.ts'];

const scripts: Readonly<Record<string, { readonly args: readonly string[]; readonly usage: RegExp }>> = {
  'npm run fuzz': { args: ['infra/bootstrap/fuzz.mjs'], usage: /^npm run fuzz -- \[--requests/ },
  'npm run check': { args: ['infra/bootstrap/check.mjs'], usage: /^npm run check/ },
  'npm run test:system': { args: ['infra/bootstrap/system.mjs'], usage: /^npm run test:system/ },
  'npm run chaos': { args: [...tsx, 'tools/chaos/src/main.ts'], usage: /^Usage: chaos/ },
  'npm run libraries': { args: [...tsx, 'tools/pack/src/main.ts'], usage: /^npm run libraries/ },
  'npm run openapi': { args: [...tsx, 'apps/api/src/write-openapi.ts'], usage: /^npm run openapi/ },
  'twenty sweeps': { args: ['tools/twenty-sweeps/record.mjs'], usage: /^node tools\/twenty-sweeps/ },
  'npm run bench': { args: bench, usage: /^train .*\nplan .*\nflood /s },
  'npm run bench -- fleet': { args: [...bench, 'fleet'], usage: /^fleet \[--workers 500\]/ },
  'npm run bench -- attack': {
    args: [...bench, 'attack'],
    usage: /^attack \[--model DIR\].*\nattack --peers/s,
  },
  'npm run bench -- attack --peers': { args: [...bench, 'attack', '--peers'], usage: /^attack / },
};

test.each(Object.entries(scripts))('%s --help prints its usage and ends with 0', (_, { args, usage }) => {
  const { status, stdout, stderr } = run([...args, '--help']);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toMatch(usage);
});

test.each(Object.entries(scripts))(
  '%s refuses an unknown option with 2 and without a stack',
  (_, { args }) => {
    const { status, stdout, stderr } = run([...args, '--nonsense']);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain('--nonsense');
    expect(stderr).not.toMatch(/^ +at /m);
  },
);

test.each([
  [
    'chaos',
    [...tsx, 'tools/chaos/src/main.ts', '--trials', 'many'],
    /'--trials <n>' argument 'many' is invalid/,
  ],
  ['chaos', [...tsx, 'tools/chaos/src/main.ts', '--sweep', 'no-such.yaml'], /--sweep: ENOENT/],
  ['fuzz', ['infra/bootstrap/fuzz.mjs', '--seed', '0'], /Expected --seed as a number from 1, but got 0/],
  ['bench', [...bench, 'fleet', '--workers', 'x'], /^--workers: Invalid input/],
  ['bench', [...bench, 'constructor'], /^Expected one of train, .*, but got constructor/],
])('%s refuses a value with a sentence', (_, args, sentence) => {
  const { status, stderr } = run(args);
  expect(status).toBe(2);
  expect(stderr).toMatch(sentence);
  expect(stderr).not.toMatch(/^ +at /m);
});

test('npm test --help says what it takes, and --version runs no test', () => {
  const script = 'infra/bootstrap/test.mjs';
  expect(run([script, '--help'])).toMatchObject({ status: 0, stdout: expect.stringMatching(/^npm test/) });
  expect(run([script, '--version'])).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^vitest\/\d+\.\d+\.\d+ [^\n]*\n$/),
  });
});
