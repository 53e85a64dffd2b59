/** `npm run test:system`: installs the programs that tests need and that npm does not have. */
import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { announce, root, run, step } from './process.mjs';
import { readArguments } from './usage.mjs';

const onPath = (names) =>
  (process.env.PATH ?? '')
    .split(delimiter)
    .some((folder) => names.some((name) => existsSync(join(folder, name))));

const holds = (folder, ending) =>
  existsSync(folder) && readdirSync(folder, { recursive: true }).some((name) => name.endsWith(ending));

/** The programs, each with the tests that need it. */
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
    for: 'a service behind a pooler',
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

/** The programs that tests of this folder need and that this machine lacks. */
export const missingPrograms = () => needs.filter(({ wanted, isPresent }) => wanted() && !isPresent());

const aptInstall = async (packages) => {
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  const install = (show) =>
    run('apt-get', ['install', '-y', '--no-install-recommends', ...packages], { env, show });
  // Tries without `apt-get update` first, because the update takes long and only a new container image needs it.
  if ((await install('none')) === 0) return;
  await run('apt-get', ['update', '-qq'], { env, show: 'errors' });
  await install('errors');
};

const usage = `npm run test:system
  Installs the programs that tests need and npm does not have, as root on Debian or Ubuntu; elsewhere says how to get them.`;

const provide = async () => {
  readArguments(usage);
  const packages = missingPrograms().flatMap((need) => need.packages);
  if (packages.length > 0 && process.getuid?.() === 0 && onPath(['apt-get']))
    await step(`installing from the distribution: ${packages.join(' ')}`, () => aptInstall(packages));
  const still = missingPrograms();
  for (const { what, packages: names, elsewhere } of still)
    announce(
      `${what} is missing. As root on Debian or Ubuntu: apt-get install ${names.join(' ')}. Elsewhere: ${elsewhere}.`,
    );
  if (still.length === 0) announce('All programs that tests need are there.');
  return still.length === 0 ? 0 : 1;
};

if (import.meta.url === pathToFileURL(process.argv[1]).href) process.exitCode = await provide();
