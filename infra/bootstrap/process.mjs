/** What every script here needs: where the checkout is, words to the person at the terminal, and other programs on that terminal. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The folder of the checkout, without a slash at its end. */
export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/[\\/]$/, '');

/** One line before and one after, so that nobody wonders what takes so long or what was changed on their machine. */
export const announce = (text) => console.log(`funnel: ${text}`);

/** Runs `work` between two lines; the second has the elapsed time. */
export const step = async (title, work) => {
  announce(`${title} …`);
  const start = performance.now();
  const result = await work();
  announce(`${title}: done in ${((performance.now() - start) / 1000).toFixed(1)} s`);
  return result;
};

/**
 * Runs a program in the root of the checkout on this terminal. Resolves to its exit code; a signal counts as 128 + n, like in a
 * shell. `words`: what of its words is shown: `all`, `errors` (only where it fails) or `none`.
 */
export const run = (command, args, { env = {}, words = 'all' } = {}) =>
  new Promise((resolve, reject) => {
    const stdio = words === 'all' ? 'inherit' : ['ignore', 'ignore', 'pipe'];
    const child = spawn(command, args, { cwd: root, stdio, env: { ...process.env, ...env } });
    let errors = '';
    child.stderr?.on('data', (chunk) => {
      errors += chunk;
    });
    // The terminal sends Ctrl-C to the child too; waiting for it keeps this process from going first.
    const wait = () => {};
    const pass = () => child.kill('SIGTERM');
    process.on('SIGINT', wait).on('SIGTERM', pass);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      process.off('SIGINT', wait).off('SIGTERM', pass);
      if (words === 'errors' && code !== 0) process.stderr.write(errors);
      resolve(code ?? 128 + (signal === 'SIGINT' ? 2 : 15));
    });
  });

/** Runs a script that npm installed, by the same Node and without npx. */
export const runTool = (script, args, options) => run(process.execPath, [script, ...args], options);
