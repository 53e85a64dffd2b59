import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { makeFolder } from '../src/make-folder.ts';

test('makes a folder and those above it, and leaves one that is there', () => {
  const folder = mkdtempSync(join(tmpdir(), 'funnel-folder-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const deep = join(folder, 'a', 'b', 'c');
  makeFolder(deep);
  writeFileSync(join(deep, 'file'), 'stays');
  makeFolder(deep);
  expect(statSync(join(deep, 'file')).size).toBe(5);
  expect(() => makeFolder(join(deep, 'file', 'd'))).toThrow(/ENOTDIR/);
});

test.runIf(existsSync('/proc/self'))('ends where no folder can be made', () => {
  expect(() => makeFolder('/proc/none/of/these')).toThrow(/ENOENT/);
});
