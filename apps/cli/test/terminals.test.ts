/** Text from other users on this user's terminal: no control character is printed raw, and columns count the width of letters. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type StartedApi, startApi } from '@funnel/api';
import { createDb, type Db } from '@funnel/db';
import { createTestDatabase, type TestDatabase } from '@funnel/db/testing';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeSweeps } from '../src/output/sweeps.ts';
import { cutToWidth, displayWidth } from '../src/output/width.ts';
import { funnel, type Ran } from './funnel.ts';

const home = mkdtempSync(join(tmpdir(), 'funnel-terminals-'));
let database: TestDatabase;
let api: StartedApi;
let db: Db;

beforeAll(async () => {
  database = await createTestDatabase();
  db = createDb(database.url);
  const logger = pino({ level: 'silent' });
  api = await startApi({ databaseUrl: database.url, port: 0, engineVersion: 'stand-in', logger });
});
afterAll(async () => {
  await api?.close();
  await db?.close();
  await database?.drop();
  rmSync(home, { recursive: true });
});

const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> =>
  funnel(args, { env: { FUNNEL_URL: api.url, FUNNEL_HOME: home, ...env } });

const sweepFile = (name: string): string => {
  const file = join(home, `${randomUUID()}.json`);
  writeFileSync(
    file,
    JSON.stringify({ name, dataset: { name: 'glyphs', train: 100, test: 20, attack: 10 } }),
  );
  return file;
};

/** A control character other than a line feed. */
const rawControl = /[^\P{Cc}\n]|\p{Bidi_Control}/u;
const hostile = '\x1b[2J\x1b]0;owned\x07 \u202e';

describe('control characters', () => {
  it('in the name of a new sweep are refused with the path', async () => {
    const file = sweepFile(`a${hostile}b`);
    const { status, stderr } = await run(['submit', file]);
    expect({ status, stderr }).toEqual({
      status: 3,
      stderr: `${file} has a mistake:\n  line 1, name: expected a text without control characters and line breaks, got \\x1b\n→ Nothing was written. Correct the file and try again.\n`,
    });
  });

  it('in a name that an older version took are printed as escapes, also in JSON', async () => {
    const { stdout } = await run(['submit', sweepFile('older'), '--json']);
    const { id } = JSON.parse(stdout);
    await db.pool.query('UPDATE sweeps SET name = $2 WHERE id = $1', [id, `a${hostile}b`]);
    for (const args of [['ls'], ['show', id]])
      expect((await run(args)).stdout).toContain('a\\x1b[2J\\x1b]0;owned\\x07 \\u202eb');
    const json = (await run(['ls', '--json'])).stdout;
    expect(json).not.toMatch(rawControl);
    expect(JSON.parse(json)).toContainEqual(expect.objectContaining({ name: `a${hostile}b` }));
  });

  it('in the name of a sweep that is not there are escaped in the refusal', async () => {
    const { stderr } = await run(['show', `x${hostile}`]);
    expect(stderr).not.toMatch(rawControl);
    expect(stderr).toContain('\\x1b[2J');
  });
});

describe('control characters on the command line', () => {
  it.each([
    [[hostile]],
    [['ls', `--${hostile}`]],
    [['ls', '--limit', hostile]],
    [['submit', 'x.json', '--key', hostile]],
  ])('%j: are escaped in the error', async (args) => {
    const { status, stderr } = await run(args);
    expect(stderr).not.toMatch(rawControl);
    expect(stderr).toContain('\\x1b[2J');
    expect(status).toBe(2);
  });
});

describe('--key and tokens', () => {
  it('a key may have every letter: the same key gives the same sweep', async () => {
    const file = sweepFile('keyed');
    const submit = async () =>
      JSON.parse((await run(['submit', file, '--key', 'γ against β', '--json'])).stdout);
    const first = await submit();
    expect(await submit()).toEqual(first);
    const { rows } = await db.pool.query('SELECT key FROM idempotency_keys WHERE sweep_id = $1', [first.id]);
    expect(rows).toEqual([{ key: '127.0.0.1\nγ against β' }]); // the client, then its key
  });

  it.each([
    [['submit', 'x.json', '--key', 'a\nb'], {}, 'but got \\x0a'],
    [['ls'], { FUNNEL_TOKEN: '“abc”' }, 'The environment variable FUNNEL_TOKEN: Expected a token'],
    [['token', 'create', 'a\x1b[2J'], {}, 'but got \\x1b'],
  ] as const)('%j is refused in a sentence', async (args, env, sentence) => {
    const { status, stderr } = await run(args, env);
    expect(stderr).toContain(sentence);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(status).toBe(2);
  });
});

