/**
 * `npm test [-- TEXT …]`: installs missing packages of npm and runs every test. Installs no programs: it says which tests it skips
 * because a program is missing. With CI=true or FUNNEL_REQUIRE_ALL=1, a skip is a failure.
 */
import { join } from 'node:path';
import { install } from './install.mjs';
import { announce, root, runTool } from './process.mjs';
import { missingPrograms } from './system.mjs';

const usage = `npm test [-- TEXT …]
  Runs every test, or the tests whose path contains a TEXT, such as packages/planner. Passes options on to vitest
  (\`npx vitest run --help\` lists them). --version prints the version of vitest.`;

const vitest = join(root, 'node_modules/vitest/vitest.mjs');
const args = process.argv.slice(2);
if (args.includes('--help') || args.includes('-h')) {
  console.log(usage);
  process.exit(0);
}
await install();
// With `run`, vitest would run every test.
if (args.includes('--version') || args.includes('-v')) process.exit(await runTool(vitest, ['--version']));
const missing = missingPrograms();
for (const need of missing)
  announce(`NOT TESTED: ${need.for}. ${need.what} is missing on this machine: npm run test:system.`);

const required = process.env.CI === 'true' || process.env.FUNNEL_REQUIRE_ALL === '1';
// With FUNNEL_REQUIRE_ALL, a test that cannot run fails instead of being skipped.
const env = required ? { FUNNEL_REQUIRE_ALL: '1' } : {};
const code = await runTool(vitest, ['run', ...args], { env });
if (missing.length > 0)
  announce(
    `NOT TESTED on this machine: ${missing.map((need) => need.for).join(', ')}. Install the programs: npm run test:system.`,
  );
process.exit(code !== 0 ? code : required && missing.length > 0 ? 1 : 0);
