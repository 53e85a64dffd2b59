/** Every file and folder that a document names exists: the paths in backticks, and the targets of links. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const notOurs = new Set(['node_modules', 'dist', '.git', '.funnel']);

/** Every file below `folder`, by its path from the root, without installed packages and built files. */
const filesBelow = (folder: string): string[] =>
  readdirSync(path.join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    if (notOurs.has(entry.name)) return [];
    const name = path.posix.join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(name) : [name];
  });

const files = filesBelow('');
const folders = new Set(
  files.flatMap((file) => [path.posix.dirname(file), path.posix.dirname(path.posix.dirname(file))]),
);
// The changelog names files of earlier versions.
const documents = files.filter((file) => file.endsWith('.md') && file !== 'CHANGELOG.md');

/** From the root, such as `packages/db/src`. `<name>` and `*` stand for any name. */
const rooted = /^(apps|docs|examples|fixtures|infra|packages|prisma|tools)\/[\w./@<>*-]*$/;
/** The end of a path, such as `connection/db.ts`. */
const source = /^[\w./-]+\.(ts|tsx|mjs|prisma)$/;

const exists = (name: string): boolean => {
  if (/\/dist(\/|$)/.test(name)) return true; // built when a command needs it
  if (rooted.test(name)) {
    const trimmed = name.replace(/\/$/, '');
    if (!/[<*]/.test(trimmed)) return existsSync(path.join(root, trimmed));
    const pattern = new RegExp(`^${trimmed.replaceAll('.', '\\.').replace(/<[^>]*>|\*/g, '[^/]+')}$`);
    return [...files, ...folders].some((each) => pattern.test(each));
  }
  const end = name.replace(/^\.\//, '');
  return files.some((file) => file === end || file.endsWith(`/${end}`));
};

/** Text without blocks of code: these are commands and examples, which another test runs. */
const proseOf = (document: string): string =>
  readFileSync(path.join(root, document), 'utf8').replaceAll(/^ *```.*?^ *```/gms, '');

const named = (prose: string): string[] =>
  [...prose.matchAll(/`([^`\n]+)`/g)]
    .map(([, code]) => code!)
    .filter((code) => rooted.test(code) || source.test(code));

const linked = (prose: string): string[] =>
  [...prose.matchAll(/\]\(([^)#\s]+)(#[^)]*)?\)/g)]
    .map(([, target]) => target!)
    .filter((target) => !/^\w+:/.test(target));

test.each(documents)('%s names only files and folders that exist', (document) => {
  expect(named(proseOf(document)).filter((name) => !exists(name))).toEqual([]);
});

test.each(documents)('%s links only to files that exist', (document) => {
  const from = path.join(root, path.dirname(document));
  expect(linked(proseOf(document)).filter((target) => !existsSync(path.join(from, target)))).toEqual([]);
});
