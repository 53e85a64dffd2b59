/**
 * The layers of the repository. Packages import only `contracts` and `kernels`. Apps, tools and the proposer compose packages. Only the programs named here
 * import an app. The linter already refuses an import that the package.json of its folder does not list.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

type Manifest = { readonly name: string; readonly dependencies?: object; readonly devDependencies?: object };

const manifestsIn = (folder: string): Manifest[] =>
  readdirSync(`${root}/${folder}`).flatMap((name) => {
    const file = `${root}/${folder}/${name}/package.json`;
    return existsSync(file) ? [JSON.parse(readFileSync(file, 'utf8'))] : [];
  });

const ours = (list: object = {}): string[] =>
  Object.keys(list).flatMap((name) => (name.startsWith('@funnel/') ? [name.slice('@funnel/'.length)] : []));

const [packages, apps, tools] = ['packages', 'apps', 'tools'].map(manifestsIn) as [
  Manifest[],
  Manifest[],
  Manifest[],
];
const packageNames = packages.map(({ name }) => name.slice('@funnel/'.length));

/** The proposer decides in the API and in every worker, so it stands in no app. */
const composing: Readonly<Record<string, readonly string[]>> = {
  '@funnel/contracts': [],
  '@funnel/kernels': [],
  '@funnel/proposer': ['contracts', 'db', 'planner', 'search'],
};

test.each(packages)('$name imports only the packages contracts and kernels', ({ name, dependencies }) => {
  const base = composing[name] ?? ['contracts', 'kernels'];
  const others = ours(dependencies).filter((each) => !base.includes(each));
  expect(
    others,
    `compose ${name} and ${others.join(', ')} in an app, or move the shared part to contracts`,
  ).toEqual([]);
});

/** The command line starts the API and a worker on one machine (`funnel up`) and writes the reports; benchmarks and faults need real programs. */
const composers: Readonly<Record<string, readonly string[]>> = {
  '@funnel/cli': ['api', 'paper', 'worker'],
  '@funnel/bench': ['api', 'worker'],
  '@funnel/chaos': ['worker'],
};

test.each([...apps, ...tools])(
  '$name imports packages, and only the programs that it starts',
  ({ name, dependencies }) => {
    const programs = ours(dependencies).filter((each) => !packageNames.includes(each));
    expect(programs, `${name} should not import a program: move the shared part to a package`).toEqual(
      (composers[name] ?? []).filter((each) => programs.includes(each)),
    );
  },
);
