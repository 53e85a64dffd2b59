/** `funnel tag`, `funnel note` and `--tag` against a running service. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type StartedApi, startApi } from '@funnel/api';
import type { Sweep, SweepDetail } from '@funnel/contracts';
import { createTestDatabase, type TestDatabase } from '@funnel/db/testing';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeSweeps, tagsText } from '../src/output/sweeps.ts';
import { funnel, type Ran } from './funnel.ts';

const home = mkdtempSync(join(tmpdir(), 'funnel-annotate-'));
const file = join(home, 'sweep.yaml');
let database: TestDatabase;
let api: StartedApi;
beforeAll(async () => {
  database = await createTestDatabase();
  const logger = pino({ level: 'silent' });
  api = await startApi({ databaseUrl: database.url, port: 0, engineVersion: 'stand-in', logger });
  writeFileSync(
    file,
    'name: annotated\ndataset: { name: glyphs, train: 128, test: 20, attack: 10 }\nattacks: fgsm\n',
  );
});
afterAll(async () => {
  await api?.close();
  await database?.drop();
  rmSync(home, { recursive: true });
});

const surroundings = () => ({ env: { FUNNEL_URL: api.url, FUNNEL_HOME: home } });
const run = (...args: string[]): Promise<Ran> => funnel(args, surroundings());
const json = async <T>(...args: string[]): Promise<T> => {
  const { status, stdout, stderr } = await run(...args, '--json');
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout);
};

describe('tags', () => {
  it('are given at the submission, added, removed and listed', async () => {
    const { id, tags } = await json<SweepDetail>('submit', file, '--tag', 'Baseline', '--tag', 'paper/v2');
    expect(tags).toEqual(['baseline', 'paper/v2']);
    expect((await run('tag', id)).stdout).toBe('baseline\npaper/v2\n');
    const changed = await run('tag', id, 'eps:0.1', 'baseline', '--remove', 'paper/v2');
    expect([changed.status, changed.stdout]).toEqual([0, 'baseline\neps:0.1\n']);
    expect(await json('tag', 'annotated')).toEqual({ id, tags: ['baseline', 'eps:0.1'] });
    const shown = (await run('show', id)).stdout;
    expect(shown).toMatch(/^tags {6}baseline, eps:0\.1$/m);
    await run('tag', id, '--remove', 'baseline', '--remove', 'eps:0.1');
    expect((await run('tag', id)).stdout).toBe('No tag yet: `npx funnel tag SWEEP TAG`\n');
    expect((await run('show', id)).stdout).not.toMatch(/^tags/m);
  });

  it('filter the list', async () => {
    const idOf = async (...tags: string[]) =>
      (await json<Sweep>('submit', file, ...tags.flatMap((tag) => ['--tag', tag]))).id;
    const both = await idOf('x', 'y');
    const one = await idOf('x');
    const listed = async (...args: string[]) => (await json<Sweep[]>('ls', ...args)).map(({ id }) => id);
    expect(await listed('--tag', 'x')).toEqual([one, both]);
    expect(await listed('--tag', 'x', '--tag', 'Y')).toEqual([both]);
    expect((await run('ls', '--tag', 'x')).stdout).toMatch(
      /^sweep .* tags +created .*\n.* x +2.*\n.* x, y +2/,
    );
    const exported = await json<{ sweepId: string; tags: string }[]>('export', 'trials', '--tag', 'x');
    expect(exported.map(({ sweepId, tags }) => [sweepId, tags])).toEqual([
      [both, 'x y'],
      [one, 'x'],
    ]);
    expect(await json('export', 'trials', '--sweep', one, '--tag', 'y')).toEqual([]);
    expect((await run('best', '--tag', 'x')).stdout).toBe(
      'No run that these options select has results yet.\n',
    );
    expect((await run('ls', '--tag', 'none')).stdout).toBe('No sweep matches: `npx funnel ls` lists all.\n');
  });

  it('that are wrong are refused, and nothing changes', async () => {
    const { id } = await json<Sweep>('submit', file, '--tag', 'kept');
    const refuse = async (status: number, words: string, ...args: string[]) => {
      const ran = await run(...args);
      expect([ran.status, ran.stdout]).toEqual([status, '']);
      expect(ran.stderr).toContain(words);
    };
    await refuse(2, 'Expected 1 to 40 of the characters a–z', 'tag', id, 'new', 'two words');
    await refuse(2, 'did you mean "kept"?', 'tag', id, 'new', '--remove', 'kep');
    await refuse(2, 'Expected 1 to 40 of the characters a–z', 'ls', '--tag', 'a b');
    const many = Array.from({ length: 20 }, (_, i) => `t${i}`);
    await refuse(3, 'addTags: expected at most 20 tags, got 21 with the others', 'tag', id, ...many);
    await refuse(3, 'There is no sweep', 'tag', 'nobody', 'a');
    const before = (await json<Sweep[]>('ls')).length;
    await refuse(2, 'Expected 1 to 40 of the characters a–z', 'submit', file, '--tag', '-');
    expect(await json('ls')).toHaveLength(before);
    expect(await json('tag', id)).toEqual({ id, tags: ['kept'] });
  });

  it('of a repeated submission stay, and the command says so', async () => {
    const first = await run('submit', file, '--key', 'once', '--tag', 'first', '--json');
    expect(first.stderr).not.toContain('already submitted');
    const { id, name }: Sweep = JSON.parse(first.stdout);
    const again = await run('submit', file, '--key', 'once', '--tag', 'second');
    expect(again.stderr).toContain(
      `The sweep ${name} (${id}) was already submitted with this key: no sweep is added.\n`,
    );
    expect(again.stderr).toContain(`\`npx funnel tag ${id} second\` adds others.`);
    expect(await json('tag', id)).toEqual({ id, tags: ['first'] });
  });

  it('have a column where there is room, with the first ones in a terminal', () => {
    expect(tagsText(['a', 'b'], 24)).toBe('a, b');
    expect(tagsText(['baseline', 'paper/v2', 'eps:0.1'], 24)).toBe('baseline, paper/v2, +1');
    expect(tagsText(['x'.repeat(40), 'y'], 24)).toBe(`${'x'.repeat(40)}, +1`);
    expect(tagsText(['baseline', 'paper/v2', 'eps:0.1'])).toBe('baseline, paper/v2, eps:0.1');
    const sweep: Sweep = {
      ...{ id: '0123456789abcdef', name: 'A name of a sweep', status: 'completed', tags: ['a'] },
      ...{ createdAt: '2026-01-01T00:00:00.000Z', finishedAt: null, trials: {}, progress: 1 },
      ...{ plan: {} as Sweep['plan'], epochsTrained: 0, etaSeconds: null, priority: 50, action: null },
    };
    expect(describeSweeps([sweep], 120)).toMatch(/ tags +created +name$/m);
    expect(describeSweeps([sweep], 60)).not.toContain('created');
    expect(describeSweeps([{ ...sweep, tags: [] }], 120)).not.toContain('tags');
    expect(describeSweeps([{ ...sweep, tags: undefined }], 120)).not.toContain('tags');
  });
});

describe('notes', () => {
  it('come from the command line or from stdin, and show prints them', async () => {
    const { id } = await json<Sweep>('submit', file);
    expect((await run('note', id)).stdout).toBe('No notes yet: `npx funnel note SWEEP TEXT`\n');
    expect((await run('note', id, 'γ = 5 wins')).stdout).toBe(`The notes of sweep ${id} are stored.\n`);
    expect((await run('note', id)).stdout).toBe('γ = 5 wins\n');
    const piped = await funnel(['note', id, '-', '--json'], {
      ...surroundings(),
      input: 'one\r\n\r\n two\n',
    });
    expect(JSON.parse(piped.stdout)).toEqual({ id, notes: 'one\n\n two' });
    expect((await run('show', id)).stdout).toMatch(/\nnotes\n {2}one\n\n {3}two\n/);
    expect((await run('note', id, '')).stdout).toBe(`The notes of sweep ${id} are removed.\n`);
    expect(await json('note', id)).toEqual({ id, notes: '' });
  });

  it('that are wrong are refused, and nothing changes', async () => {
    const { id } = await json<Sweep>('submit', file);
    await run('note', id, 'kept');
    for (const [status, input, words] of [
      [3, 'x'.repeat(10_001), 'notes: expected at most 10000 characters'],
      [3, 'a\u001bb', 'notes: expected a text without control characters, got \\x1b'],
      [2, ' '.repeat(17 * 2 ** 20), 'cannot be read: Expected at most 16777216 bytes, but got more'],
    ] as const) {
      const ran = await funnel(['note', id, '-'], { ...surroundings(), input });
      expect([ran.status, ran.stdout]).toEqual([status, '']);
      expect(ran.stderr).toContain(words);
    }
    expect(await json('note', id)).toEqual({ id, notes: 'kept' });
  });
});
