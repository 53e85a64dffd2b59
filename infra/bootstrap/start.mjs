/**
 * `npm start`: installs what is missing, builds the dashboard and the command line when their sources have changed, then runs `funnel up` in this
 * process. With a second process, this one would have to pass signals on, and `kill -9` would leave the second one behind.
 */

import { install } from './install.mjs';
import { announce } from './process.mjs';

await install();
const { buildWeb } = await import('./web.mjs');
try {
  if (await buildWeb()) announce('built the dashboard');
} catch (error) {
  // Everything else works without the dashboard.
  announce(
    `the dashboard could not be built and is left out: ${error instanceof Error ? error.message : error}`,
  );
}
const { runFunnel } = await import('../../apps/cli/bin/funnel.mjs');
await runFunnel(['up', ...process.argv.slice(2)]);
