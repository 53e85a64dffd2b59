/** zod schemas as JSON Schema for OpenAPI 3.1: those with an id become components, each once. */
import { z } from 'zod';

export type JsonSchema = { readonly [key: string]: unknown };
type Direction = 'input' | 'output';

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Every `$ref` passed through `rename`. */
const mapRefs = (value: unknown, rename: (ref: string) => string): unknown => {
  if (Array.isArray(value)) return value.map((item) => mapRefs(item, rename));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [
      key,
      key === '$ref' && typeof member === 'string' ? rename(member) : mapRefs(member, rename),
    ]),
  );
};

const prefix = '#/$defs/';

export type Components = {
  /** The schema to put in place, its named parts added to `schemas`. */
  readonly add: (schema: z.ZodType, direction: Direction) => JsonSchema;
  readonly schemas: () => Readonly<Record<string, JsonSchema>>;
};

/**
 * What a client may send (`input`) and what it gets back (`output`) differ where defaults and transforms are at work: then the output
 * has a name of its own.
 */
export const createComponents = (): Components => {
  const named: Record<string, JsonSchema> = {};
  /** Each id's definition as zod gave it the first time, to tell whether the other direction is another schema. */
  const first: Record<string, string> = {};

  const nameOf = (id: string, definition: unknown): string => {
    const json = JSON.stringify(definition);
    first[id] ??= json;
    return first[id] === json ? id : `${id}Output`;
  };

  return {
    add: (schema, direction) => {
      const { $schema, $defs, ...root } = z.toJSONSchema(schema, { io: direction, unrepresentable: 'any' });
      const definitions = Object.entries($defs ?? {});
      const names = new Map(definitions.map(([id, definition]) => [id, nameOf(id, definition)]));
      const rename = (ref: string): string => {
        const id = ref.slice(prefix.length);
        return `#/components/schemas/${names.get(id) ?? id}`;
      };
      for (const [id, definition] of definitions)
        named[names.get(id)!] = mapRefs(definition, rename) as JsonSchema; // only refs change
      return mapRefs(root, rename) as JsonSchema; // likewise
    },
    schemas: () => Object.fromEntries(Object.entries(named).sort(([a], [b]) => (a < b ? -1 : 1))),
  };
};
