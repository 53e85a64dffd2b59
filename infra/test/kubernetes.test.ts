/** Checks the manifests as a cluster does, and for faults that a cluster shows only while it runs. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { Env as ApiEnv } from '../../apps/api/src/env.ts';
import { Env as CliEnv } from '../../apps/cli/src/env.ts';
import { Env as WorkerEnv } from '../../apps/worker/src/options.ts';
import { build, containersOf, type Resource, templateOf } from './kustomize.ts';

const schema = JSON.parse(readFileSync(new URL('schemas/kubernetes.json', import.meta.url), 'utf8'));
const ajv = new Ajv2020({ strict: false, allErrors: true }).addSchema(schema, 'kubernetes');

/** The faults of a resource. An unknown kind is a fault. */
const faultsOf = (resource: Resource): string[] => {
  const kind = `${resource.apiVersion}/${resource.kind}`;
  const validate = ajv.getSchema(`kubernetes#/properties/${encodeURIComponent(kind.replaceAll('/', '~1'))}`);
  if (!validate) return [`${kind} is not a kind that schemas/kubernetes.json knows`];
  validate(resource);
  return (validate.errors ?? []).map(
    ({ instancePath, message, params }) =>
      `${resource.metadata.name}${instancePath} ${message} ${JSON.stringify(params)}`,
  );
};

type Container = {
  name: string;
  image: string;
  env?: { name: string; value?: string }[];
  envFrom?: { configMapRef?: { name: string }; secretRef?: { name: string } }[];
  volumeMounts?: { name: string }[];
};
/** A resource whose shape the schema has checked. */
const containers = (resource: Resource): Container[] => containersOf(resource) as unknown as Container[];
const at = <T>(value: unknown, ...keys: (string | number)[]): T | undefined =>
  keys.reduce<unknown>(
    (inner, key) => (inner as Record<string | number, unknown> | undefined)?.[key],
    value,
  ) as T | undefined;

const component = 'app.kubernetes.io/component';
const componentOf = (pod: Resource): string => templateOf(pod)?.metadata.labels?.[component] ?? '';

/** The variables that the program of each pod reads. */
const variablesOf: Record<string, readonly string[]> = {
  api: Object.keys(ApiEnv.shape),
  worker: Object.keys(WorkerEnv.shape),
  migrate: Object.keys(CliEnv.shape),
};

describe.each(['cpu', 'gpu', 'dev'])('overlay %s', (overlay) => {
  const resources = build(fileURLToPath(new URL(`../k8s/overlays/${overlay}`, import.meta.url)));
  const pods = resources.filter((resource) => templateOf(resource));
  const find = (kind: string, name: string | undefined): Resource | undefined =>
    resources.find((resource) => resource.kind === kind && resource.metadata.name === name);
  const worker = find('Deployment', 'funnel-worker')!;
  const workerValue = (name: string): string | undefined =>
    containers(worker)[0]!.env?.find((variable) => variable.name === name)?.value;

  it('matches the schemas of Kubernetes and KEDA', () => {
    expect(resources.flatMap(faultsOf)).toEqual([]);
  });

  it('has no two resources of a kind with the same name', () => {
    const names = resources.map(({ kind, metadata }) => `${kind} ${metadata.namespace} ${metadata.name}`);
    expect(new Set(names).size).toBe(names.length);
  });

  it('runs every pod by the restricted profile, on a read-only root, within limits', () => {
    for (const pod of pods) {
      expect(templateOf(pod)?.spec.securityContext).toMatchObject({
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      for (const container of containers(pod))
        expect(container).toMatchObject({
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
          resources: { requests: { cpu: expect.any(String) }, limits: { memory: expect.any(String) } },
        });
    }
  });

  it('pins every image to a version', () => {
    for (const { image } of pods.flatMap(containers)) expect(image).toMatch(/:v?\d+\.\d+/);
  });

  it('mounts only volumes that exist, and refers only to resources that exist', () => {
    for (const pod of pods) {
      const serviceAccountName = at<string>(templateOf(pod), 'spec', 'serviceAccountName');
      const volumes = at<{ name: string }[]>(templateOf(pod), 'spec', 'volumes') ?? [];
      const claims = at<Resource[]>(pod, 'spec', 'volumeClaimTemplates') ?? [];
      const there = [...volumes.map(({ name }) => name), ...claims.map(({ metadata }) => metadata.name)];
      if (serviceAccountName) expect(find('ServiceAccount', serviceAccountName)).toBeDefined();
      for (const { volumeMounts = [], envFrom = [] } of containers(pod)) {
        for (const { name } of volumeMounts) expect(there).toContain(name);
        for (const { configMapRef } of envFrom)
          if (configMapRef) expect(find('ConfigMap', configMapRef.name)).toBeDefined();
      }
    }
  });

  it('selects pods that exist', () => {
    const components = pods.map(componentOf);
    for (const resource of resources) {
      const selected =
        at<string>(resource, 'spec', 'selector', component) ??
        at<string>(resource, 'spec', 'selector', 'matchLabels', component) ??
        at<string>(resource, 'spec', 'podSelector', 'matchLabels', component);
      if (selected) expect(components, resource.metadata.name).toContain(selected);
    }
  });

  it('sets only variables that the program reads', () => {
    const shared = Object.keys(at<object>(find('ConfigMap', 'funnel'), 'data') ?? {});
    expect(shared).not.toEqual([]);
    // Overlays for real clusters expect the Secret to be there (docs/running.md).
    const secrets = Object.keys(at<object>(find('Secret', 'funnel'), 'stringData') ?? {});
    for (const pod of pods)
      for (const { env = [], envFrom = [] } of containers(pod)) {
        const known = variablesOf[componentOf(pod)];
        const variables = env.map(({ name }) => name);
        if (envFrom.some(({ configMapRef }) => configMapRef)) variables.push(...shared);
        if (envFrom.some(({ secretRef }) => secretRef)) variables.push(...secrets);
        if (known) expect(known).toEqual(expect.arrayContaining(variables));
      }
  });

  it('gives the worker more time to stop than it needs', () => {
    const grace = at<number>(templateOf(worker), 'spec', 'terminationGracePeriodSeconds');
    expect(grace).toBeGreaterThanOrEqual(Number(workerValue('FUNNEL_DRAIN_SECONDS')) + 25);
  });

  it('adds a worker for as many stages as it has slots; in development the number of workers is fixed', () => {
    const scaled = find('ScaledObject', 'funnel-worker');
    expect(scaled === undefined).toBe(overlay === 'dev');
    if (!scaled) return;
    const trigger = at(scaled, 'spec', 'triggers', 0);
    expect(at(trigger, 'metadata', 'targetQueryValue')).toBe(workerValue('FUNNEL_SLOTS'));
    expect(find('TriggerAuthentication', at(trigger, 'authenticationRef', 'name'))).toBeDefined();
    const target = find('Deployment', at(scaled, 'spec', 'scaleTargetRef', 'name'));
    expect(target?.spec).toBeDefined();
    expect(target?.spec).not.toHaveProperty('replicas');
  });
});

describe('the check itself', () => {
  it('refuses a misspelt key, a wrong type and an unknown kind', () => {
    const deployment = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'x' },
      spec: { replicaz: 1, replicas: 'two', selector: {}, template: {} },
    };
    const faults = faultsOf(deployment as unknown as Resource).join('\n');
    expect(faults).toContain('replicaz');
    expect(faults).toContain('x/spec/replicas must be integer');
    expect(faultsOf({ ...deployment, kind: 'Deploymint' } as unknown as Resource)).toHaveLength(1);
  });
});
