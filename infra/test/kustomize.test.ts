import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { build, type Json, merge, type Resource } from './kustomize.ts';

const folder = (overlay: string): string =>
  fileURLToPath(new URL(`../k8s/overlays/${overlay}`, import.meta.url));
const kubectl = spawnSync('kubectl', ['version', '--client']).status === 0;
if (!kubectl)
  console.warn(
    'NOT TESTED: whether infra/test/kustomize.ts agrees with kubectl, which is missing on this machine.',
  );

/** Sorts keys, and lists of named things, whose order means nothing to Kubernetes. */
const sortLists = (value: Json): Json => {
  if (Array.isArray(value)) {
    const items = value.map(sortLists);
    const named = items.every((item) => typeof item === 'object' && item !== null && 'name' in item);
    return named ? items.toSorted((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b))) : items;
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, item]) => [key, sortLists(item)] as const)
      .toSorted(([a], [b]) => a.localeCompare(b)),
  );
};
const byName = (resources: readonly Resource[]): Map<string, Json> =>
  new Map(
    resources.map((resource) => [`${resource.kind} ${resource.metadata.name}`, sortLists(resource as Json)]),
  );

describe('kustomize.ts', () => {
  it('merges things by name and replaces other lists', () => {
    const base = {
      env: [
        { name: 'A', value: '1' },
        { name: 'B', value: '2' },
      ],
      args: ['x', 'y'],
      kept: true,
    };
    const patch = {
      env: [
        { name: 'B', value: '3' },
        { name: 'C', value: '4' },
      ],
      args: ['z'],
    };
    expect(merge(base, patch)).toEqual({
      env: [
        { name: 'A', value: '1' },
        { name: 'B', value: '3' },
        { name: 'C', value: '4' },
      ],
      args: ['z'],
      kept: true,
    });
  });

  it.runIf(kubectl).each(['cpu', 'gpu', 'dev'])('renders overlay %s like kubectl', (overlay) => {
    const rendered = execFileSync('kubectl', ['kustomize', folder(overlay)], { encoding: 'utf8' });
    const resources = parseAllDocuments(rendered).map((document) => document.toJS() as Resource);
    expect(byName(build(folder(overlay)))).toEqual(byName(resources));
  });
});
