/**
 * Bundles TypeScript sources of this repository into a folder of JavaScript (docs/adr/0014-built-command-line.md). `@funnel/*` always becomes a part
 * of the bundle; the caller says which packages from npm do.
 */
import { mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join, relative, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isCurrent, readInput, writeNotes } from './built.mjs';
import { withLock } from './lock.mjs';
import { root } from './process.mjs';

/** The path of a module from the root of the checkout. */
export const pathOf = (id) => relative(root, id).split(sep).join('/');
const isSource = (id) => /^(apps|packages|tools)\//.test(pathOf(id));

export const loadRolldown = async () => {
  const { resolve } = createRequire(join(root, 'apps/cli/package.json'));
  return (await import(pathToFileURL(resolve('rolldown')).href)).rolldown;
};

/** Reads the sources and notes them. `import.meta.url` stays the address of the source, because modules name files beside their sources. */
const readSources = (folder, notes) => ({
  name: 'read-sources',
  load(id) {
    if (!isSource(id)) return null;
    const path = pathOf(id);
    const { content, note } = readInput(path);
    notes[path] = note;
    const address = JSON.stringify(relative(folder, id).split(sep).join('/'));
    return content.toString().replaceAll('import.meta.url', `new URL(${address}, import.meta.url).href`);
  },
});

/** Files that change the build although no module imports them. */
const otherInputs = (sources) => [
  'package-lock.json',
  ...readdirSync(join(root, 'infra/bootstrap'))
    .filter((name) => name.endsWith('.mjs'))
    .map((name) => `infra/bootstrap/${name}`),
  ...new Set(sources.map((path) => `${path.split('/').slice(0, 2).join('/')}/package.json`)),
];

/** Days for which chunks of earlier builds stay: a running `funnel up` may load one of them late. */
const keptDays = 7;

const removeOldChunks = (folder, current) => {
  for (const name of readdirSync(folder).filter((each) => !current.includes(each))) {
    const age = Date.now() - statSync(join(folder, name)).mtimeMs;
    if (age > keptDays * 86_400_000) rmSync(join(folder, name), { recursive: true });
  }
};

const build = async ({ input, folder, isPackaged, plugins = [], groups = [] }) => {
  const rolldown = await loadRolldown();
  const notes = {};
  const bundle = await rolldown({
    input,
    platform: 'node',
    external: (id, importer) =>
      /^[@\w]/.test(id) && // A bare name: paths begin with a dot or a slash.
      !id.startsWith('@funnel/') &&
      !importer?.includes('/node_modules/') &&
      !isPackaged(id),
    plugins: [...plugins, readSources(folder, notes)],
    // The bundle leaves out a declaration that nothing uses. This is safe, because making a schema has no side effect.
    treeshake: {
      moduleSideEffects: [{ test: /[\\/]packages[\\/]contracts[\\/]src[\\/]/, sideEffects: false }],
    },
  });
  const fresh = join(folder, `.new-${process.pid}`);
  const { output } = await bundle.write({
    dir: fresh,
    format: 'esm',
    chunkFileNames: '[name]-[hash].js',
    codeSplitting: { groups },
  });
  await bundle.close();
  // The name of a chunk is a hash of its content. The entry is moved last, so a process that reads it finds all of its chunks.
  const entry = basename(input).replace(/\.ts$/, '.js');
  const names = output.map(({ fileName }) => fileName).filter((name) => name !== entry);
  for (const name of [...names, entry]) renameSync(join(fresh, name), join(folder, name));
  rmSync(fresh, { recursive: true });
  for (const path of otherInputs(Object.keys(notes))) notes[path] = readInput(path).note;
  writeNotes(folder, notes);
  removeOldChunks(folder, [...names, entry, 'inputs.json']);
};

/**
 * Builds `input` and all that it imports into `folder`, unless the build there is current. Of two processes at the same time, one waits for the other.
 * `isPackaged(id)`: this package from npm becomes a part of the bundle. `plugins` and `groups` (of chunks) are rolldown's.
 */
export const buildSources = async (options) => {
  mkdirSync(options.folder, { recursive: true });
  await withLock(join(options.folder, '.lock'), async () => {
    if (!isCurrent(options.folder)) await build(options);
  });
};
