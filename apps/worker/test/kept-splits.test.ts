/** The splits that a trainer keeps from stage to stage. A split that was dropped comes back as another object. */
import { createHash } from 'node:crypto';
import {
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type DatasetContent, datasetLayout } from '@funnel/contracts';
import { expect, it, onTestFinished } from 'vitest';
import { createKeptSplits } from '../src/kept-splits.ts';

const imageBytes = 28 * 28;
const spec = (train: number, test: number) => ({ name: 'glyphs', train, test, attack: 1 });

it('keeps splits up to a number of bytes, those that were used last', async () => {
  const load = createKeptSplits({}, 100 * imageBytes);
  const [train, test] = [(await load(spec(60, 20))).train, (await load(spec(60, 20))).test];
  const first = { train: await train(), test: await test() };
  expect(await (await load(spec(60, 20))).train()).toBe(first.train);
  expect(await (await load(spec(60, 20))).test()).toBe(first.test);
  const third = await (await load(spec(30, 20))).train(); // 60 + 20 + 30 images are too many
  expect(await (await load(spec(60, 20))).test()).toBe(first.test);
  expect(await (await load(spec(30, 20))).train()).toBe(third);
  expect(await (await load(spec(60, 20))).train()).not.toBe(first.train);
});

it('keeps a split of more bytes alone', async () => {
  const load = createKeptSplits({}, 10 * imageBytes);
  const small = await (await load(spec(5, 5))).train();
  const large = await (await load(spec(20, 5))).train();
  expect(await (await load(spec(20, 5))).train()).toBe(large);
  expect(await (await load(spec(5, 5))).train()).not.toBe(small);
});

/** Black images of 1 MiB in one file, which takes no space on the disk. */
const writeBlack = async (home: string, content: DatasetContent): Promise<string> => {
  const folder = path.join(home, 'cache', 'datasets');
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, 'black');
  const { header, bytes } = datasetLayout(content);
  writeFileSync(file, header);
  truncateSync(file, bytes);
  const hash = createHash('sha256');
  for await (const part of createReadStream(file, { highWaterMark: 2 ** 20 })) hash.update(part as Buffer);
  const digest = hash.digest('hex');
  renameSync(file, path.join(folder, `${digest}.bin`));
  return digest;
};

it.runIf(existsSync('/proc/self/fd'))(
  'keeps four splits, also those that stay in their file, and closes the others',
  async () => {
    const home = mkdtempSync(path.join(tmpdir(), 'funnel-kept-'));
    onTestFinished(() => rmSync(home, { recursive: true, force: true }));
    const content: DatasetContent = { shape: [512, 512, 4], classes: ['a', 'b'], train: 262, test: 1 };
    const digest = await writeBlack(home, content);
    const isOurs = (fd: string): boolean => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`).startsWith(home);
      } catch {
        return false; // closed meanwhile
      }
    };
    const open = () => readdirSync('/proc/self/fd').filter(isOurs).length;
    const load = createKeptSplits({ home });
    const { shape, classes } = content;
    const black = (train: number) => ({
      ...{ name: 'black', train, test: 1, attack: 1 },
      content: { digest, shape, classCount: classes.length, budgets: { linf: 0.03, l2: 0.5 } },
    });
    const test = await (await load(black(257))).test();
    const splits = [];
    for (const train of [257, 258, 259]) splits.push(await (await load(black(train))).train());
    expect(open()).toBe(3);
    expect(await (await load(black(257))).test()).toBe(test); // no bytes were needed for the others
    for (const train of [260, 261, 262]) splits.push(await (await load(black(train))).train());
    await expect.poll(open).toBe(3); // and the one in memory is the fourth
    expect(splits.at(-1)!.read([261])).toEqual(new Uint8Array(2 ** 20));
  },
  60_000,
);
