/** A command whose output cannot be written, or whose reader has ended. */
import { type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDb } from '@funnel/db';
import { createTestDatabase } from '@funnel/db/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { funnel, launcher, spawnFunnel } from './funnel.ts';

/** Runs a command with an open file as its stdout. `through` is a command that starts it, such as prlimit. */
const runInto = async (file: string, args: readonly string[], through: readonly string[] = []) => {
  const stdout = openSync(file, 'w');
  const [program, ...before] = [...through, process.execPath];
  const stdio: StdioOptions = ['ignore', stdout, 'pipe'];
  const child = spawn(program!, [...before, launcher, ...args], { cwd: tmpdir(), stdio });
  closeSync(stdout);
  let stderr = '';
  child.stderr!.on('data', (chunk) => {
    stderr += chunk;
  });
  const [status] = await once(child, 'close');
  return { status, stderr };
};

describe('a result that cannot be written', () => {
  it.runIf(existsSync('/dev/full')).each([
    ['a command', ['completion', 'bash']],
    ['help', ['help']],
  ])('is a failure with a message: %s', async (_, args) => {
    expect(await runInto('/dev/full', args)).toEqual({
      status: 1,
      stderr: 'The output could not be written: ENOSPC: no space left on device, write\n',
    });
  });

  it.runIf(process.platform === 'linux')('is a failure even if a part was written', async () => {
    const home = mkdtempSync(join(tmpdir(), 'funnel-streams-'));
    onTestFinished(() => rmSync(home, { recursive: true, force: true }));
    const file = join(home, 'out');
    const whole = (await funnel(['completion', 'bash'])).stdout;
    expect(whole.length).toBeGreaterThan(1000);
    // The process may write at most 1000 bytes to a file, as if the disk became full then.
    expect(await runInto(file, ['completion', 'bash'], ['prlimit', '--fsize=1000'])).toEqual({
      status: 1,
      stderr: 'The output could not be written: EFBIG: file too large, write\n',
    });
    expect(readFileSync(file, 'utf8')).toBe(whole.slice(0, 1000));
    expect(await runInto(file, ['completion', 'bash'])).toEqual({ status: 0, stderr: '' });
    expect(readFileSync(file, 'utf8')).toBe(whole);
  });
});

it.each(['stdout', 'stderr'] as const)('the end of the program that reads %s is no failure', async (name) => {
  const child = spawn(process.execPath, [launcher, 'completion', name === 'stdout' ? 'bash' : 'no shell'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const other = name === 'stdout' ? child.stderr : child.stdout;
  let said = '';
  other.on('data', (chunk) => {
    said += chunk;
  });
  child[name].destroy();
  const [status] = await once(child, 'close');
  // In the second case the command line is wrong. The exit status says so even without a reader.
  expect({ status, said }).toEqual({ status: name === 'stdout' ? 0 : 2, said: '' });
});

/** Makes a database. `workers` returns the rows of its workers, ended ones too. */
const openWorkplace = async () => {
  const database = await createTestDatabase();
  const db = createDb(database.url);
  onTestFinished(async () => {
    await db.close();
    await database.drop();
  });
  return { url: database.url, workers: async () => (await db.pool.query('SELECT status FROM workers')).rows };
};

const worker = ['worker', '--slots', '1', '--backend', 'cpu'];

it('a worker releases its stages when the reader of its log has ended', async () => {
  const { url, workers } = await openWorkplace();
  const child = spawnFunnel(worker, { env: { DATABASE_URL: url, FUNNEL_LOG_LEVEL: 'debug' } });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stderr, 'data');
  child.stderr.destroy();
  const [status] = await once(child, 'close');
  expect(status).toBe(141);
  expect(await workers()).toEqual([{ status: 'gone' }]);
});
