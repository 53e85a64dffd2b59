/** Real shells load the completion script and complete words with it. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AttackName } from '@funnel/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { funnel } from './funnel.ts';

const folder = mkdtempSync(join(tmpdir(), 'funnel-completion-'));
const scripts = new Map<string, string>();
beforeAll(async () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { stdout, status, stderr } = await funnel(['completion', shell]);
    expect(status, stderr).toBe(0);
    writeFileSync(join(folder, shell), stdout);
    scripts.set(shell, stdout);
  }
  writeFileSync(join(folder, 'sweep one.yaml'), '');
});
afterAll(() => rmSync(folder, { recursive: true }));

const there = (shell: string): boolean => {
  const found = spawnSync(shell, ['--version']).status === 0;
  if (!found)
    process.stderr.write(`NOT ASKED on this machine: ${shell}, which is missing. apt-get install ${shell}\n`);
  return found;
};

/** The completions that bash offers for the last word. */
const inBash = (...words: string[]): string[] => {
  const ask = `source ./bash
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_funnel
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr, status } = spawnSync('bash', ['--norc', '-c', ask, 'bash', 'funnel', ...words], {
    cwd: folder,
    encoding: 'utf8',
  });
  expect([status, stderr]).toEqual([0, '']);
  return stdout.split('\n').filter((line) => line !== '');
};

describe('completion', () => {
  it.runIf(there('bash'))('in bash: commands, subcommands, flags, their values, files', () => {
    expect(inBash('su')).toEqual(['submit', 'submissions']);
    expect(inBash('')).toEqual(expect.arrayContaining(['up', 'submit', 'export', 'completion']));
    expect(inBash('submit', '--w')).toEqual(['--watch']);
    expect(inBash('submit', 'sweep')).toEqual(['sweep one.yaml']);
    expect(inBash('data', 'ver')).toEqual(['verify']);
    expect(inBash('token', '')).toEqual(expect.arrayContaining(['create', 'list', 'revoke']));
    expect(inBash('export', 'ev')).toEqual(['evaluations']);
    expect(inBash('export', '--format', '')).toEqual(['csv', 'json', 'parquet']);
    expect(inBash('best', '--attack', 'fg')).toEqual(
      AttackName.options.filter((name) => name.startsWith('fg')),
    );
    expect(inBash('best', '--masked', 'h', '--m')).toEqual(['--metric', '--masked']);
  });

  it.runIf(there('zsh'))('in zsh: it parses', () => {
    const { status, stderr } = spawnSync('zsh', ['-n', join(folder, 'zsh')], { encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
  });

  it.runIf(there('fish'))('in fish: it offers the words that begin with the typed letters', () => {
    const ask = (line: string) =>
      spawnSync('fish', ['--no-config', '-c', `source ./fish; complete -C '${line}'`], {
        cwd: folder,
        encoding: 'utf8',
      }).stdout;
    expect(ask('funnel su')).toMatch(/^submit\t/);
    expect(ask('funnel export --format p')).toMatch(/parquet/);
  });

  it.each(['zsh', 'fish'])('for %s names every command and the values of flags', (shell) => {
    for (const word of ['submit', 'best', 'watch', 'verify', 'parquet', 'deepfool-l2'])
      expect(scripts.get(shell)).toContain(word);
  });
});
