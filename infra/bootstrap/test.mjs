/** `npm test [-- vitest arguments]`: installs what is missing and runs every test. */
import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { install } from './install.mjs';
import { announce, root, run, runTool, step } from './process.mjs';

const onPath = (names) =>
  (process.env.PATH ?? '')
    .split(delimiter)
    .some((folder) => names.some((name) => existsSync(join(folder, name))));

const holds = (folder, ending) =>
  existsSync(folder) && readdirSync(folder, { recursive: true }).some((name) => name.endsWith(ending));

/**
 * Programs that tests need and that npm does not have. If root runs this script on Debian or Ubuntu, it installs them. Otherwise it skips the
 * tests that need them, and a message says how to get the program. With CI=true or FUNNEL_REQUIRE_ALL=1, a skip is a failure.
 */
const needs = [
  {
    what: 'Redis',
    for: 'the queue on Redis',
    packages: ['redis-server'],
    elsewhere: 'brew install redis, or https://redis.io/docs/latest/operate/oss_and_stack/install',
    wanted: () => existsSync(join(root, 'packages/queue/test')),
    isPresent: () => onPath(['redis-server']),
  },
  {
    what: 'PgBouncer',
    for: 'migrations through a pooler',
    packages: ['pgbouncer'],
    elsewhere: 'brew install pgbouncer, or https://www.pgbouncer.org/install.html',
    wanted: () => holds(join(root, 'packages/db/test'), 'pooler.test.ts'),
    isPresent: () => onPath(['pgbouncer']) || existsSync('/usr/sbin/pgbouncer'),
  },
  {
    what: 'a Vulkan driver',
    for: 'the webgpu backend',
    packages: ['mesa-vulkan-drivers'],
    elsewhere: 'the driver of your GPU, or Mesa',
    wanted: () => holds(join(root, 'tools/bench/test'), 'webgpu.test.ts'),
    isPresent: () =>
      ['/usr/share/vulkan/icd.d', '/etc/vulkan/icd.d'].some((folder) => holds(folder, '.json')),
  },
  {
    what: 'Chromium',
    for: 'the dashboard and the libraries in a browser',
    packages: ['chromium'],
    elsewhere:
      'https://www.chromium.org/getting-involved/download-chromium, then set FUNNEL_CHROMIUM to its path',
    wanted: () => holds(join(root, 'apps/web/test'), 'browser.test.ts'),
    isPresent: () =>
      Boolean(process.env.FUNNEL_CHROMIUM) ||
      onPath(['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']),
  },
  {
    what: 'kubectl',
    for: 'the Kubernetes overlays against the real kustomize',
    packages: ['kubernetes-client'],
    elsewhere: 'https://kubernetes.io/docs/tasks/tools',
    wanted: () => existsSync(join(root, 'infra/test/kustomize.test.ts')),
    isPresent: () => onPath(['kubectl']),
  },
];

const missing = () => needs.filter(({ wanted, isPresent }) => wanted() && !isPresent());

const aptInstall = async (packages) => {
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  const install = (show) =>
    run('apt-get', ['install', '-y', '--no-install-recommends', ...packages], { env, show });
  // Tries without `apt-get update` first, because the update takes long and only a new container image needs it.
  if ((await install('none')) === 0) return;
  await run('apt-get', ['update', '-qq'], { env, show: 'errors' });
  await install('errors');
};

/** Installs missing programs where that is possible. Returns what cannot be tested because a program is still missing. */
const provide = async () => {
  const packages = missing().flatMap((need) => need.packages);
  if (packages.length > 0 && process.getuid?.() === 0 && onPath(['apt-get']))
    await step(`installing from the distribution: ${packages.join(' ')}`, () => aptInstall(packages));
  const still = missing();
  for (const need of still) {
    announce(`NOT TESTED: ${need.for}. ${need.what} is missing on this machine.`);
    announce(`            Get it with \`apt-get install ${need.packages.join(' ')}\` or: ${need.elsewhere}.`);
  }
  return still.map((need) => need.for);
};

const required = process.env.CI === 'true' || process.env.FUNNEL_REQUIRE_ALL === '1';

await install();
const skipped = await provide();
// With FUNNEL_REQUIRE_ALL, a test that cannot run fails instead of being skipped.
const env = required ? { FUNNEL_REQUIRE_ALL: '1' } : {};
const code = await runTool(join(root, 'node_modules/vitest/vitest.mjs'), ['run', ...process.argv.slice(2)], {
  env,
});
if (skipped.length > 0)
  announce(
    `NOT TESTED on this machine: ${skipped.join(', ')}. The lines above the tests say how to get the programs.`,
  );
process.exit(code !== 0 ? code : required && skipped.length > 0 ? 1 : 0);
