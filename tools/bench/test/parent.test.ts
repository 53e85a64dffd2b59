import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const script = fileURLToPath(new URL('../src/server-process.ts', import.meta.url));

/** A bare server. `stderr`: what it has written there until now. */
const start = () => {
  const child = fork(script, [JSON.stringify({ databaseUrl: null })], {
    execArgv: ['--import', 'tsx'],
    silent: true,
  });
  let stderr = '';
  child.stderr!.on('data', (data) => (stderr += data));
  return { child, stderr: () => stderr };
};

test('a process of a benchmark ends without an error when its parent has gone before it is ready', async () => {
  const { child, stderr } = start();
  child.disconnect();
  expect(await once(child, 'exit')).toEqual([0, null]);
  expect(stderr()).toBe('');
});

test('a process of a benchmark says that it is ready, and ends when its parent goes', async () => {
  const { child, stderr } = start();
  const [url] = await once(child, 'message');
  expect((await fetch(String(url))).status).toBe(200);
  child.disconnect();
  expect(await once(child, 'exit')).toEqual([0, null]);
  expect(stderr()).toBe('');
});
