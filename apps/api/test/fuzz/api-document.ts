/** What the OpenAPI document says: the operations, and the schemas that they refer to. */
import { createOpenApiDocument } from '../../src/openapi.ts';
import type { Schema } from './generate-value.ts';

export type Parameter = { readonly name: string; readonly in: string; readonly schema: Schema };

export type Operation = {
  readonly id: string;
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly parameters: readonly Parameter[];
  readonly body: Schema | null;
};

const { paths, components } = createOpenApiDocument('fuzz');

export const operations: readonly Operation[] = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => {
    const body = operation.requestBody as { content: Record<string, { schema: Schema }> } | undefined;
    return {
      id: String(operation.operationId),
      method: method.toUpperCase() as Operation['method'],
      path,
      parameters: operation.parameters as readonly Parameter[],
      body: body?.content['application/json']?.schema ?? null,
    };
  }),
);

const { schemas } = components as { readonly schemas: Readonly<Record<string, Schema>> }; // as it is made
/** The schema that a `$ref` names. */
export const resolve = (ref: string): Schema => schemas[ref.split('/').at(-1)!]!;
