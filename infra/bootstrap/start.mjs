/**
 * `npm start`: installs what is missing, then becomes `funnel up`. It loads Funnel into this very process instead of starting another
 * one: there is nothing to pass signals to, and nothing that a `kill -9` of this could leave behind.
 */
import { install } from './install.mjs';

await install();
const { runFunnel } = await import('../../apps/cli/bin/funnel.mjs');
await runFunnel(['up', ...process.argv.slice(2)]);
