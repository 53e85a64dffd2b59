/** Brings node_modules to what package-lock.json says. Does nothing, in milliseconds, when it is so already. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { withLock } from './lock.mjs';
import { announce, root, run, step } from './process.mjs';

/** Says in words what is wrong with an old Node: what comes after would only fail with a syntax error. */
const least = [20, 19];

const checkNode = () => {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > least[0] || (major === least[0] && minor >= least[1])) return;
  console.error(
    `Funnel needs Node ${least.join('.')} or newer, but this is ${process.version} (${process.execPath}).\n` +
      'Install a newer one from https://nodejs.org or with your version manager, such as `nvm install 22`.',
  );
  process.exit(1);
};

const packagesOf = (path) => JSON.parse(readFileSync(join(root, path), 'utf8')).packages;

/**
 * npm writes node_modules/.package-lock.json as the last act of every installation, so it is missing after one that was interrupted
 * and says what is there after `npm install`, `npm ci` or an update alike: a better witness than a stamp of our own.
 */
const isInstalled = () => {
  if (!existsSync(join(root, 'node_modules/.package-lock.json'))) return false;
  const there = packagesOf('node_modules/.package-lock.json');
  return Object.entries(packagesOf('package-lock.json')).every(([path, wanted]) => {
    if (!path.includes('node_modules/') || wanted.optional || wanted.devOptional) return true;
    return there[path]?.version === wanted.version && Boolean(there[path]?.link) === Boolean(wanted.link);
  });
};

/** The npm that runs this, else the one on the PATH. */
const npm = (args) => {
  const script = process.env.npm_execpath;
  if (script?.endsWith('.js')) return run(process.execPath, [script, ...args]);
  return run(process.platform === 'win32' ? 'npm.cmd' : 'npm', args);
};

const installPackages = async () => {
  // NODE_ENV=production would leave out what runs the sources.
  const code = await npm(['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']);
  if (code === 0) return;
  announce(`npm ci failed (exit ${code}). Its message is above; behind a proxy, see \`npm help config\`.`);
  process.exit(code);
};

const installLocked = async () => {
  if (!isInstalled()) await step('installing dependencies into node_modules (npm ci)', installPackages);
};

/** Ends this process with npm's exit status when that fails. */
export const install = async () => {
  checkNode();
  await withLock(join(root, '.funnel/install.lock'), installLocked);
};

if (import.meta.url === pathToFileURL(process.argv[1]).href) await install();
