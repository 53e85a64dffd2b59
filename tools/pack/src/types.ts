/** The declarations of a library: what tsc says about its sources and their siblings, with names that lead to files of the tarball. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { promisify } from 'node:util';
import { root } from './libraries.ts';

/** Runs tsc, which writes `<package>/src/<path>.d.ts` below `place` for each source of `packages`. */
const declare = async (packages: readonly string[], place: string): Promise<void> => {
  const config = join(place, 'tsconfig.json');
  const compilerOptions = {
    noEmit: false,
    declaration: true,
    emitDeclarationOnly: true,
    rootDir: join(root, 'packages'),
    outDir: place,
    typeRoots: [join(root, 'node_modules/@types')],
  };
  const include = packages.map((name) => join(root, 'packages', name, 'src'));
  await writeFile(config, JSON.stringify({ extends: join(root, 'tsconfig.json'), compilerOptions, include }));
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  await promisify(execFile)(process.execPath, [tsc, '-p', config]).catch(({ stdout }) => {
    throw new Error(`Expected the declarations of ${packages.join(', ')}, but tsc says:\n${stdout}`);
  });
};

/** The name of an imported module, with its quotes: after `from`, or in the type `import("…")`. */
const imported = /(?<=\bfrom |\bimport\()(['"])([^'"]+)\1/g;

/** `./norms.ts` → `./norms.js`; in `attacks/src/index.d.ts`, `@funnel/contracts` → `../../contracts/src/index.js`. */
const packedName = (path: string, name: string): string => {
  const [, sibling] = /^@funnel\/(.+)$/.exec(name) ?? [];
  if (sibling) return posix.relative(posix.dirname(path), `${sibling}/src/index.js`);
  return name.startsWith('.') ? name.replace(/\.ts$/, '.js') : name;
};

/**
 * Writes the declarations of `entries`, and of all sources that these import, into `folder`. `entries`: sources below `packages`, such as
 * `attacks/src/index.ts`. Returns what the declarations import from npm.
 */
export const writeTypes = async (
  entries: readonly string[],
  packages: readonly string[],
  folder: string,
): Promise<string[]> => {
  // tsc looks for installed packages in the folders above its configuration.
  const place = await mkdtemp(join(root, 'node_modules/.funnel-pack-'));
  try {
    await declare(packages, place);
    const external = new Set<string>();
    const paths = new Set(entries.map((path) => path.replace(/\.ts$/, '.d.ts')));
    for (const path of paths) {
      const text = await readFile(join(place, path), 'utf8');
      const packed = text.replaceAll(imported, (_, quote: string, name: string) => {
        const target = packedName(path, name);
        if (target.startsWith('.'))
          paths.add(posix.join(posix.dirname(path), target.replace(/\.js$/, '.d.ts')));
        else external.add(target);
        return `${quote}${target}${quote}`;
      });
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), packed);
    }
    return [...external];
  } finally {
    await rm(place, { recursive: true });
  }
};
