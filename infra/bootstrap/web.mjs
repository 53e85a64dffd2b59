/** Builds the dashboard into apps/web/dist. Does nothing when the build is newer than all of its sources. */
import { existsSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { withLock } from './lock.mjs';
import { root } from './process.mjs';

const web = path.join(root, 'apps/web');
const built = path.join(web, 'dist/index.html');

/** The dashboard, the packages that it contains, and the lock file for packages from npm. */
const sources = [
  ...['src', 'public', 'index.html', 'vite.config.ts', 'package.json'].map((part) => path.join(web, part)),
  path.join(root, 'packages/contracts/src'),
  path.join(root, 'packages/client/src'),
  path.join(root, 'package-lock.json'),
];

/** The time at which a file, or the newest file below a folder, was written. */
const newest = (place) => {
  const status = statSync(place);
  if (!status.isDirectory()) return status.mtimeMs;
  return readdirSync(place, { withFileTypes: true }).reduce(
    (latest, entry) => Math.max(latest, newest(path.join(place, entry.name))),
    status.mtimeMs,
  );
};

const isCurrent = () => existsSync(built) && Math.max(...sources.map(newest)) <= statSync(built).mtimeMs;

/** Builds into another folder and moves it into place at the end, so that an API that serves the pages never sees half of them. */
const build = async () => {
  const dist = path.join(web, 'dist');
  const fresh = path.join(root, 'node_modules/.funnel-web');
  const vite = createRequire(path.join(web, 'package.json')).resolve('vite');
  const { build: buildPages } = await import(pathToFileURL(vite).href);
  await buildPages({
    root: web,
    configFile: path.join(web, 'vite.config.ts'),
    logLevel: 'warn',
    build: { outDir: fresh },
  });
  rmSync(dist, { recursive: true, force: true });
  renameSync(fresh, dist);
};

/** Returns true when it built. Of two processes at the same time, one waits for the other. */
export const buildWeb = async () => {
  if (isCurrent()) return false;
  return withLock(path.join(root, 'node_modules/.funnel-web.lock'), async () => {
    if (isCurrent()) return false;
    await build();
    return true;
  });
};

if (process.argv[1] && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url))
  if (await buildWeb()) console.log('Built the dashboard (apps/web/dist).');
