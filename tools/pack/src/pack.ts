/** Makes the tarball of a library, as `npm publish` would send it to the registry. */
import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, posix, resolve } from 'node:path';
import { promisify } from 'node:util';
import { writeCode } from './code.ts';
import { documentsOf } from './documents.ts';
import { type Library, manifestOf, pathsOf, root, siblingsOf } from './libraries.ts';
import { builtName, publishedManifest } from './manifest.ts';
import { writeTypes } from './types.ts';

const read = (path: string): Promise<string> => readFile(join(root, path), 'utf8');

const writeIn = async (folder: string, path: string, text: string): Promise<void> => {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), text);
};

/** Writes everything that the tarball contains into an empty folder. */
const assemble = async (library: Library, folder: string): Promise<void> => {
  const manifest = manifestOf(library);
  const siblings = siblingsOf(manifest);
  const exported = pathsOf(manifest.exports);
  const internal = Object.values(manifest.imports ?? {}).flatMap(pathsOf);
  const source = (path: string): string => posix.join(library, path);
  const code = Object.fromEntries([...exported, ...internal].map((path) => [builtName(path), source(path)]));
  const imported = [
    ...(await writeCode(code, join(folder, 'dist'))),
    ...(await writeTypes(exported.map(source), [library, ...siblings], join(folder, 'dist/types'))),
  ];
  const published = publishedManifest(manifest, library, siblings.map(manifestOf), imported);
  await writeIn(folder, 'package.json', `${JSON.stringify(published, null, 2)}\n`);
  const readme = await read(`packages/${library}/README.md`);
  for (const [path, text] of Object.entries(await documentsOf(library, readme, read)))
    await writeIn(folder, path, text);
  await copyFile(join(root, 'LICENSE'), join(folder, 'LICENSE'));
};

/** Writes the tarball into `target`, which exists. Returns its path. */
export const pack = async (library: Library, target: string): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'funnel-pack-'));
  try {
    await assemble(library, folder);
    const args = ['pack', '--json', '--pack-destination', resolve(target)];
    const { stdout } = await promisify(execFile)('npm', args, {
      cwd: folder,
      shell: process.platform === 'win32',
    });
    const { name, version } = manifestOf(library);
    const file = `${name.replace('@', '').replace('/', '-')}-${version}.tgz`;
    if (!stdout.includes(file)) throw new Error(`Expected npm to write ${file}, but it says: ${stdout}`);
    return join(target, file);
  } finally {
    await rm(folder, { recursive: true });
  }
};