describe('--out', () => {
  it.each([
    [['export', '--out', '.'], 'it is a folder'],
    [['export', '--out', 'README/x.csv'], 'README'],
    [
      ['export', '--out', 'x.tsv'],
      'Expected a file that ends in .csv, .json, .parquet after --out, but got x.tsv',
    ],
    [['export', '--out', 'x.csv.gz'], 'but got x.csv.gz'],
    [['report', 'table2', '--sweep', 'none', '--out', '.'], 'it is a folder'],
  ] as const)('%j is refused before the work', async (args, sentence) => {
    writeFileSync(join(home, 'README'), '');
    // Nobody answers at this address: a request would end with status 4.
    const env = { FUNNEL_URL: 'http://127.0.0.1:1', FUNNEL_HOME: home };
    const { status, stderr } = await funnel(args, { env, cwd: home });
    expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringContaining(sentence) });
  });

  it('understands endings in capitals, replaces the file whole and leaves nothing beside it', async () => {
    const file = join(home, 'X.PARQUET');
    writeFileSync(file, 'older');
    const { status, stderr } = await run(['export', '--out', file]);
    expect([status, stderr]).toEqual([
      0,
      expect.stringMatching(/^Wrote \d+ rows? of \d+ columns to .*X\.PARQUET\.$/m),
    ]);
    expect(readFileSync(file).subarray(0, 4).toString()).toBe('PAR1');
    expect(readdirSync(home).filter((name) => name.endsWith('.part'))).toEqual([]);
  });
});

describe('widths', () => {
  it.each([
    ['abc', 3],
    ['実験', 4],
    ['e\u0301', 1],
    ['👍', 2],
  ])('%s takes %i columns', (text, width) => {
    expect(displayWidth(text)).toBe(width);
  });

  it('cuts between letters, never within one', () => {
    expect(cutToWidth('実験です', 8)).toBe('実験です');
    expect(cutToWidth('実験です', 7)).toBe('実験で…');
    expect(cutToWidth('実験です', 6)).toBe('実験…');
    expect(cutToWidth('ae\u0301bc', 3)).toBe('ae\u0301…');
  });

  it.each([80, 120, 200])('names of sweeps are cut at %i columns', async (columns) => {
    const { stdout } = await run(['ls', '--json', '--limit', '1']);
    const [sweep] = JSON.parse(stdout);
    for (const name of ['n'.repeat(200), '実'.repeat(60), '👍'.repeat(60)]) {
      const [, line = ''] = describeSweeps([{ ...sweep, name }], columns).split('\n');
      const room = columns - displayWidth(line.slice(0, line.lastIndexOf('  ') + 2));
      expect(line.endsWith('…')).toBe(displayWidth(name) > Math.max(20, room));
      if (room >= 20) expect(displayWidth(line)).toBeLessThanOrEqual(columns);
      expect(describeSweeps([{ ...sweep, name }])).toContain(name);
    }
  });
});

describe('the name of a sweep in place of its id', () => {
  it('finds the sweep', async () => {
    const { id } = JSON.parse((await run(['submit', sweepFile('my sweep, γ'), '--json'])).stdout);
    await run(['submit', sweepFile('my sweep, γ2')]);
    for (const args of [
      ['show', 'my sweep, γ'],
      ['pause', 'my sweep, γ'],
    ])
      expect(JSON.parse((await run([...args, '--json'])).stdout).id).toBe(id);
    expect((await run(['best', '--sweep', 'my sweep, γ'])).stdout).toBe(
      'No evaluation yet.\nThe sweep is paused: 0 of 1 trial is measured.\n',
    );
    expect((await run(['best', '--sweep', 'my sweep, γ', '--attack', 'pgd-linf'])).stdout).toBe(
      'No run that these options select has results of pgd-linf. `--attack worst` ranks by the attacks that there are.\nThe sweep is paused: 0 of 1 trial is measured.\n',
    );
    expect((await run(['best', '--recipe', 'trades'])).stdout).toBe(
      'No run that these options select has results yet.\n',
    );
    expect((await run(['trials', 'my sweep, γ'])).stdout).toContain(`${id}-00000`);
  });

  it('is refused when two sweeps have it, or none', async () => {
    for (const file of [sweepFile('twice'), sweepFile('twice')]) await run(['submit', file]);
    const ids = JSON.parse((await run(['ls', '--search', 'twice', '--json'])).stdout).map(
      ({ id }: { id: string }) => id,
    );
    const { status, stderr } = await run(['cancel', 'twice']);
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: `2 sweeps have the name twice. Give the id of one of them:\n  ${ids[0]}  running  twice\n  ${ids[1]}  running  twice\n`,
    });
    expect(await run(['watch', 'twic'])).toMatchObject({
      status: 3,
      stderr: `There is no sweep with the id or the name twic. Did you mean one of these?\n  ${ids[0]}  running  twice\n  ${ids[1]}  running  twice\n`,
    });
    expect(await run(['watch', 'thrice'])).toMatchObject({
      status: 3,
      stderr: 'There is no sweep with the id or the name thrice.\n→ `npx funnel ls` lists sweeps.\n',
    });
  });
});

it('a list that ends before its last item says so', async () => {
  await run(['submit', sweepFile('second')]);
  const cut = await run(['ls', '--limit', '1']);
  expect(cut.stderr).toBe('This is the first sweep; there are more. --limit shows more.\n');
  expect((await run(['ls'])).stderr).toBe('');
});
