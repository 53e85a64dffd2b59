/** Builds `funnel` from apps/cli/src into apps/cli/dist, one chunk per command. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSources, loadRolldown, pathOf } from './build.mjs';
import { root } from './process.mjs';

/** Packages that every command loads, and fastify-type-provider-zod, which must see the same zod. Commands load other packages on demand. */
const packaged = ['commander', 'zod', 'yaml', 'cli-table3', 'string-width', 'fastify-type-provider-zod'];

/** Every command that calls the API loads these modules. They become one chunk, because each file costs a millisecond. */
const common = [
  'node_modules/commander/',
  'node_modules/zod/',
  'packages/client/',
  ...['terminal', 'width'].map((name) => `apps/cli/src/output/${name}.ts`),
  ...['context', 'env', 'exit', 'home', 'http', 'proxy', 'requests', 'values'].map(
    (name) => `apps/cli/src/${name}.ts`,
  ),
];

const contracts = join(root, 'packages/contracts/src/index.ts');

/** The declared routes, with `true` instead of every schema. */
const routesWithoutSchemas = async () => {
  const rolldown = await loadRolldown();
  const bundle = await rolldown({ input: contracts, platform: 'node' });
  const { output } = await bundle.generate({ format: 'esm', codeSplitting: false });
  const { routes } = await import(`data:text/javascript,${encodeURIComponent(output[0].code)}`);
  return JSON.stringify(routes, (_, value) => (value?._zod ? true : value));
};

/**
 * @funnel/client reads only whether a route has a body and a response, and never uses their schemas. Without the schemas, a command that calls
 * the API does not have to make the four hundred schemas of the contracts.
 */
const lightRoutes = {
  name: 'light-routes',
  resolveId: (id, importer) =>
    id === '@funnel/contracts' && importer && pathOf(importer).startsWith('packages/client/')
      ? '\0light-routes'
      : null,
  load: async (id) =>
    id === '\0light-routes'
      ? `export * from ${JSON.stringify(contracts)};\nexport const routes = ${await routesWithoutSchemas()};`
      : null,
};

/** Builds unless the build is current. */
export const buildCli = () =>
  buildSources({
    input: join(root, 'apps/cli/src/main.ts'),
    folder: join(root, 'apps/cli/dist'),
    isPackaged: (id) => packaged.some((name) => id === name || id.startsWith(`${name}/`)),
    plugins: [lightRoutes],
    groups: [{ name: 'common', test: (id) => common.some((part) => pathOf(id).startsWith(part)) }],
  });

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildCli();
