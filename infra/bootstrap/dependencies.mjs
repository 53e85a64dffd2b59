/**
 * The rules for dependencies. The lock file has one version of each, with its hash. No package runs a script at installation unless
 * `allowScripts` in package.json allows it. No dependency of the product has a known advisory of high or critical severity, unless
 * `dependencies.json` accepts it until a day and for a reason.
 */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { announce, root } from './process.mjs';

const read = (path) => JSON.parse(readFileSync(join(root, path), 'utf8'));

const exact = /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/;
const ranges = ['dependencies', 'devDependencies', 'optionalDependencies'];

/** True for a package that npm installs on some platforms only. A lock file that another platform wrote does not have its hash. */
const isPlatform = ({ optional, os, cpu }) => Boolean(optional && (os || cpu));

/** `manifests`: path → package.json. Returns a line for every dependency without one exact version or without a hash. */
export const findLoose = (manifests, { packages }) => {
  const findings = [];
  for (const [path, manifest] of Object.entries(manifests))
    for (const [name, range] of ranges.flatMap((key) => Object.entries(manifest[key] ?? {})))
      if (!exact.test(range)) findings.push(`${path} asks for ${name} ${range}: expected one exact version`);
  for (const [path, entry] of Object.entries(packages)) {
    if (!path.includes('node_modules/') || entry.link) continue;
    if (!exact.test(entry.version ?? '')) findings.push(`package-lock.json has no version of ${path}`);
    if (!entry.integrity && !isPlatform(entry))
      findings.push(`package-lock.json has no integrity of ${path}`);
    if (/^(git|http:)/.test(entry.resolved ?? ''))
      findings.push(`package-lock.json takes ${path} from ${entry.resolved}: expected a registry over TLS`);
  }
  return findings;
};

const nameOf = (path) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);

/**
 * Returns a line for every package with an install script that `allowScripts` does not name, and for every name in `allowScripts` that is no
 * dependency.
 */
export const findScripts = (allowScripts, { packages }) => {
  const entries = Object.entries(packages).filter(([path]) => path.includes('node_modules/'));
  const scripted = new Set(
    entries.filter(([, entry]) => entry.hasInstallScript).map(([path]) => nameOf(path)),
  );
  const names = new Set(entries.map(([path]) => nameOf(path)));
  return [
    ...[...scripted]
      .filter((name) => !(name in allowScripts))
      .map(
        (name) =>
          `${name} has a script at installation: say in allowScripts of package.json whether it may run`,
      ),
    ...Object.keys(allowScripts)
      .filter((name) => !names.has(name))
      .map((name) => `allowScripts of package.json names ${name}, which is not a dependency`),
  ];
};

const severe = ['high', 'critical'];

/** `report` is from `npm audit --json`. `accepted`: advisory → { until, why }. Throws when the report has no vulnerabilities field. */
export const findAdvisories = (report, accepted, today) => {
  if (typeof report?.vulnerabilities !== 'object')
    throw new Error(report?.message ?? report?.error?.summary ?? 'the answer is not a report');
  const advisories = Object.values(report.vulnerabilities)
    .flatMap(({ via }) => via)
    .filter((via) => typeof via === 'object' && severe.includes(via.severity));
  const byId = new Map(advisories.map((advisory) => [advisory.url.split('/').at(-1), advisory]));
  const lines = [...byId]
    .filter(([id]) => !(accepted[id]?.until >= today))
    .map(([id, { name, severity, title }]) => `${id} (${severity}): ${name}: ${title}`);
  const stale = Object.keys(accepted)
    .filter((id) => !byId.has(id))
    .map((id) => `dependencies.json accepts ${id}, which no longer concerns any dependency`);
  return [...lines, ...stale];
};

/** The report of `npm audit`, or an object with a message. npm exits with 1 also when it has a report, so nothing here uses the status. */
const audit = () =>
  new Promise((resolve) => {
    const script = process.env.npm_execpath;
    const args = ['audit', '--omit=dev', '--json', '--loglevel=silent'];
    const [command, all] = script?.endsWith('.js') ? [process.execPath, [script, ...args]] : ['npm', args];
    const options = {
      cwd: root,
      timeout: 60_000,
      maxBuffer: 64 * 2 ** 20,
      shell: process.platform === 'win32',
    };
    execFile(command, all, options, (error, stdout) => {
      try {
        resolve(JSON.parse(stdout));
      } catch {
        resolve({ message: error?.message ?? 'npm audit said nothing' });
      }
    });
  });

const manifestsOf = () => {
  const folders = ['apps', 'packages', 'tools'].flatMap((parent) =>
    readdirSync(join(root, parent)).map((name) => `${parent}/${name}/package.json`),
  );
  // A folder of `tools` may hold only scripts, without a package.json.
  const manifests = folders.filter((path) => existsSync(join(root, path)));
  return Object.fromEntries(['package.json', ...manifests].map((path) => [path, read(path)]));
};

/** Prints every fault. Resolves to 1 when there is one, else to 0. Prints a note, and finds no fault, where the registry has no advisories. */
export const checkDependencies = async () => {
  const lock = read('package-lock.json');
  const manifests = manifestsOf();
  const findings = [
    ...findLoose(manifests, lock),
    ...findScripts(manifests['package.json'].allowScripts, lock),
  ];
  const { accepted } = read('infra/bootstrap/dependencies.json');
  try {
    findings.push(...findAdvisories(await audit(), accepted, new Date().toISOString().slice(0, 10)));
  } catch (error) {
    announce(
      'NOT AUDITED: known vulnerabilities of the dependencies, because this npm registry does not list them',
    );
    announce(`             (${error.message}). Run \`npm audit --omit=dev\` where the registry does.`);
  }
  for (const finding of findings) announce(finding);
  return findings.length === 0 ? 0 : 1;
};
