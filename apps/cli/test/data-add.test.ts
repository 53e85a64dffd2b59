/** `funnel data add` against a running service: what it shows, what the service then has, and what is left on the disk. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type StartedApi, startApi } from '@funnel/api';
import type { DatasetDetail, DatasetImages } from '@funnel/contracts';
import { createTestDatabase, makeDataset, mountSmallDisk, type TestDatabase } from '@funnel/db/testing';
import { encode } from 'fast-png';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { funnel, type Ran } from './funnel.ts';

const extract = fileURLToPath(new URL('../../../fixtures/data/mnist', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'funnel-data-add-'));
const home = join(folder, 'home');
let database: TestDatabase;
let api: StartedApi;

beforeAll(async () => {
  database = await createTestDatabase();
  api = await startApi({
    databaseUrl: database.url,
    port: 0,
    engineVersion: 'stand-in',
    logger: pino({ level: 'silent' }),
  });
});
afterAll(async () => {
  await api?.close();
  await database?.drop();
  rmSync(folder, { recursive: true });
});

const add = (...args: string[]): Promise<Ran> =>
  funnel(['data', 'add', ...args], { env: { FUNNEL_URL: api.url, FUNNEL_HOME: home } });
const get = async <T>(path: string): Promise<T> => (await fetch(`${api.url}${path}`)).json();

/** A folder with a folder for each class; picture i of class c is coloured (10 c, i, 0). */
const pictures = (classes: readonly string[], count: number): string => {
  const root = mkdtempSync(join(folder, 'pictures-'));
  for (const [c, name] of classes.entries()) {
    mkdirSync(join(root, name));
    for (let i = 0; i < count; i++) {
      const data = Uint8Array.from({ length: 12 }, (_, k) => [10 * c, i, 0][k % 3]!);
      writeFileSync(join(root, name, `${i}.png`), encode({ width: 2, height: 2, channels: 3, data }));
    }
  }
  return root;
};

it('adds a folder of pictures: the service has its images, and the folder of Funnel only the samples', async () => {
  const path = pictures(['cat', 'dog'], 5);
  const { status, stdout, stderr } = await add('pets', path, '--order', 'name');
  expect(status, stderr).toBe(0);
  expect(stdout).toContain('pets: a folder of pictures, 2 × 2 pixels, colour\n');
  expect(stdout).toMatch(/cat +4 +1\n *dog +4 +1\n/);
  expect(stdout).toMatch(/Added. A sweep file names it: dataset: \{ name: pets \}\n$/);
  expect(readdirSync(home)).toEqual(['samples']);
  expect(
    readFileSync(join(home, 'samples', 'pets.png'))
      .subarray(1, 4)
      .toString(),
  ).toBe('PNG');

  const detail = await get<DatasetDetail>('/v1/datasets/pets');
  expect(detail).toMatchObject({
    shape: [2, 2, 3],
    classes: ['cat', 'dog'],
    train: 8,
    test: 2,
    isStored: true,
  });
  expect(stdout).toContain(detail.digest);
  const { images, label } = await get<DatasetImages>('/v1/datasets/pets/images?split=train');
  // In the order of the names: 0.png of both classes, 1.png of both, …
  const expected = images.map((image) => [...Buffer.from(image, 'base64').subarray(0, 2)]);
  expect(expected.map(([red]) => red! / 10)).toEqual(label);
  expect(expected.map(([, green]) => green!)).toEqual(expected.map(([, green]) => green!).sort());
});

it('shows with --dry-run what the files are, and needs no service', async () => {
  // A killed command leaves its folder behind. No process has this id.
  mkdirSync(join(home, 'adding-999999999-x'), { recursive: true });
  const { status, stdout } = await funnel(['data', 'add', 'digits', extract, '--dry-run', '--json'], {
    env: { FUNNEL_URL: 'http://127.0.0.1:9', FUNNEL_HOME: home },
  });
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    name: 'digits',
    format: 'IDX files',
    content: { shape: [28, 28, 1], train: 1000, test: 1000 },
    isAdded: false,
    builtIn: null,
  });
  expect((await fetch(`${api.url}/v1/datasets/digits`)).status).toBe(404);
  expect(readdirSync(home)).toEqual(['samples']);
});

it('gives the height first, as --size and the shape of the data set do, and says so', async () => {
  const { stdout } = await add('tall', pictures(['a', 'b'], 3), '--size', '3x2', '--dry-run');
  expect(stdout).toContain('tall: a folder of pictures, 3 × 2 pixels (height × width), colour\n');
});

it('names the folder whose disk is full, and a way out', async ({ skip }) => {
  const disk = mountSmallDisk(2);
  if (!disk) return skip();
  onTestFinished(disk.unmount);
  const small = join(disk.folder, 'home');
  mkdirSync(small);
  disk.fill();
  const { status, stderr } = await funnel(['data', 'add', 'digits', extract, '--dry-run'], {
    env: { FUNNEL_HOME: small },
  });
  expect(status).toBe(2);
  expect(stderr).toMatch(
    /^.*\/home\/adding-.*: expected room for the images, but the disk is full: .* set FUNNEL_HOME to/,
  );
});

