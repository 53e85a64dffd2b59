/**
 * `npm start`: installs what is missing, builds the dashboard where its sources are newer, then becomes `funnel up`. It loads Funnel into
 * this very process instead of starting another one: there is nothing to pass signals to, and nothing that a `kill -9` of this could leave
 * behind.
 */

import { install } from './install.mjs';
import { announce } from './process.mjs';

await install();
const { buildWeb } = await import('./web.mjs');
try {
  if (await buildWeb()) announce('built the dashboard');
} catch (error) {
  // Everything but the pages works without it.
  announce(
    `the dashboard could not be built and is left out: ${error instanceof Error ? error.message : error}`,
  );
}
const { runFunnel } = await import('../../apps/cli/bin/funnel.mjs');
await runFunnel(['up', ...process.argv.slice(2)]);
