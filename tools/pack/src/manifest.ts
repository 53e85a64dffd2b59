/** The package.json of a tarball, from the one of the sources. */
import { basename, posix } from 'node:path';
import { engines, type Manifest, type Target } from './libraries.ts';

/** `./src/models/files.ts` → `files` */
export const builtName = (source: string): string => basename(source, '.ts');

const mapPaths = (target: Target, map: (path: string) => Target): Target =>
  typeof target === 'string'
    ? map(target)
    : Object.fromEntries(Object.entries(target).map(([name, inner]) => [name, mapPaths(inner, map)]));

const code = (source: string): string => `./dist/${builtName(source)}.js`;

/** An exported file with its types, which TypeScript must find first. */
const typed =
  (folder: string) =>
  (source: string): Target => ({
    types: `./${posix.join('dist/types', folder, source.replace(/\.ts$/, '.d.ts'))}`,
    default: code(source),
  });

/** `zod/v4/core` → `zod` */
const packageOf = (name: string): string => /^(@[^/]+\/)?[^/]+/.exec(name)![0];

/**
 * `folder`: the folder of the library below `packages`. `imported`: what the built files import from npm. `siblings`: the package.json files of the packages that became a part of the library;
 * they, too, say versions. A version that our tests use becomes the lowest of a range, so that a project with a newer one gets no second copy.
 * Throws when no package.json has the version of an imported package.
 */
export const publishedManifest = (
  manifest: Manifest,
  folder: string,
  siblings: readonly Manifest[],
  imported: readonly string[],
): object => {
  const { name, version, description, keywords, license, peerDependencies = {} } = manifest;
  const tested = Object.assign({}, ...[...siblings, manifest].map(({ dependencies }) => dependencies));
  const packages = [...new Set(imported.map(packageOf))].sort();
  const own = packages.filter((each) => !(each in peerDependencies));
  const unknown = own.filter((each) => !(each in tested));
  if (unknown.length > 0)
    throw new Error(
      `Expected the version of ${unknown.join(', ')} in a package.json, because ${name} imports it. Add it to the dependencies`,
    );
  return {
    name,
    version,
    description,
    keywords,
    license,
    type: 'module',
    engines,
    sideEffects: false,
    files: ['dist', 'docs'],
    exports: {
      ...(typeof manifest.exports === 'string'
        ? { '.': typed(folder)(manifest.exports) }
        : (mapPaths(manifest.exports, typed(folder)) as object)),
      './package.json': './package.json',
    },
    ...(manifest.imports && { imports: mapPaths(manifest.imports, code) }),
    dependencies: Object.fromEntries(own.map((each) => [each, `^${tested[each]}`])),
    ...(manifest.peerDependencies && {
      peerDependencies,
      peerDependenciesMeta: manifest.peerDependenciesMeta,
    }),
  };
};
