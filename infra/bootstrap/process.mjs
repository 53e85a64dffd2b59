/** The parts that all scripts here use: the folder of the checkout, messages, and running other programs. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The folder of the checkout, without a slash at its end. */
export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/[\\/]$/, '');

/** Writes a line to stderr: stdout belongs to the program that runs next. */
export const announce = (text) => console.error(`funnel: ${text}`);

/** Runs `action` between two messages, so that the user knows what takes long and what changes on the machine. */
export const step = async (title, action) => {
  announce(`${title} …`);
  const start = performance.now();
  const result = await action();
  announce(`${title}: done in ${((performance.now() - start) / 1000).toFixed(1)} s`);
  return result;
};

/**
 * Runs a program in the root of the checkout. Resolves to its exit code, which is 128 + n after signal n, as in a shell. `show` chooses the
 * output that is shown: `all`, `messages` (all of it, on stderr), `errors` (stderr, when it fails) or `none`.
 */
export const run = (command, args, { env = {}, show = 'all' } = {}) =>
  new Promise((resolve, reject) => {
    const stdio = { all: 'inherit', messages: ['ignore', 2, 'inherit'] }[show] ?? [
      'ignore',
      'ignore',
      'pipe',
    ];
    const child = spawn(command, args, { cwd: root, stdio, env: { ...process.env, ...env } });
    let errors = '';
    child.stderr?.on('data', (chunk) => {
      errors += chunk;
    });
    // The terminal sends Ctrl-C to the child too. This process must not end before the child.
    const ignore = () => {};
    const passOn = () => child.kill('SIGTERM');
    process.on('SIGINT', ignore).on('SIGTERM', passOn);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      process.off('SIGINT', ignore).off('SIGTERM', passOn);
      if (show === 'errors' && code !== 0) process.stderr.write(errors);
      resolve(code ?? 128 + (signal === 'SIGINT' ? 2 : 15));
    });
  });

/** Runs a script from node_modules with the same Node. */
export const runTool = (script, args, options) => run(process.execPath, [script, ...args], options);
