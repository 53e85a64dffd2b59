/** The launcher on a copy of the sources: it builds if the build is missing or a source has changed, and only then. */
import { execFile } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { funnel, launcher } from './funnel.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const copy = mkdtempSync(join(tmpdir(), 'funnel-launcher-'));
afterAll(() => rmSync(copy, { recursive: true, force: true }));

/** node_modules of the copy: links to the packages from npm, and to Funnel's own packages in the copy. */
const linkPackages = (): void => {
  const there = join(root, 'node_modules');
  const here = join(copy, 'node_modules');
  mkdirSync(join(here, '@funnel'), { recursive: true });
  for (const name of readdirSync(there).filter((each) => !each.startsWith('.') && each !== '@funnel'))
    symlinkSync(join(there, name), join(here, name));
  cpSync(join(there, '.package-lock.json'), join(here, '.package-lock.json'));
  for (const folder of ['apps', 'packages', 'tools'])
    for (const name of readdirSync(join(copy, folder)))
      symlinkSync(join(copy, folder, name), join(here, '@funnel', name));
};

beforeAll(() => {
  for (const part of ['package.json', 'package-lock.json', 'infra/bootstrap', 'apps', 'packages', 'tools'])
    cpSync(join(root, part), join(copy, part), {
      recursive: true,
      filter: (path) => !['node_modules', 'dist', 'test'].includes(basename(path)),
    });
  linkPackages();
});

const dist = join(copy, 'apps/cli/dist');
const run = async (...args: string[]): Promise<string> => {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [
    join(copy, 'apps/cli/bin/funnel.mjs'),
    ...args,
  ]);
  // A call that waits long for the build of another one says so.
  expect(stderr.replace(/^funnel: waiting for another start in this folder \(process \d+\)\n/, '')).toBe('');
  return stdout;
};
const builtAt = (): number => statSync(join(dist, 'main.js')).mtimeMs;
const source = (path: string): string => join(copy, path);
const change = (path: string, from: string, to: string): void => {
  const text = readFileSync(source(path), 'utf8');
  expect(text).toContain(from);
  writeFileSync(source(path), text.replaceAll(from, to));
};

describe('the launcher', () => {
  it('builds once, again after any change of a source, and not when only a time has changed', async () => {
    const { version } = JSON.parse(readFileSync(join(root, 'apps/cli/package.json'), 'utf8'));
    expect(await run('--version')).toBe(`${version}\n`);
    const first = builtAt();
    expect(await run('ls', '--help')).toContain('sweeps, newest first');
    expect(builtAt()).toBe(first);

    // A checkout or a copy changes times too.
    utimesSync(source('apps/cli/src/commands/sweeps.ts'), 1, 1);
    await run('--version');
    expect(builtAt()).toBe(first);

    // The new text has the same length and an older time: only the content differs.
    change('apps/cli/src/commands/sweeps.ts', 'sweeps, newest first', 'sweeps, latest first');
    utimesSync(source('apps/cli/src/commands/sweeps.ts'), 2, 2);
    expect(await run('ls', '--help')).toContain('sweeps, latest first');

    // A package, a manifest, and the build script itself.
    change('packages/contracts/src/statuses.ts', '  paused: ', '  halted: ');
    expect(await run('ls', '--help')).toMatch(/choices:.*"halted"/);
    change('apps/cli/package.json', `"version": "${version}"`, '"version": "9.9.9"');
    expect(await run('--version')).toBe('9.9.9\n');
    const before = builtAt();
    change('infra/bootstrap/build.mjs', 'const keptDays = 7', 'const keptDays = 8');
    await run('--version');
    expect(builtAt()).toBeGreaterThan(before);

    // The old chunks stay, because a command that started before may still load them.
    expect(readdirSync(dist).filter((name) => name.startsWith('sweeps-')).length).toBeGreaterThan(1);
  });

  it('builds once for several first calls at the same time', async () => {
    rmSync(dist, { recursive: true });
    const all = await Promise.all([1, 2, 3].map(() => run('--version')));
    expect(new Set(all).size).toBe(1);
    expect(readdirSync(dist).filter((name) => name.startsWith('.'))).toEqual([]);
  });
});

/** Sources in the chunks that `funnel ls` loads: those of its entry, of its command, and of all that they import. */
const sourcesOfLs = (): string[] => {
  const folder = join(dirname(dirname(launcher)), 'dist');
  const loaded = new Map<string, string>();
  const load = (name: string): void => {
    if (loaded.has(name)) return;
    const text = readFileSync(join(folder, name), 'utf8');
    loaded.set(name, text);
    for (const [, next] of text.matchAll(/^import (?:[^'"]*? from )?["']\.\/([^"']+)["']/gm)) load(next!);
  };
  load('main.js');
  const [command] = /sweeps-[\w-]+\.js/.exec(loaded.get('main.js')!)!;
  load(command);
  return [...loaded.values()].flatMap((text) =>
    [...text.matchAll(/^\/\/(?:#region| )\s*(\S+\/\S+\.\w+)$/gm)].map(([, path]) => path!),
  );
};

it('`funnel ls` loads no schema of a sweep, no YAML parser and no TensorFlow.js', async () => {
  await funnel(['--version']);
  const sources = sourcesOfLs();
  expect(sources).toEqual(expect.arrayContaining([expect.stringMatching(/cli\/src\/commands\/sweeps\.ts$/)]));
  const own = sources.flatMap((path) => /(?:apps|packages|tools)\/.*/.exec(path) ?? []);
  expect(own.filter((path) => path.startsWith('packages/')).sort()).toEqual([
    'packages/client/src/client.ts',
    'packages/client/src/events.ts',
    'packages/client/src/request.ts',
    'packages/client/src/upload-dataset.ts',
    'packages/contracts/src/attacks/define-attack.ts',
    'packages/contracts/src/attacks/diagnostics.ts',
    'packages/contracts/src/best-configuration.ts',
    'packages/contracts/src/did-you-mean.ts',
    'packages/contracts/src/durations.ts',
    'packages/contracts/src/errors.ts',
    'packages/contracts/src/json.ts',
    'packages/contracts/src/make-folder.ts',
    'packages/contracts/src/metrics.ts',
    'packages/contracts/src/mistake-text.ts',
    'packages/contracts/src/next-step.ts',
    'packages/contracts/src/other-sweeps.ts',
    'packages/contracts/src/statistics.ts',
    'packages/contracts/src/statuses.ts',
    'packages/contracts/src/student-t.ts',
    'packages/contracts/src/sweep-annotations.ts',
    'packages/contracts/src/sweep-epochs.ts',
    'packages/contracts/src/sweep-progress.ts',
    'packages/contracts/src/system-errors.ts',
    'packages/contracts/src/text.ts',
    'packages/contracts/src/threat-model.ts',
    'packages/contracts/src/trial-verdict.ts',
  ]);
  const packages = sources.flatMap((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []);
  for (const name of ['yaml', 'pg', 'fastify', '@tensorflow/tfjs', 'hyparquet-writer'])
    expect(packages).not.toContain(name);
});
