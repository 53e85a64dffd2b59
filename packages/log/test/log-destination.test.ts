/** Logs that cannot be written for real reasons: a full device, a folder in place of the file, a pipe whose reader has ended. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { logDestination } from '@funnel/log';
import { expect, it, onTestFinished } from 'vitest';

const folder = (): string => {
  const made = mkdtempSync(join(tmpdir(), 'funnel-log-'));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
};

const open = (file: string) => {
  const said: string[] = [];
  const lost: (string | undefined)[] = [];
  const { write } = logDestination(file, {
    tell: (sentence) => said.push(sentence),
    onLost: ({ code }) => lost.push(code),
  });
  return { said, lost, log: (msg: string) => write(`${JSON.stringify({ msg })}\n`) };
};

const linesOf = (file: string) =>
  readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

const missing = (lost: number) =>
  expect.objectContaining({
    level: 40,
    lost,
    msg: 'lines are missing here, because the log could not be written',
  });

it.runIf(existsSync('/dev/full'))(
  'drops lines while the disk is full, and reports their number when there is space again',
  () => {
    const home = folder();
    const file = join(home, 'log');
    const { said, lost, log } = open(file);
    log('before');
    renameSync(file, join(home, 'kept'));
    symlinkSync('/dev/full', file);
    for (const name of ['one', 'two', 'three']) log(name);
    expect(lost).toEqual(['ENOSPC', 'ENOSPC', 'ENOSPC']);
    expect(said).toEqual([
      `The log ${file} cannot be written (ENOSPC: no space left on device, write). Its lines are lost until writing works again.`,
    ]);
    rmSync(file);
    renameSync(join(home, 'kept'), file);
    log('after');
    log('and on');
    expect(said.slice(1)).toEqual([`The log ${file} is written again. Lines that were lost: 3.`]);
    expect(linesOf(file)).toEqual([{ msg: 'before' }, missing(3), { msg: 'after' }, { msg: 'and on' }]);
    expect(linesOf(file)[1].error).toBe('ENOSPC: no space left on device, write');
  },
);

it('continues when a folder is in place of the file, when the file was deleted, and when its folder was deleted', () => {
  const file = join(folder(), 'logs', 'log');
  mkdirSync(file, { recursive: true });
  const { said, lost, log } = open(file);
  log('no file');
  rmdirSync(file);
  log('a file');
  expect(linesOf(file)).toEqual([missing(1), { msg: 'a file' }]);
  rmSync(file);
  log('a new file');
  expect(linesOf(file)).toEqual([{ msg: 'a new file' }]);
  rmSync(join(file, '..'), { recursive: true });
  log('no folder');
  expect(lost).toEqual(['EISDIR', 'ENOENT']);
  // A log that fails again and again is reported once a minute.
  expect(said).toEqual([
    expect.stringContaining('cannot be written (EISDIR'),
    expect.stringContaining('is written again. Lines that were lost: 1.'),
  ]);
});

const script = fileURLToPath(new URL('./support/write-lines.ts', import.meta.url));

const writer = (command: readonly string[], ...args: readonly string[]) => {
  const [program, ...before] = [...command, process.execPath];
  return spawn(program!, [...before, '--import', 'tsx', script, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
};

it.runIf(process.platform === 'linux')('starts a new line after a partly written line', async () => {
  const file = join(folder(), 'log');
  // A file of this process can have at most 1000 bytes, so a line is cut as on a disk that becomes full.
  const child = writer(['prlimit', '--fsize=1000'], file);
  const [status] = await once(child, 'close');
  expect(status).toBe(0);
  const [first, unfinished, ...rest] = readFileSync(file, 'utf8').trimEnd().split('\n');
  expect(JSON.parse(first!)).toMatchObject({ number: 1 });
  expect(() => JSON.parse(unfinished!)).toThrow();
  expect(rest.map((line) => JSON.parse(line))).toEqual([missing(1), expect.objectContaining({ number: 5 })]);
});

it('continues when the reader of its pipe has ended, and reports it on stderr', async () => {
  const child = writer([], 'stdout');
  let said = '';
  child.stderr.on('data', (chunk) => {
    said += chunk;
  });
  await once(child.stdout, 'data');
  child.stdout.destroy();
  const [status] = await once(child, 'close');
  expect(status).toBe(0);
  expect(said.split('\n')).toEqual([
    'The log on stdout cannot be written (EPIPE: broken pipe, write). Its lines are lost until writing works again.',
    'wrote to the end',
    '',
  ]);
});
