/** The OpenAPI 3.1 document, made from the declared routes and their zod schemas. Schemas with an id become components. */
import { type ErrorCode, errors, isRecord, Problem, type Route, routes } from '@funnel/contracts';
import { z } from 'zod';
import packageJson from '../package.json' with { type: 'json' };

export const { version } = packageJson;

export type JsonSchema = { readonly [key: string]: unknown };
type Direction = 'input' | 'output';

/** A copy in which `rename` has changed every `$ref`. */
const mapRefs = (value: unknown, rename: (ref: string) => string): unknown => {
  if (Array.isArray(value)) return value.map((item) => mapRefs(item, rename));
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [
      key,
      key === '$ref' && typeof member === 'string' ? rename(member) : mapRefs(member, rename),
    ]),
  );
};

const localPrefix = '#/$defs/';

export type Components = {
  /** The JSON Schema of `schema`. Its parts with an id become references to `schemas`. */
  readonly add: (schema: z.ZodType, direction: Direction) => JsonSchema;
  readonly schemas: () => Readonly<Record<string, JsonSchema>>;
};

/**
 * A client sends the `input` of a schema and gets its `output`. With defaults or transforms these differ. Then the output has a second name,
 * such as `SweepDefinitionOutput`.
 */
export const createComponents = (): Components => {
  const named: Record<string, JsonSchema> = {};
  /** The first definition of each id, in JSON. If a later definition of the same id differs, it is the output of the schema. */
  const firstOf: Record<string, string> = {};

  const nameOf = (id: string, definition: unknown): string => {
    const json = JSON.stringify(definition);
    firstOf[id] ??= json;
    return firstOf[id] === json ? id : `${id}Output`;
  };

  return {
    add: (schema, direction) => {
      const { $schema, $defs, ...root } = z.toJSONSchema(schema, { io: direction, unrepresentable: 'any' });
      const definitions = Object.entries($defs ?? {});
      const names = new Map(definitions.map(([id, definition]) => [id, nameOf(id, definition)]));
      const rename = (ref: string): string => {
        const id = ref.slice(localPrefix.length);
        return `#/components/schemas/${names.get(id) ?? id}`;
      };
      for (const [id, definition] of definitions)
        named[names.get(id)!] = mapRefs(definition, rename) as JsonSchema; // still an object: only references change
      return mapRefs(root, rename) as JsonSchema; // as above
    },
    schemas: () => Object.fromEntries(Object.entries(named).sort(([a], [b]) => (a < b ? -1 : 1))),
  };
};

export type OpenApiDocument = {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, JsonSchema>>>>;
  readonly [key: string]: unknown;
};

const parametersOf = (route: Route, components: Components): readonly JsonSchema[] =>
  (['params', 'query', 'headers'] as const).flatMap((part) => {
    const declared = route[part];
    const schema = declared instanceof z.ZodPipe ? declared.in : declared; // the input of the pipe: what a client sends
    if (!(schema instanceof z.ZodObject)) return [];
    const place = { params: 'path', query: 'query', headers: 'header' }[part];
    const { required = [] } = components.add(schema, 'input') as { readonly required?: readonly string[] };
    return Object.entries(schema.shape).map(([name, member]) => {
      const json = components.add(member as z.ZodType, 'input');
      return {
        name,
        in: place,
        required: required.includes(name),
        ...(typeof json.description === 'string' && { description: json.description }),
        schema: json,
      };
    });
  });

const bodyOf = (route: Route, components: Components): JsonSchema => {
  if (route.bytes !== undefined)
    return { requestBody: { required: true, content: { 'application/octet-stream': { schema: {} } } } };
  if (!route.body) return {};
  const schema = components.add(route.body, 'input');
  return {
    requestBody: {
      required: true,
      content: { 'application/json': { schema }, 'application/yaml': { schema } },
    },
  };
};

const successOf = (route: Route, components: Components): JsonSchema => {
  const status = route.status ?? 200;
  if (route.response) {
    const schema = components.add(route.response, 'output');
    const answer = { description: route.summary, content: { 'application/json': { schema } } };
    // The answer to a request that was repeated under its Idempotency-Key is 200.
    return {
      ...(status === 201 ? { 201: answer, 200: answer } : { [status]: answer }),
      ...(route.accepted && {
        202: {
          description: 'Taken: `location` says where to follow.',
          content: { 'application/json': { schema: components.add(route.accepted, 'output') } },
        },
      }),
    };
  }
  if (route.produces) {
    const schema = route.produces === 'application/octet-stream' ? {} : { type: 'string' };
    return { [status]: { description: route.summary, content: { [route.produces]: { schema } } } };
  }
  return { [status]: { description: route.summary } };
};

/** The errors that every route has, in addition to those that it declares. */
const commonErrors = (route: Route): readonly ErrorCode[] => [
  'INVALID_REQUEST',
  ...(route.role === null ? [] : (['UNAUTHENTICATED', 'FORBIDDEN'] as const)),
  ...(route.bytes !== undefined ? (['BODY_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'] as const) : []),
  ...(route.body ? (['MALFORMED_BODY', 'BODY_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'] as const) : []),
  'HOST_NOT_ALLOWED',
  'RATE_LIMITED',
  'INTERNAL',
  'UNAVAILABLE',
  ...(route.url.startsWith('/v1/') ? (['SCHEMA_MISMATCH'] as const) : []),
];

const failuresOf = (route: Route): JsonSchema => {
  const codes = [...new Set([...route.errors, ...commonErrors(route)])];
  const statuses = [...new Set(codes.map((code) => errors[code].status))].sort((a, b) => a - b);
  return Object.fromEntries(
    statuses.map((status) => {
      const of = codes.filter((code) => errors[code].status === status);
      const schema = { $ref: '#/components/schemas/Problem' };
      const description = of.map((code) => `${code}: ${errors[code].title}.`).join(' ');
      return [status, { description, content: { 'application/problem+json': { schema } } }];
    }),
  );
};

/** `/v1/sweeps/:id/pause` → `sweeps` */
const tagOf = ({ url }: Route): string => /^\/v1\/([a-z]+)/.exec(url)?.[1] ?? 'service';

const operationOf = (name: string, route: Route, components: Components): JsonSchema => ({
  operationId: name,
  summary: route.summary,
  tags: [tagOf(route)],
  ...(route.role !== null && { 'x-role': route.role }),
  security: route.role === null ? [] : [{ token: [] }, {}],
  parameters: parametersOf(route, components),
  ...bodyOf(route, components),
  responses: { ...successOf(route, components), ...failuresOf(route) },
});

export const createOpenApiDocument = (version: string): OpenApiDocument => {
  const components = createComponents();
  const entries = Object.entries(routes) as [string, Route][];
  // Adds the bodies first. So the name without `Output` is the name of the input.
  for (const [, { body }] of entries) if (body) components.add(body, 'input');
  components.add(Problem, 'output');

  const paths: Record<string, Record<string, JsonSchema>> = {};
  for (const [name, route] of entries) {
    const path = route.url.replace(/:([a-z]+)/gi, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(name, route, components) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Funnel',
      version,
      description: 'Experiment sweeps for adversarially robust representation learning.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    paths,
    components: {
      schemas: components.schemas(),
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          description:
            '`npx funnel token create NAME` makes a token. On loopback, callers need a token only after the first one was made.',
        },
      },
    },
  };
};
