/** Requests to every operation of the OpenAPI document: valid ones, nearly valid ones and nonsense. */
import { stringify } from 'yaml';
import type { Operation } from './api-document.ts';
import { type Generator, mutate, type Schema, valueFor } from './generate-value.ts';
import { type Random, strangeText, strangeValue } from './strange-values.ts';

export type FuzzRequest = {
  readonly operation: string;
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly payload?: string | Buffer;
};

/** Existing ids, by the name of the parameter, so that requests get beyond the first check. */
export type KnownIds = Readonly<Record<string, readonly string[]>>;

const pathOf = (random: Random, { path }: Operation, known: KnownIds): string =>
  path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const ids = known[name] ?? [];
    const id = random.chance(0.7) && ids.length > 0 ? random.pick(ids) : strangeText(random);
    return random.chance(0.03) ? id.slice(0, 20) : encode(id) || '%20';
  });

/** Percent-encodes any text. `encodeURIComponent` throws for half of a surrogate pair, which a hostile client may send. */
const encode = (text: string): string =>
  [...Buffer.from(text, 'utf8')].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');

const queryOf = (generator: Generator, { parameters }: Operation): string => {
  const { random } = generator;
  const pairs = parameters
    .filter((parameter) => parameter.in === 'query' && random.chance(0.4))
    .flatMap(({ name, schema }) => {
      const value = random.chance(0.6) ? valueFor(generator, schema) : strangeText(random);
      return [value].flat().map((item) => `${name}=${encode(String(item))}`);
    });
  if (random.chance(0.05)) pairs.push(`${encode(strangeText(random))}=${encode(strangeText(random))}`);
  return pairs.length > 0 ? `?${pairs.join('&')}` : '';
};

const headersOf = (random: Random, { parameters }: Operation): Record<string, string> => {
  const headers: Record<string, string> = {};
  for (const { name } of parameters.filter((parameter) => parameter.in === 'header'))
    if (random.chance(0.5))
      headers[name] = random.pick(['1', '17-0', 'key', 'x'.repeat(300), 'ünïcode', '-1', '']);
  if (random.chance(0.02)) headers.origin = 'https://elsewhere.test';
  if (random.chance(0.02)) headers.host = 'elsewhere.test';
  if (random.chance(0.03))
    headers.authorization = random.pick(['Bearer', 'Bearer x', 'Basic eDp4', 'Bearer \u00e9']);
  return headers;
};

const types = [
  'application/json',
  'application/yaml',
  'text/plain',
  'application/json; charset=utf-16',
  'multipart/form-data',
  '/',
  '',
];

const garbage = (random: Random): string | Buffer =>
  random.pick<() => string | Buffer>([
    () => strangeText(random),
    () => '{"a":',
    () => '{"a":1,"a":2}',
    () => '{"__proto__":{"admin":true}}',
    () => Buffer.from([0xff, 0xfe, 0x00, 0xc3]),
    () => '['.repeat(10_000),
    () => '- '.repeat(5000),
    () => 'a: &a [*a]',
    () => '!!python/object:os.system {}',
    () => '\u{1f4a3}'.repeat(1000),
    () => `"${'x'.repeat(200_000)}"`,
  ])();

const bodyOf = (
  generator: Generator,
  schema: Schema | null,
): { payload?: string | Buffer; type?: string } => {
  const { random } = generator;
  if (schema === null)
    return random.chance(0.9)
      ? {}
      : { payload: JSON.stringify(strangeValue(random)) ?? 'x', type: random.pick(types) };
  if (random.chance(0.08)) return { payload: garbage(random), type: random.pick(types) };
  let value = valueFor(generator, schema);
  for (let changes = random.below(3); changes > 0; changes--) value = mutate(random, value);
  if (random.chance(0.15)) return { payload: stringify(value), type: 'application/yaml' };
  return {
    payload: JSON.stringify(value),
    type: random.chance(0.95) ? 'application/json' : random.pick(types),
  };
};

export const generateRequest = (
  generator: Generator,
  operations: readonly Operation[],
  ids: KnownIds,
): FuzzRequest => {
  const { random } = generator;
  const operation = random.pick(operations);
  const { payload, type } = bodyOf(generator, operation.body);
  return {
    operation: operation.id,
    method: random.chance(0.97)
      ? operation.method
      : random.pick(['PUT', 'PATCH', 'OPTIONS', 'HEAD', 'POST', 'DELETE']),
    url: `${pathOf(random, operation, ids)}${queryOf(generator, operation)}`,
    headers: { ...headersOf(random, operation), ...(type && { 'content-type': type }) },
    ...(payload !== undefined && { payload }),
  };
};
