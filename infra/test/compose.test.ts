/** Checks docker-compose.yml as `docker compose config` does, and more. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { Env as ApiEnv } from '../../apps/api/src/env.ts';
import { Env as CliEnv } from '../../apps/cli/src/env.ts';
import { Env as WorkerEnv } from '../../apps/worker/src/options.ts';
import { stagesOf } from './dockerfile.ts';

const root = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');
const text = read('docker-compose.yml');

type Service = {
  image: string;
  build?: { context: string; dockerfile: string; target: string };
  command?: string[];
  user?: string;
  profiles?: string[];
  restart: string;
  read_only: boolean;
  cap_drop: string[];
  security_opt: string[];
  environment?: Record<string, string | null>;
  depends_on?: string[] | Record<string, { condition: string }>;
  volumes?: string[];
  networks: string[];
  ports?: string[];
  secrets?: string[];
  healthcheck?: { test?: string[]; disable?: boolean };
  stop_grace_period?: string;
};
type Compose = {
  services: Record<string, Service>;
  networks: Record<string, { internal?: boolean } | null>;
  volumes: Record<string, null>;
  secrets: Record<string, { environment: string }>;
};
const compose = parse(text, { merge: true }) as Compose;
const services = Object.entries(compose.services);
const schema = JSON.parse(read('infra/test/schemas/compose.json'));
const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
const validate = ajv.compile(schema);

/** `${NAME}`, `${NAME:-default}`, `${NAME:?message}`; `$$` is a dollar. */
const references = [...text.replaceAll('$$', '').matchAll(/\$\{(\w+)(?:(:[-?])([^}]*))?\}/g)].map(
  ([, name = '', operator, rest]) => ({ name, operator, rest }),
);
/** Name and value of every line of .env.example, and whether it is commented out. */
const example = new Map(
  [...read('.env.example').matchAll(/^(# )?([A-Z_]+)=(.*)$/gm)].map(([, comment, name = '', value = '']) => [
    name,
    { value, set: comment === undefined },
  ]),
);

const seconds = (duration: string): number => {
  const [, minutes = '0', rest = '0'] = /^(?:(\d+)m)?(?:(\d+)s)?$/.exec(duration) ?? [];
  return Number(minutes) * 60 + Number(rest);
};
/** Variables without a value, which come from .env as they are. */
const passedOn = services.flatMap(([, { environment = {} }]) =>
  Object.keys(environment).filter((name) => environment[name] === null),
);
const dependenciesOf = ({ depends_on = [] }: Service): string[] =>
  Array.isArray(depends_on) ? depends_on : Object.keys(depends_on);

/** Services that end by themselves, or whose image has no program for a health check. */
const unwatched = ['migrate', 'otel-collector', 'jaeger'];

describe('docker-compose.yml', () => {
  it('is a Compose file by the schema of the Compose specification', () => {
    expect(validate(compose), JSON.stringify(validate.errors)).toBe(true);
    expect(validate({ services: { x: { image: 'x', imagee: 'x' } } })).toBe(false);
  });

  it('refers only to services, networks, volumes and secrets that it has', () => {
    for (const [name, service] of services) {
      for (const other of dependenciesOf(service)) expect(compose.services, name).toHaveProperty(other);
      for (const network of service.networks) expect(compose.networks, name).toHaveProperty(network);
      for (const secret of service.secrets ?? []) expect(compose.secrets, name).toHaveProperty([secret]);
      for (const mount of service.volumes ?? []) {
        const [source = ''] = mount.split(':');
        if (source.startsWith('.')) expect(existsSync(new URL(source, root)), mount).toBe(true);
        else expect(compose.volumes, name).toHaveProperty([source]);
      }
    }
  });

  it('starts a service only after the services that it needs, none of which has a profile that may be off', () => {
    for (const [name, { depends_on = {}, profiles = [] }] of services) {
      const conditions = Array.isArray(depends_on) ? [] : Object.entries(depends_on);
      for (const [other, { condition }] of conditions) {
        const { healthcheck, restart } = compose.services[other]!;
        if (condition === 'service_healthy') expect(healthcheck?.test, `${name} → ${other}`).toBeDefined();
        if (condition === 'service_completed_successfully') expect(restart, `${name} → ${other}`).toBe('no');
      }
      for (const other of dependenciesOf(compose.services[name]!))
        for (const profile of compose.services[other]?.profiles ?? []) expect(profiles).toContain(profile);
    }
  });

  it('pins every image, and builds targets that the Dockerfile has', () => {
    for (const [name, { image, build }] of services) {
      if (!build) {
        expect(image, name).toMatch(/:v?\d+\.\d+\.?\d*/);
        continue;
      }
      expect(stagesOf(read(build.dockerfile)).map(({ name: stage }) => stage)).toContain(build.target);
      expect(existsSync(new URL(build.context, root))).toBe(true);
    }
  });

  it('restarts, watches and confines every service', () => {
    for (const [name, service] of services) {
      const { healthcheck, cap_drop, security_opt, read_only, restart } = service;
      expect({ name, cap_drop, security_opt }).toEqual({
        name,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
      });
      expect(read_only, name).toBe(name !== 'prometheus');
      expect(restart, name).toBe(name === 'migrate' ? 'no' : 'unless-stopped');
      expect(Boolean(healthcheck?.test) || unwatched.includes(name), name).toBe(true);
    }
  });

  it('keeps database and queue inside, and publishes on loopback unless .env says otherwise', () => {
    expect(compose.networks.inside).toEqual({ internal: true });
    for (const name of ['postgres', 'redis']) {
      expect(compose.services[name]?.networks).toEqual(['inside']);
      expect(compose.services[name]?.ports).toBeUndefined();
    }
    for (const [, { ports = [] }] of services)
      for (const port of ports) expect(port).toMatch(/^(127\.0\.0\.1|\$\{FUNNEL_ADDRESS:-127\.0\.0\.1\}):/);
  });

  it('sets only variables that the program reads', () => {
    const apps: Record<string, object> = {
      migrate: CliEnv.shape,
      api: ApiEnv.shape,
      worker: WorkerEnv.shape,
      'worker-vulkan': WorkerEnv.shape,
      'worker-cuda': WorkerEnv.shape,
    };
    for (const [name, shape] of Object.entries(apps))
      expect(Object.keys(shape), name).toEqual(
        expect.arrayContaining(Object.keys(compose.services[name]?.environment ?? {})),
      );
  });

  it('gives every worker more time to stop than it needs', () => {
    const workers = services.filter(([name]) => name.startsWith('worker'));
    expect(workers).toHaveLength(3);
    for (const [, { environment, stop_grace_period = '10s' }] of workers) {
      const [, drain] = /:-(\d+)\}$/.exec(environment?.FUNNEL_DRAIN_SECONDS ?? '') ?? [];
      expect(seconds(stop_grace_period)).toBeGreaterThanOrEqual(Number(drain) + 25);
    }
  });

  it('gives Redis the settings that BullMQ needs', () => {
    const settings = read('infra/docker/redis.conf');
    expect(settings).toMatch(/^appendonly yes$/m);
    expect(settings).toMatch(/^maxmemory-policy noeviction$/m);
  });
});

