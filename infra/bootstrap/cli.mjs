/** Builds `funnel` from apps/cli/src into apps/cli/dist, one chunk per command (docs/adr/0014-built-command-line.md). */
import { mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { isCurrent, readInput, writeNotes } from './built.mjs';
import { withLock } from './lock.mjs';
import { root } from './process.mjs';

const cli = join(root, 'apps/cli');
export const builtCli = join(cli, 'dist');

/**
 * Packages from npm that become part of the build: what every command loads. The other packages are loaded from node_modules when a
 * command needs them. fastify-type-provider-zod must see the same zod as the API.
 */
const bundled = ['commander', 'zod', 'yaml', 'cli-table3', 'fastify-type-provider-zod'];

const isExternal = (id, importer) => {
  const isBare = /^[@\w]/.test(id);
  if (!isBare || id.startsWith('@funnel/') || importer?.includes('/node_modules/')) return false;
  return !bundled.some((name) => id === name || id.startsWith(`${name}/`));
};

const pathOf = (id) => relative(root, id).split(sep).join('/');
const isSource = (id) => /^(apps|packages|tools)\//.test(pathOf(id));

/** Reads the sources and notes them. A module keeps the address of its source: files that it names lie beside that. */
const readSources = (notes) => ({
  name: 'read-sources',
  load(id) {
    if (!isSource(id)) return null;
    const path = pathOf(id);
    const { content, note } = readInput(path);
    notes[path] = note;
    const address = JSON.stringify(relative(builtCli, id).split(sep).join('/'));
    return content.toString().replaceAll('import.meta.url', `new URL(${address}, import.meta.url).href`);
  },
});

const contracts = join(root, 'packages/contracts/src/index.ts');

/** What every command that asks the API loads. It becomes one chunk, because each file costs a millisecond. */
const common = [
  'node_modules/commander/',
  'node_modules/zod/',
  'packages/client/',
  'apps/cli/src/output/terminal.ts',
  ...['context', 'env', 'exit', 'http', 'requests', 'values'].map((name) => `apps/cli/src/${name}.ts`),
];

/** The declared routes, with `true` instead of every schema. */
const routesWithoutSchemas = async (rolldown) => {
  const bundle = await rolldown({ input: contracts, platform: 'node' });
  const { output } = await bundle.generate({ format: 'esm', codeSplitting: false });
  const { routes } = await import(`data:text/javascript,${encodeURIComponent(output[0].code)}`);
  return JSON.parse(JSON.stringify(routes, (_, value) => (value?._zod ? true : value)));
};

/**
 * @funnel/client asks of a route whether it has a body and an answer, and never checks one. Without their schemas, a command that asks
 * the API does not make the four hundred schemas of the contracts.
 */
const lightRoutes = async (rolldown) => {
  const routes = JSON.stringify(await routesWithoutSchemas(rolldown));
  return {
    name: 'light-routes',
    resolveId: (id, importer) =>
      id === '@funnel/contracts' && importer?.includes('/packages/client/') ? '\0light-routes' : null,
    load: (id) =>
      id === '\0light-routes'
        ? `export * from ${JSON.stringify(contracts)};\nexport const routes = ${routes};`
        : null,
  };
};

/** Files that decide what comes out, although no module imports them. */
const otherInputs = (sources) => [
  'package-lock.json',
  'infra/bootstrap/built.mjs',
  'infra/bootstrap/cli.mjs',
  ...new Set(sources.map((path) => `${path.split('/').slice(0, 2).join('/')}/package.json`)),
];

/** Days that chunks of earlier builds stay: a running `funnel up` may load one of them late. */
const keptDays = 7;

const removeOldChunks = (current) => {
  for (const name of readdirSync(builtCli)) {
    const age = Date.now() - statSync(join(builtCli, name)).mtimeMs;
    if (!current.includes(name) && age > keptDays * 86_400_000)
      rmSync(join(builtCli, name), { recursive: true });
  }
};

const build = async () => {
  const resolve = createRequire(join(cli, 'package.json')).resolve;
  const { rolldown } = await import(pathToFileURL(resolve('rolldown')).href);
  const notes = {};
  const bundle = await rolldown({
    input: join(cli, 'src/main.ts'),
    platform: 'node',
    external: isExternal,
    plugins: [await lightRoutes(rolldown), readSources(notes)],
    // A declaration that nobody uses is left out: making a schema changes nothing else.
    treeshake: {
      moduleSideEffects: [{ test: /[\\/]packages[\\/]contracts[\\/]src[\\/]/, sideEffects: false }],
    },
  });
  const fresh = join(builtCli, `.new-${process.pid}`);
  const { output } = await bundle.write({
    dir: fresh,
    format: 'esm',
    chunkFileNames: '[name]-[hash].js',
    codeSplitting: {
      groups: [{ name: 'common', test: (id) => common.some((part) => pathOf(id).startsWith(part)) }],
    },
  });
  await bundle.close();
  const names = output.map(({ fileName }) => fileName);
  // Chunks are named by their content. The entry comes last: who reads it finds all chunks.
  for (const name of [...names.filter((each) => each !== 'main.js'), 'main.js'])
    renameSync(join(fresh, name), join(builtCli, name));
  rmSync(fresh, { recursive: true });
  for (const path of otherInputs(Object.keys(notes))) notes[path] = readInput(path).note;
  writeNotes(builtCli, notes);
  removeOldChunks([...names, 'inputs.json']);
};

/** Builds unless the build is current. Of two processes at once, one waits for the other. */
export const buildCli = async () => {
  mkdirSync(builtCli, { recursive: true });
  await withLock(join(builtCli, '.lock'), async () => {
    if (!isCurrent(builtCli)) await build();
  });
};

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildCli();
