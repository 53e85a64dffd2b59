/**
 * `npm test [-- vitest arguments]`: installs missing packages of npm and runs every test. Installs no programs: it says which tests it skips
 * because a program is missing. With CI=true or FUNNEL_REQUIRE_ALL=1, a skip is a failure.
 */
import { join } from 'node:path';
import { install } from './install.mjs';
import { announce, root, runTool } from './process.mjs';
import { missingPrograms } from './system.mjs';

await install();
const missing = missingPrograms();
for (const need of missing)
  announce(`NOT TESTED: ${need.for}. ${need.what} is missing on this machine: npm run test:system.`);

const required = process.env.CI === 'true' || process.env.FUNNEL_REQUIRE_ALL === '1';
// With FUNNEL_REQUIRE_ALL, a test that cannot run fails instead of being skipped.
const env = required ? { FUNNEL_REQUIRE_ALL: '1' } : {};
const code = await runTool(join(root, 'node_modules/vitest/vitest.mjs'), ['run', ...process.argv.slice(2)], {
  env,
});
if (missing.length > 0)
  announce(
    `NOT TESTED on this machine: ${missing.map((need) => need.for).join(', ')}. Install the programs: npm run test:system.`,
  );
process.exit(code !== 0 ? code : required && missing.length > 0 ? 1 : 0);
