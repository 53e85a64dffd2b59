import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Route, routes } from '@funnel/contracts';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createOpenApiDocument, version } from '../src/openapi.ts';
import { oneTrial } from './build.ts';

const document = createOpenApiDocument(version);

/** Every `$ref` in a value. */
const refsIn = (value: unknown): readonly string[] => {
  if (Array.isArray(value)) return value.flatMap(refsIn);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) =>
    key === '$ref' && typeof member === 'string' ? [member] : refsIn(member),
  );
};

const at = (ref: string): unknown =>
  ref
    .slice('#/'.length)
    .split('/')
    .reduce<unknown>((here, key) => (here as Record<string, unknown>)[key], document);

describe('the OpenAPI document', () => {
  test('is built as OpenAPI 3.1 by `npm run openapi`', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'funnel-openapi-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const file = path.join(folder, 'built/openapi.json');
    const script = fileURLToPath(new URL('../src/write-openapi.ts', import.meta.url));
    await promisify(execFile)(process.execPath, ['--import', 'tsx', script, file]);
    const built = JSON.parse(await readFile(file, 'utf8'));
    expect(built).toEqual(JSON.parse(JSON.stringify(document)));
    expect(built).toMatchObject({ openapi: '3.1.0', info: { title: 'Funnel', version } });
  });

  test('has valid JSON Schemas (2020-12) only', () => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    ajv.addSchema({ ...document, $id: 'document' }, 'document');
    const { schemas } = document.components as { schemas: Record<string, object> };
    expect(Object.keys(schemas).length).toBeGreaterThan(10);
    for (const name of Object.keys(schemas)) {
      const ref = `document#/components/schemas/${name}`;
      expect(ajv.validateSchema(schemas[name]!), name).toBe(true);
      expect(() => ajv.compile({ $ref: ref }), name).not.toThrow();
    }
    const accepts = ajv.compile({ $ref: 'document#/components/schemas/SweepDefinition' });
    const sweep = { ...oneTrial, attacks: { preset: 'quick' } };
    expect(accepts(sweep), JSON.stringify(accepts.errors)).toBe(true);
    expect(accepts({ ...sweep, spcae: {} })).toBe(false);
  });

  test('has every declared route, with its role', () => {
    const operations = Object.values(document.paths).flatMap((path) => Object.values(path));
    const roleOf = Object.fromEntries(
      operations.map((operation) => [operation.operationId, operation['x-role'] ?? null]),
    );
    expect(roleOf).toEqual(
      Object.fromEntries(Object.entries(routes).map(([name, { role }]: [string, Route]) => [name, role])),
    );
  });

  test('refers only to schemas that it has', () => {
    const refs = new Set(refsIn(document));
    expect(refs.size).toBeGreaterThan(5);
    for (const ref of refs) expect(at(ref), ref).toBeTypeOf('object');
  });

  test('names every parameter in a path, and no other', () => {
    for (const [path, operations] of Object.entries(document.paths))
      for (const { parameters } of Object.values(operations)) {
        const declared = (parameters as { in: string; name: string }[]).filter(
          (parameter) => parameter.in === 'path',
        );
        expect(declared.map(({ name }) => name)).toEqual(
          [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name),
        );
      }
  });

  test('requires a parameter where the route does', () => {
    const operations = Object.values(document.paths).flatMap((path) => Object.values(path));
    const required = operations.flatMap(({ operationId, parameters }) =>
      (parameters as { name: string; required: boolean }[])
        .filter((parameter) => parameter.required)
        .map(({ name }) => `${operationId} ${name}`),
    );
    const missed = (Object.entries(routes) as [string, Route][]).flatMap(([operationId, route]) =>
      (['params', 'query', 'headers'] as const).flatMap((part) =>
        (route[part]?.safeParse({}).error?.issues ?? []).map(
          ({ path }) => `${operationId} ${String(path[0])}`,
        ),
      ),
    );
    expect(missed).toContain('compare trials');
    expect(required.sort()).toEqual(missed.sort());
  });

  test('has two schemas where a client sends something else than it gets back', () => {
    expect(at('#/components/schemas/SweepDefinition/required')).toEqual(['name', 'dataset']);
    expect(at('#/components/schemas/SweepDefinitionOutput/required')).toContain('priority');
    expect(at('#/components/schemas/SweepDetail/properties/definition')).toEqual({
      $ref: '#/components/schemas/SweepDefinitionOutput',
    });
  });
});

const text = await readFile(new URL('../../../docs/api.md', import.meta.url), 'utf8');

test('docs/api.md names exactly the declared routes', () => {
  const table = [...text.matchAll(/`(GET|POST|PUT|PATCH|DELETE) (\/[^`]+)`/g)].map(
    ([, method, url]) => `${method} ${url}`,
  );
  const declared = (Object.values(routes) as Route[]).map(({ method, url }) => `${method} ${url}`);
  expect([...new Set(table)].sort()).toEqual(declared.sort());
});
