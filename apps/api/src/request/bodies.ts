/**
 * Request bodies: JSON or YAML in UTF-8, parsed equally strictly. Fastify answers any other content type with 415 before it reads a byte.
 *
 * Fastify keeps a body as bytes (RawBody). `readBody` parses and checks it: on the event loop when it is small, in a planning process when
 * it is large (planning/planning.ts).
 */
import { describeValue } from '@funnel/contracts/explain-issues';
import { decodeText, readSweepYaml } from '@funnel/contracts/sweep-yaml';
import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';
import type { z } from 'zod';
import { parsePart } from './parse-part.ts';
import { checkPlainData, malformed, parseAs } from './values.ts';

const backslash = 0x5c;

/** Index of the quote that closes the string which begins at `open`. */
const closingQuote = (text: string, open: number): number => {
  let end = text.indexOf('"', open + 1);
  for (;;) {
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === backslash) slashes++;
    if (slashes % 2 === 0) return end;
    end = text.indexOf('"', end + 1);
  }
};

/** Whether the string that ends before `after` is a key. In valid JSON, a colon follows only a key. */
const isKey = (text: string, after: number): boolean => {
  let i = after;
  while (' \t\r\n'.includes(text.charAt(i)) && i < text.length) i++;
  return text.charAt(i) === ':';
};

/** The number of keys that the text writes, in all objects. `json` must be valid JSON. */
const countKeys = (json: string): number => {
  let count = 0;
  for (let open = json.indexOf('"'); open >= 0; ) {
    const end = closingQuote(json, open);
    if (isKey(json, end + 1)) count += 1;
    open = json.indexOf('"', end + 1);
  }
  return count;
};

/**
 * The first key that an object holds twice, or null. `json` must be valid JSON. Takes linear time.
 *
 * JSON.parse would keep the second value and lose the first. So half of a search space could be lost.
 */
const findDuplicateKey = (json: string): string | null => {
  const objects: Set<string>[] = [];
  for (let i = 0; i < json.length; i++) {
    const character = json.charAt(i);
    if (character === '{') objects.push(new Set());
    else if (character === '}') objects.pop();
    else if (character === '"') {
      const end = closingQuote(json, i);
      if (isKey(json, end + 1)) {
        const literal = json.slice(i, end + 1);
        const key = literal.includes('\\') ? (JSON.parse(literal) as string) : literal.slice(1, -1);
        const keys = objects.at(-1)!;
        if (keys.has(key)) return key;
        keys.add(key);
      }
      i = end;
    }
  }
  return null;
};

/** Throws MALFORMED_BODY, also for three faults that JSON.parse accepts: a duplicate key, the key `__proto__`, and nesting that is too deep. */
export const parseJson = (text: string): unknown => {
  const value: unknown = parseAs('JSON', () => JSON.parse(text));
  const keys = checkPlainData(value);
  // The text has more keys than the value only if an object has one twice. Finding it takes several times as long as counting.
  if (countKeys(text) > keys)
    throw malformed(`Expected every key once, but got ${describeValue(findDuplicateKey(text))} twice`);
  return value;
};

/** As `readSweepYaml`. Throws MALFORMED_BODY also for a text that PostgreSQL cannot store, and for nesting that is too deep. */
export const parseYaml = (text: string): unknown => {
  const value = readSweepYaml(text);
  checkPlainData(value);
  return value;
};

const jsonTypes = ['application/json'];
const yamlTypes = ['application/yaml', 'application/x-yaml', 'text/yaml', 'text/x-yaml'];

const parsers = { json: parseJson, yaml: parseYaml };

export type RawBody = { readonly format: keyof typeof parsers; readonly bytes: Uint8Array };

/** The body as data, without a check of its parts. Throws MALFORMED_BODY. */
export const readData = ({ format, bytes }: RawBody): unknown => parsers[format](decodeText(bytes));

/** The body as its route declares it. `raw` is undefined if there is no body. Throws MALFORMED_BODY and INVALID_REQUEST. */
export const readBody = (schema: z.ZodType | undefined, raw: RawBody | undefined): unknown =>
  parsePart('body', schema, raw && readData(raw));

/** The event loop reads bodies of at most this many bytes. The most expensive body of this size takes about 30 ms. */
const quickBytes = { json: 16 * 1024, yaml: 2 * 1024 };

export const isQuickToRead = ({ format, bytes }: RawBody): boolean => bytes.length <= quickBytes[format];

export type BodyLimits = { readonly jsonBytes: number; readonly yamlBytes: number };

declare module 'fastify' {
  interface FastifyInstance {
    readonly bodyLimits: BodyLimits;
  }
}

const bodies = async (app: FastifyInstance, { jsonBytes, yamlBytes }: BodyLimits): Promise<void> => {
  app.decorate('bodyLimits', { jsonBytes, yamlBytes });
  /** An empty body counts as no body. */
  const keep =
    (format: RawBody['format']) =>
    async (_request: unknown, bytes: Buffer): Promise<RawBody | undefined> =>
      bytes.length === 0 ? undefined : { format, bytes };
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(jsonTypes, { parseAs: 'buffer', bodyLimit: jsonBytes }, keep('json'));
  app.addContentTypeParser(yamlTypes, { parseAs: 'buffer', bodyLimit: yamlBytes }, keep('yaml'));
};

/** Replaces Fastify's body parsers. YAML has a smaller limit than JSON: parsing it takes about fifty times as long. */
export const bodiesPlugin = fp(bodies, { name: 'bodies', dependencies: ['problems'] });
