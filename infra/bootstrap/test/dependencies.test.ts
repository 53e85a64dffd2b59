import { expect, test } from 'vitest';
import { findAdvisories, findLoose, findScripts } from '../dependencies.mjs';

const integrity = 'sha512-x';

test('a dependency without one exact version, a hash and a registry is a fault', () => {
  const manifests = {
    'package.json': { dependencies: { a: '1.2.3', b: '^1.0.0' }, devDependencies: { c: '1.0.0-beta.17' } },
    'apps/x/package.json': { optionalDependencies: { d: 'latest' } },
  };
  const packages = {
    '': {},
    'apps/x': { version: '0.1.0' },
    'node_modules/x': { link: true },
    'node_modules/a': { version: '1.2.3', integrity },
    'node_modules/b': { version: '1.0.0' },
    'node_modules/a/node_modules/b': { integrity, resolved: 'git+ssh://example.test/b.git' },
    'node_modules/darwin': { version: '1.0.0', optional: true, os: ['darwin'] },
  };
  expect(findLoose(manifests, { packages })).toEqual([
    'package.json asks for b ^1.0.0: expected one exact version',
    'apps/x/package.json asks for d latest: expected one exact version',
    'package-lock.json has no integrity of node_modules/b',
    'package-lock.json has no version of node_modules/a/node_modules/b',
    'package-lock.json takes node_modules/a/node_modules/b from git+ssh://example.test/b.git: expected a registry over TLS',
  ]);
});

test('allowScripts must name every package with a script at installation, and only dependencies', () => {
  const packages = {
    'node_modules/a': { hasInstallScript: true },
    'node_modules/b/node_modules/c': { hasInstallScript: true },
    'node_modules/d': {},
  };
  expect(findScripts({ a: false, gone: true }, { packages })).toEqual([
    'c has a script at installation: say in allowScripts of package.json whether it may run',
    'allowScripts of package.json names gone, which is not a dependency',
  ]);
});

const advisory = (id: string, severity: string) => ({
  ...{ name: 'a', severity, title: 'Bad', url: `https://github.com/advisories/${id}` },
});

test('a severe advisory is a fault, except until the day to which it is accepted', () => {
  const report = {
    vulnerabilities: {
      a: { via: [advisory('GHSA-1', 'high'), advisory('GHSA-2', 'moderate')] },
      b: { via: ['a', advisory('GHSA-1', 'high'), advisory('GHSA-3', 'critical')] },
    },
  };
  const why = 'Only code that we do not use reaches it';
  expect(findAdvisories(report, {}, '2026-11-22')).toEqual([
    'GHSA-1 (high): a: Bad',
    'GHSA-3 (critical): a: Bad',
  ]);
  const accepted = { 'GHSA-1': { until: '2026-11-22', why }, 'GHSA-3': { until: '2026-11-21', why } };
  expect(findAdvisories(report, accepted, '2026-11-22')).toEqual(['GHSA-3 (critical): a: Bad']);
  expect(
    findAdvisories({ vulnerabilities: {} }, { 'GHSA-1': { until: '2027-01-01', why } }, '2026-11-22'),
  ).toEqual(['dependencies.json accepts GHSA-1, which no longer concerns any dependency']);
});

test('an answer without advisories does not count as a report', () => {
  expect(() => findAdvisories({ message: '405 Method Not Allowed' }, {}, '2026-11-22')).toThrow('405');
  expect(() => findAdvisories({ error: { summary: 'not implemented' } }, {}, '2026-11-22')).toThrow(
    'not implemented',
  );
});
