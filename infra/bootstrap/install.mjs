/** Installs the packages of package-lock.json. Takes milliseconds when they are installed. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { withLock } from './lock.mjs';
import { announce, root, run, step } from './process.mjs';

const minNode = [20, 19];

/** Ends the process with a message on an old Node, which would fail later with a syntax error. */
const checkNode = () => {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > minNode[0] || (major === minNode[0] && minor >= minNode[1])) return;
  console.error(
    `Funnel needs Node ${minNode.join('.')} or newer, but this is ${process.version} (${process.execPath}).\n` +
      'Install a newer one from https://nodejs.org or with your version manager, such as `nvm install 22`.',
  );
  process.exit(1);
};

const packagesOf = (path) => JSON.parse(readFileSync(join(root, path), 'utf8')).packages;

/**
 * npm writes node_modules/.package-lock.json at the end of every installation, also of an update. The file lists the installed packages. It is
 * missing after an interrupted installation.
 */
const isInstalled = () => {
  if (!existsSync(join(root, 'node_modules/.package-lock.json'))) return false;
  const installed = packagesOf('node_modules/.package-lock.json');
  return Object.entries(packagesOf('package-lock.json')).every(([path, wanted]) => {
    if (!path.includes('node_modules/') || wanted.optional || wanted.devOptional) return true;
    return (
      installed[path]?.version === wanted.version && Boolean(installed[path]?.link) === Boolean(wanted.link)
    );
  });
};

/** Runs the npm that runs this script, else the npm of the PATH. */
const npm = (args) => {
  const options = { show: 'messages' }; // stdout belongs to the command that comes next.
  const script = process.env.npm_execpath;
  if (script?.endsWith('.js')) return run(process.execPath, [script, ...args], options);
  return run(process.platform === 'win32' ? 'npm.cmd' : 'npm', args, options);
};

const installPackages = async () => {
  // With NODE_ENV=production, npm would leave out the packages that build and test.
  const code = await npm(['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']);
  if (code === 0) return;
  announce(`npm ci failed (exit ${code}). Its message is above. Behind a proxy, see \`npm help config\`.`);
  process.exit(code);
};

const installLocked = async () => {
  if (!isInstalled()) await step('installing dependencies into node_modules (npm ci)', installPackages);
};

/** When npm fails, ends this process with npm's exit status. */
export const install = async () => {
  checkNode();
  await withLock(join(root, '.funnel/install.lock'), installLocked);
};

if (import.meta.url === pathToFileURL(process.argv[1]).href) await install();
