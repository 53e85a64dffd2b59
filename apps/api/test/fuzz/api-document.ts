/** What the OpenAPI document says: the operations, and the schemas that they refer to. */
import { createOpenApiDocument } from '../../src/openapi.ts';
import { operationsOf } from './generate-request.ts';
import type { Schema } from './generate-value.ts';

const document = createOpenApiDocument('fuzz');
const { schemas } = document.components as { readonly schemas: Readonly<Record<string, Schema>> }; // as it is made

export const operations = operationsOf(document);
/** The schema that a `$ref` names. */
export const resolve = (ref: string): Schema => schemas[ref.split('/').at(-1)!]!;
