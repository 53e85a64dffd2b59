/** `npm test [-- vitest arguments]`: installs what is missing and runs every test. */
import { join } from 'node:path';
import { announce } from './announce.mjs';
import { provide } from './distribution.mjs';
import { install } from './install.mjs';
import { root } from './root.mjs';
import { runTool } from './run.mjs';

const required = process.env.CI === 'true' || process.env.FUNNEL_REQUIRE_ALL === '1';

await install();
const skipped = await provide();
// Test helpers read FUNNEL_REQUIRE_ALL: where it is set, a test that cannot run fails instead of being skipped.
const env = required ? { FUNNEL_REQUIRE_ALL: '1' } : {};
const code = await runTool(join(root, 'node_modules/vitest/vitest.mjs'), ['run', ...process.argv.slice(2)], {
  env,
});
if (skipped.length > 0)
  announce(`NOT TESTED on this machine: ${skipped.join(', ')}. How to change that stands above.`);
process.exit(code !== 0 ? code : required && skipped.length > 0 ? 1 : 0);
