import { readFile } from 'node:fs/promises';
import { type Route, routes } from '@funnel/contracts';
import { describe, expect, test } from 'vitest';
import { readEnv } from '../src/env.ts';
import { createOpenApiDocument, version } from '../src/openapi.ts';

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
  test('is the one in docs (`npm run openapi -w @funnel/api` writes it)', async () => {
    const committed = await readFile(new URL('../../../docs/openapi.json', import.meta.url), 'utf8');
    expect(JSON.parse(committed)).toEqual(JSON.parse(JSON.stringify(document)));
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

  test('refers only to what it has', () => {
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

  test('says what a client may send, and what it gets back, where the two differ', () => {
    expect(at('#/components/schemas/SweepDefinition/required')).toEqual(['name', 'dataset']);
    expect(at('#/components/schemas/SweepDefinitionOutput/required')).toContain('priority');
    expect(at('#/components/schemas/SweepDetail/properties/definition')).toEqual({
      $ref: '#/components/schemas/SweepDefinitionOutput',
    });
  });
});

const text = await readFile(new URL('../../../docs/api.md', import.meta.url), 'utf8');

test('docs/api.md names every route, and none that is not there', () => {
  const table = [...text.matchAll(/`(GET|POST|DELETE) (\/[^`]+)`/g)].map(
    ([, method, url]) => `${method} ${url}`,
  );
  const declared = (Object.values(routes) as Route[]).map(({ method, url }) => `${method} ${url}`);
  expect([...new Set(table)].sort()).toEqual(declared.sort());
});

test('docs/api.md gives the limits that there are by default', () => {
  const env = readEnv({ DATABASE_URL: 'postgres://localhost/funnel' });
  expect(text).toContain(`| \`FUNNEL_MAX_BODY_BYTES\` | ${env.FUNNEL_MAX_BODY_BYTES} |`);
  expect(text).toContain(`| \`FUNNEL_MAX_STREAMS\` | ${env.FUNNEL_MAX_STREAMS} |`);
});
