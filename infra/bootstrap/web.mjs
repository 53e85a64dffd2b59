/** Builds the dashboard into apps/web/dist. Does nothing when what is there is newer than everything that it is made from. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const web = path.join(root, 'apps/web');
const built = path.join(web, 'dist/index.html');

/** The packages that end up in the pages, and the lock file for everything from the registry. */
const sources = [
  ...['src', 'public', 'index.html', 'vite.config.ts', 'package.json'].map((part) => path.join(web, part)),
  path.join(root, 'packages/contracts/src'),
  path.join(root, 'packages/client/src'),
  path.join(root, 'package-lock.json'),
];

/** When the newest file below `place` was written. */
const newest = (place) => {
  const status = statSync(place);
  if (!status.isDirectory()) return status.mtimeMs;
  return readdirSync(place, { withFileTypes: true }).reduce(
    (latest, entry) => Math.max(latest, newest(path.join(place, entry.name))),
    status.mtimeMs,
  );
};

/** Returns whether it had to build. */
export const buildWeb = async () => {
  if (existsSync(built) && Math.max(...sources.map(newest)) <= statSync(built).mtimeMs) return false;
  const { build } = await import(
    pathToFileURL(createRequire(path.join(web, 'package.json')).resolve('vite')).href
  );
  await build({ root: web, configFile: path.join(web, 'vite.config.ts'), logLevel: 'warn' });
  return true;
};

if (process.argv[1] && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url))
  if (await buildWeb()) console.log('Built the dashboard (apps/web/dist).');
