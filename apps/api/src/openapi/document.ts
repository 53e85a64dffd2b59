/** The OpenAPI 3.1 document, derived from the declared routes. Bodies first, so that a name means what a client may send. */
import { type ErrorCode, errors, Problem, type Route, routes } from '@funnel/contracts';
import { z } from 'zod';
import { type Components, createComponents, type JsonSchema } from './schemas.ts';

export type OpenApiDocument = {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, JsonSchema>>>>;
  readonly [key: string]: unknown;
};

const parametersOf = (route: Route, components: Components): readonly JsonSchema[] =>
  (['params', 'query', 'headers'] as const).flatMap((part) => {
    const asked = route[part];
    const schema = asked instanceof z.ZodPipe ? asked.in : asked; // what is filled in from other values is no parameter
    if (!(schema instanceof z.ZodObject)) return [];
    const place = { params: 'path', query: 'query', headers: 'header' }[part];
    return Object.entries(schema.shape).map(([name, member]) => {
      const json = components.add(member as z.ZodType, 'input');
      return {
        name,
        in: place,
        required: place === 'path',
        ...(typeof json.description === 'string' && { description: json.description }),
        schema: json,
      };
    });
  });

const bodyOf = (route: Route, components: Components): JsonSchema => {
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
    // A request that is repeated under its Idempotency-Key is answered with 200.
    return status === 201 ? { 201: answer, 200: answer } : { [status]: answer };
  }
  if (route.produces) {
    const schema = route.produces === 'application/octet-stream' ? {} : { type: 'string' };
    return { [status]: { description: route.summary, content: { [route.produces]: { schema } } } };
  }
  return { [status]: { description: route.summary } };
};

/** What any route may answer besides its own errors. */
const common = (route: Route): readonly ErrorCode[] => [
  'INVALID_REQUEST',
  ...(route.role === null ? [] : (['UNAUTHENTICATED', 'FORBIDDEN'] as const)),
  ...(route.body ? (['MALFORMED_BODY', 'BODY_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'] as const) : []),
  'HOST_NOT_ALLOWED',
  'RATE_LIMITED',
  'INTERNAL',
  'UNAVAILABLE',
  ...(route.url.startsWith('/v1/') ? (['SCHEMA_MISMATCH'] as const) : []),
];

const failuresOf = (route: Route): JsonSchema => {
  const codes = [...new Set([...route.errors, ...common(route)])];
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
          description: 'Made with `funnel token create`. Not needed on loopback until one exists.',
        },
      },
    },
  };
};