describe('.env.example', () => {
  it('has every variable that docker-compose.yml asks for: required ones set, others with the same default', () => {
    for (const { name, operator, rest } of references) {
      const line = example.get(name);
      expect(line, name).toBeDefined();
      if (operator === ':?') expect(line, name).toEqual({ value: '', set: true });
      // Where container and program have different defaults, .env.example shows that of the program.
      else if (!(name in WorkerEnv.shape)) expect(line?.value, name).toBe(rest);
    }
    for (const name of passedOn) expect(example.get(name)?.set, name).toBe(false);
    for (const { environment } of Object.values(compose.secrets))
      expect(example.get(environment)).toEqual({ value: '', set: true });
  });

  it('has every variable of every program, and no other', () => {
    const programs = new Set([ApiEnv, CliEnv, WorkerEnv].flatMap(({ shape }) => Object.keys(shape)));
    const ours = new Set([
      'COMPOSE_PROFILES',
      ...references.map(({ name }) => name),
      ...passedOn,
      ...Object.values(compose.secrets).map(({ environment }) => environment),
    ]);
    expect([...example.keys()].sort()).toEqual([...new Set([...programs, ...ours])].sort());
  });

  it('shows for every variable the default of a program that reads it', () => {
    for (const [name, { value, set }] of example) {
      const defaults = [ApiEnv, CliEnv, WorkerEnv].flatMap(({ shape }) => {
        if (!(name in shape)) return [];
        const { data } = shape[name as keyof typeof shape].safeParse(undefined) as { data?: unknown };
        return data === undefined ? [] : [String(data)];
      });
      // Where there is no default, the line is empty or shows an example.
      if (!set && defaults.length > 0) expect(defaults, name).toContain(value);
    }
  });

  it('shows seconds that the programs take, and they refuse seconds that no timer can wait for', () => {
    for (const { shape } of [ApiEnv, CliEnv, WorkerEnv])
      for (const [name, schema] of Object.entries(shape)) {
        if (!name.endsWith('_SECONDS')) continue;
        expect(schema.safeParse(example.get(name)?.value).success, name).toBe(true);
        for (const wrong of ['0', '-1', '86401', 'Infinity', 'a minute'])
          expect(schema.safeParse(wrong).success, `${name}=${wrong}`).toBe(false);
      }
  });

  it('names profiles that exist', () => {
    const profiles = services.flatMap(([, { profiles: own = [] }]) => own);
    expect(profiles).toContain(example.get('COMPOSE_PROFILES')?.value);
  });
});

it('paths of this repository in commands exist', () => {
  const paths = services.flatMap(([, { command = [], healthcheck }]) =>
    [...command, ...(healthcheck?.test ?? [])].filter((word) => /^(apps|infra)\//.test(word)),
  );
  expect(paths.length).toBeGreaterThan(0);
  for (const path of paths) expect(existsSync(fileURLToPath(new URL(path, root))), path).toBe(true);
});
