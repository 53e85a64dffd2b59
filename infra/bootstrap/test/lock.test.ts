import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, expect, it } from 'vitest';

const execute = promisify(execFile);
const lockModule = fileURLToPath(new URL('../lock.mjs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'funnel-lock-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A process that takes the lock, writes that it has it, works for a moment, and writes that it is done. */
const contender = (lock: string, diary: string, before = '') =>
  execute(process.execPath, [
    '--input-type=module',
    '--eval',
    `import { appendFileSync } from 'node:fs';
     import { setTimeout as sleep } from 'node:timers/promises';
     ${before}
     import { withLock } from ${JSON.stringify(lockModule)};
     await withLock(${JSON.stringify(lock)}, async () => {
       appendFileSync(${JSON.stringify(diary)}, 'in\\n');
       await sleep(50);
       appendFileSync(${JSON.stringify(diary)}, 'out\\n');
     });`,
  ]);

it('one process at a time has the lock, even after a killed process left its lock file', async () => {
  const lock = join(folder, 'below/install.lock');
  const diary = join(folder, 'diary');
  await contender(lock, diary);
  const gone = await execute(process.execPath, ['--print', 'process.pid']);
  writeFileSync(lock, gone.stdout.trim());
  await Promise.all(Array.from({ length: 4 }, () => contender(lock, diary)));
  expect(readFileSync(diary, 'utf8')).toBe('in\nout\n'.repeat(5));
  expect(existsSync(lock)).toBe(false);
});

it('goes on where a killed process with its own id left a lock behind', async () => {
  const lock = join(folder, 'again.lock');
  const diary = join(folder, 'another diary');
  const before = `import { writeFileSync } from 'node:fs'; writeFileSync(${JSON.stringify(lock)}, String(process.pid));`;
  await contender(lock, diary, before);
  expect(readFileSync(diary, 'utf8')).toBe('in\nout\n');
});

it('goes on where a power failure left a lock without content', async () => {
  const lock = join(folder, 'empty.lock');
  const diary = join(folder, 'third diary');
  writeFileSync(lock, '');
  await contender(lock, diary);
  expect(readFileSync(diary, 'utf8')).toBe('in\nout\n');
});
