/** The JavaScript of a library. Siblings of this repository become a part of it, packages from npm do not. */
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { root } from './libraries.ts';

/** A name that the tarball leaves to others: a package, a module of Node, or `#name`, for which the package.json has a file per environment. */
const isExternal = (id: string): boolean => /^[@#\w]/.test(id) && !id.startsWith('@funnel/');

/** `entries`: name of the built file without its ending → source below `packages`. Returns what the code imports from npm. */
export const writeCode = async (
  entries: Readonly<Record<string, string>>,
  folder: string,
): Promise<string[]> => {
  const bundle = await rolldown({
    input: Object.fromEntries(
      Object.entries(entries).map(([name, path]) => [name, join(root, 'packages', path)]),
    ),
    platform: 'neutral',
    external: isExternal,
    // No module does anything but declare, unless one of its exports is used.
    treeshake: { moduleSideEffects: false },
  });
  const { output } = await bundle.write({ dir: folder, format: 'esm', chunkFileNames: '[name]-[hash].js' });
  await bundle.close();
  const names = output.flatMap((part) =>
    // rolldown also lists modules of which no name is left.
    part.type === 'chunk' ? part.imports.filter((id) => part.code.includes(`"${id}"`)) : [],
  );
  return names.filter((name) => isExternal(name) && !/^(#|node:)/.test(name));
};
