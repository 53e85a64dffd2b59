/**
 * Renders a folder like `kubectl kustomize`, with the features that infra/k8s uses: resources, components, patches (merged, or JSON 6902),
 * replicas, images, labels, namespace. So tests can check the manifests without kubectl. If kubectl is installed, a test compares its output
 * with that of this file.
 */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type Fields = { [key: string]: Json };

export type Resource = {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string> };
  spec?: Fields;
  [key: string]: unknown;
};

type Target = { kind?: string; name?: string };
type Operation = { op: 'add' | 'remove' | 'replace'; path: string; value?: Json };
type Kustomization = {
  namespace?: string;
  resources?: string[];
  components?: string[];
  patches?: { target?: Target; path?: string; patch?: string }[];
  replicas?: { name: string; count: number }[];
  images?: { name: string; newTag: string }[];
  labels?: { pairs: Record<string, string>; includeTemplates?: boolean }[];
};

const isFields = (value: Json | undefined): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const nameOf = (value: Json): Json | undefined => (isFields(value) ? value.name : undefined);

/** A strategic merge. It merges objects key by key, and lists of named objects name by name. A patch replaces every other list. */
export const merge = (base: Json | undefined, patch: Json): Json => {
  if (isFields(base) && isFields(patch)) {
    const merged: Fields = { ...base };
    for (const [key, value] of Object.entries(patch)) merged[key] = merge(merged[key], value);
    return merged;
  }
  if (!Array.isArray(base) || !Array.isArray(patch)) return patch;
  if (![...base, ...patch].every((item) => nameOf(item) !== undefined)) return patch;
  const added = patch.filter((item) => !base.some((old) => nameOf(old) === nameOf(item)));
  const kept = base.map((old) => {
    const change = patch.find((item) => nameOf(item) === nameOf(old));
    return change === undefined ? old : merge(old, change);
  });
  return [...kept, ...added];
};

/** RFC 6902 on objects and lists, without `-`, `move`, `copy` and `test`. Throws where the path leads nowhere. */
const operate = (resource: Resource, { op, path, value = null }: Operation): void => {
  const keys = path
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
  const last = keys.pop() ?? '';
  let at: unknown = resource;
  for (const key of keys) at = (at as Fields | undefined)?.[key];
  const place = at as Fields | undefined;
  if (!place || (op !== 'add' && !(last in place)))
    throw new Error(`${resource.metadata.name} has no ${path}`);
  if (op === 'remove') delete place[last];
  else place[last] = value;
};

const matching = (resources: Resource[], { kind, name }: Target): Resource[] => {
  const found = resources.filter(
    (resource) => (!kind || resource.kind === kind) && (!name || resource.metadata.name === name),
  );
  if (found.length === 0) throw new Error(`a patch is for ${kind} ${name}, which does not exist`);
  return found;
};

const applyPatch = (resources: Resource[], patch: Fields | Operation[], target?: Target): void => {
  if (Array.isArray(patch)) {
    for (const resource of matching(resources, target ?? {}))
      for (const operation of patch) operate(resource, operation);
    return;
  }
  const { kind, metadata } = patch as unknown as Resource;
  for (const resource of matching(resources, { kind, name: metadata.name }))
    Object.assign(resource, merge(resource as Fields, patch));
};

/** The pod template of a resource, or null if it has none. */
export const templateOf = (resource: Resource): { metadata: Resource['metadata']; spec: Fields } | null =>
  ['Deployment', 'StatefulSet', 'Job'].includes(resource.kind)
    ? (resource.spec?.template as unknown as { metadata: Resource['metadata']; spec: Fields })
    : null;

export const containersOf = (resource: Resource): Fields[] => {
  const { initContainers = [], containers = [] } = (templateOf(resource)?.spec ?? {}) as Record<
    string,
    Fields[]
  >;
  return [...initContainers, ...containers];
};

const readDocuments = (file: string): Resource[] =>
  parseAllDocuments(readFileSync(file, 'utf8')).map((document) => {
    if (document.errors.length > 0) throw new Error(`${file}: ${document.errors[0]?.message}`);
    return document.toJS();
  });

/** Applies the kustomization in `folder` to `resources`. */
const customise = (folder: string, resources: Resource[]): Resource[] => {
  const kustomization: Kustomization = parse(readFileSync(join(folder, 'kustomization.yaml'), 'utf8'));
  for (const entry of kustomization.resources ?? []) {
    const path = join(folder, entry);
    resources.push(...(statSync(path).isDirectory() ? customise(path, []) : readDocuments(path)));
  }
  for (const component of kustomization.components ?? []) customise(join(folder, component), resources);
  for (const { target, path, patch } of kustomization.patches ?? [])
    applyPatch(resources, parse(patch ?? readFileSync(join(folder, path ?? ''), 'utf8')), target);
  for (const { name, count } of kustomization.replicas ?? [])
    for (const { spec } of matching(resources, { kind: 'Deployment', name })) if (spec) spec.replicas = count;
  for (const { name, newTag } of kustomization.images ?? [])
    for (const container of resources.flatMap(containersOf))
      if (container.image === name) container.image = `${name}:${newTag}`;
  for (const { pairs, includeTemplates } of kustomization.labels ?? [])
    for (const resource of resources) {
      resource.metadata.labels = { ...resource.metadata.labels, ...pairs };
      const template = includeTemplates ? templateOf(resource) : null;
      if (template) template.metadata.labels = { ...template.metadata.labels, ...pairs };
    }
  if (kustomization.namespace)
    for (const { kind, metadata } of resources)
      if (kind !== 'Namespace') metadata.namespace = kustomization.namespace;
  return resources;
};

export const build = (folder: string): Resource[] => customise(folder, []);
