import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, expect, it } from 'vitest';

const execute = promisify(execFile);
const systemModule = fileURLToPath(new URL('../system.mjs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'funnel-system-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A PATH with nothing but an apt-get that leaves a mark. */
const mark = join(folder, 'called');
writeFileSync(join(folder, 'apt-get'), `#!/bin/sh\n: > ${mark}\n`);
chmodSync(join(folder, 'apt-get'), 0o755);
const env = { PATH: folder, HOME: folder };

it('`npm test` asks which programs are missing, and this installs nothing', async () => {
  const { stdout } = await execute(
    process.execPath,
    [
      '--input-type=module',
      '--eval',
      `import { missingPrograms } from ${JSON.stringify(systemModule)}; console.log(missingPrograms().map(({ what }) => what).join());`,
      'argv1',
    ],
    { env },
  );
  expect(stdout).toContain('Redis');
  expect(existsSync(mark)).toBe(false);
});

it('`npm run test:system` installs them as root, and says how to get those that are still missing', async () => {
  const failed = await execute(process.execPath, [systemModule], { env }).catch((error) => error);
  expect(failed.code).toBe(1);
  expect(failed.stderr).toMatch(
    /Redis is missing\. As root on Debian or Ubuntu: apt-get install redis-server\./,
  );
  expect(existsSync(mark)).toBe(process.getuid?.() === 0);
});
