#!/usr/bin/env node
/**
 * `funnel`: runs the built command line. If the build is missing or older than its sources, the launcher installs missing packages and
 * builds first.
 */
import { existsSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isCurrent } from '../../../infra/bootstrap/built.mjs';
import { root } from '../../../infra/bootstrap/process.mjs';

const built = fileURLToPath(new URL('../dist', import.meta.url));

const prepare = async () => {
  const isInstalled = existsSync(join(root, 'node_modules/.package-lock.json'));
  if (isInstalled && isCurrent(built)) return;
  try {
    const { install } = await import('../../../infra/bootstrap/install.mjs');
    await install();
    const { buildCli } = await import('../../../infra/bootstrap/cli.mjs');
    await buildCli();
  } catch (error) {
    if (['EACCES', 'EPERM', 'EROFS'].includes(error.code))
      console.error(
        `Funnel must be built after a change, but ${error.path} cannot be written (${error.code}): run \`npx funnel --version\` once as the owner of ${root}.`,
      );
    else if (error.errors)
      console.error(error.message); // The bundler names the source and the mistake.
    else throw error;
    process.exit(1);
  }
};

/** Runs `funnel` with these arguments in this process. */
export const runFunnel = async (args) => {
  await prepare();
  const { main } = await import('../dist/main.js');
  await main(args);
};

// npm links this file from node_modules/.bin, and `./funnel` is a link to it.
if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url))
  await runFunnel(process.argv.slice(2));
