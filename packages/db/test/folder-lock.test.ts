import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readlink, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { withFolderLock } from '../src/embedded/folder-lock.ts';
import { isRunning, ownName } from '../src/embedded/processes.ts';
import { mountSmallDisk } from '../src/testing/index.ts';

const script = fileURLToPath(new URL('./support/lock-process.ts', import.meta.url));

let home: string;
let dir: string;
beforeEach(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'funnel-lock-'));
  dir = path.join(home, 'pgdata');
});
afterEach(() => rm(home, { recursive: true, force: true }));

/** A process that has the lock of `folder` until it is killed. */
const holder = async (folder: string): Promise<ChildProcess> => {
  const child = fork(script, [folder], { execArgv: ['--import', 'tsx'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child, 'message');
  return child;
};

const kill = async (child: ChildProcess): Promise<void> => {
  child.kill('SIGKILL');
  await once(child, 'exit');
};

const take = (folder = dir): Promise<string> => withFolderLock(folder, async () => 'taken');

test('a process waits while another one has the lock, and goes on when that one is killed', async () => {
  const child = await holder(dir);
  let taken = false;
  const taking = take().then(() => {
    taken = true;
  });
  for (let i = 0; i < 100; i++) {
    await stat(path.dirname(dir));
    expect(taken).toBe(false);
  }
  await kill(child);
  await taking;
});

test('the lock of a process that is killed on a full disk is taken over', async ({ skip }) => {
  const disk = mountSmallDisk(8);
  if (!disk) return skip();
  onTestFinished(disk.unmount);
  const folder = path.join(disk.folder, 'pgdata');
  disk.fill();
  await kill(await holder(folder));
  disk.free();
  expect(await take(folder)).toBe('taken');
});

test('the lock of a dead process is taken over although its id is that of a living process', async () => {
  await symlink(`${process.pid}-1`, `${dir}.lock`);
  expect(await take()).toBe('taken');
});

test('a file without content is taken over when it is older than five seconds, and not before', async () => {
  await writeFile(`${dir}.lock`, '');
  let taken = false;
  const taking = take().then(() => {
    taken = true;
  });
  for (let i = 0; i < 100; i++) {
    await stat(`${dir}.lock`);
    expect(taken).toBe(false);
  }
  const written = Date.now() / 1000 - 6;
  await utimes(`${dir}.lock`, written, written);
  await taking;
});

test('one call at a time has the lock, also after a killed process', async () => {
  await kill(await holder(dir));
  let inside = 0;
  const order: number[] = [];
  const visit = (i: number) =>
    withFolderLock(dir, async () => {
      inside++;
      await stat(home);
      expect(inside).toBe(1);
      order.push(i);
      inside--;
    });
  await Promise.all([0, 1, 2, 3, 4].map(visit));
  expect(order.sort()).toEqual([0, 1, 2, 3, 4]);
  await expect(stat(`${dir}.lock`)).rejects.toMatchObject({ code: 'ENOENT' });
});

test('a name stands for one process, not for its id', async () => {
  expect(isRunning(ownName)).toBe(true);
  expect(isRunning(String(process.pid))).toBe(true);
  expect(isRunning('')).toBe(false);
  expect(isRunning('pgdata')).toBe(false);
  const child = await holder(dir);
  const name = path.basename(await readlink(`${dir}.lock`));
  expect(name.split('-')[0]).toBe(String(child.pid));
  expect(isRunning(name)).toBe(true);
  if (process.platform === 'linux') expect(isRunning(`${child.pid}-1`)).toBe(false);
  await kill(child);
  expect(isRunning(name)).toBe(false);
});
