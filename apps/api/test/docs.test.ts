import { readFile } from 'node:fs/promises';
import { type Route, routes } from '@funnel/contracts';
import { expect, test } from 'vitest';
import { readEnv } from '../src/env.ts';

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