it('does not advise to remove a data set that is built in', async () => {
  const { status, stderr } = await add('glyphs', pictures(['a', 'b'], 3));
  expect(status).toBe(3);
  expect(stderr).toMatch(/but glyphs is built in, with other images\.\n→ Take another name\.\n$/);
  expect(existsSync(join(home, 'samples', 'glyphs.png'))).toBe(false);
});

it('repeats an upload, and refuses another content under the name', async () => {
  const path = pictures(['a', 'b'], 3);
  expect((await add('letters', path)).status).toBe(0);
  const again = await add('letters', path);
  expect(again.status).toBe(0);
  expect(again.stdout).toContain('The service has exactly this data set under this name already.');
  const samples = readFileSync(join(home, 'samples', 'letters.png'));
  for (const more of [[], ['--dry-run']]) {
    const other = await add('letters', path, '--grey', ...more);
    expect(other.status).toBe(3);
    expect(other.stderr).toMatch(/letters stands for the data set [0-9a-f]+/);
  }
  expect(readFileSync(join(home, 'samples', 'letters.png')).equals(samples)).toBe(true);
  expect(readdirSync(home)).toEqual(['samples']);
});

it('says in a sentence what is wrong with a file, and asks a service that nobody runs before it reads', async () => {
  const path = pictures(['a', 'b'], 3);
  writeFileSync(join(path, 'b', '7.png'), 'no picture');
  const broken = await add('broken', path);
  expect(broken).toMatchObject({
    status: 2,
    stdout: '',
    stderr: `${join(path, 'b', '7.png')}: expected a PNG or JPEG picture, but its first bytes are others\n`,
  });
  const away = await funnel(['data', 'add', 'broken', path], { env: { FUNNEL_URL: 'http://127.0.0.1:9' } });
  expect(away.status).toBe(4);
  expect(readdirSync(home)).toEqual(['samples']);
});

it.each([
  [['UPPER', extract], /Expected 1 to 63 of the characters/],
  [['a', extract, '--size', '0'], /Expected a height and a width from 1 to 512/],
  [['a', extract, '--grey', '--colour'], /Expected --grey or --colour, but got both/],
  [['a', extract, '--test-share', '1'], /Expected a number between 0 and 1/],
  [['a', extract, '--classes', 'one'], /Expected at least two names/],
])('refuses %s', async (args, words) => {
  const { status, stderr } = await add(...args);
  expect(status).toBe(2);
  expect(stderr).toMatch(words);
});

it('lists an upload that nobody finished, and removes it', async () => {
  const { upload } = makeDataset({ name: 'half', salt: 9 });
  const announced = await fetch(`${api.url}/v1/datasets`, {
    method: 'POST',
    body: JSON.stringify(upload),
    headers: { 'content-type': 'application/json' },
  });
  expect(announced.status).toBe(200);
  const data = (...args: string[]) =>
    funnel(['data', ...args], { env: { FUNNEL_URL: api.url, FUNNEL_HOME: home } });
  expect((await data('ls')).stderr).toMatch(/Unfinished: half, 0 B of .* are there/);
  expect(await data('rm', 'half')).toMatchObject({
    status: 0,
    stdout: 'The unfinished upload of half is removed.\n',
    stderr: '',
  });
  expect((await data('ls')).stderr).toBe('');
});

it('needs a token that may submit, and the service then names it as the owner', async () => {
  const own = await createTestDatabase();
  const guarded = await startApi({
    databaseUrl: own.url,
    port: 0,
    engineVersion: 'stand-in',
    logger: pino({ level: 'silent' }),
  });
  onTestFinished(async () => {
    await guarded.close();
    await own.drop();
  });
  const createToken = async (name: string, role: string): Promise<string> => {
    const made = await funnel(['token', 'create', name, '--role', role], { env: { DATABASE_URL: own.url } });
    expect(made.status, made.stderr).toBe(0);
    return made.stdout.trim();
  };
  const [reader, submitter] = [await createToken('reader', 'read'), await createToken('ann', 'submit')];
  const path = pictures(['cat', 'dog'], 5);
  const addWith = (token: string) =>
    funnel(['data', 'add', 'pets', path], {
      env: { FUNNEL_URL: guarded.url, FUNNEL_HOME: home, FUNNEL_TOKEN: token },
    });
  const refused = await addWith(reader);
  expect(refused.status).not.toBe(0);
  expect(refused.stderr).toContain('submit');
  const { status, stderr } = await addWith(submitter);
  expect(status, stderr).toBe(0);
  const answer = await fetch(`${guarded.url}/v1/datasets/pets`, {
    headers: { authorization: `Bearer ${reader}` },
  });
  expect(await answer.json()).toMatchObject({ name: 'pets', owner: 'ann' });
});
