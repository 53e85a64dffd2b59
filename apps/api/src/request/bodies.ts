/**
 * Bodies: JSON or YAML, in UTF-8, both as strict. Anything else is a 415 before a byte of it is read. A body stays bytes until its route is
 * known: a large one is read off the event loop.
 */

import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import { parseJson } from './json.ts';
import { parsing } from './malformed.ts';
import { parsePart } from './parse-part.ts';
import { parseYaml } from './yaml.ts';

export const jsonTypes = ['application/json'];
export const yamlTypes = ['application/yaml', 'application/x-yaml', 'text/yaml', 'text/x-yaml'];

const parsers = { json: parseJson, yaml: parseYaml };

export type RawBody = { readonly format: keyof typeof parsers; readonly bytes: Uint8Array };

const decodeUtf8 = (bytes: Uint8Array): string =>
  parsing('UTF-8', () => new TextDecoder('utf-8', { fatal: true }).decode(bytes));

/** Throws MALFORMED_BODY and INVALID_REQUEST. `raw` undefined: there is no body. */
export const readBody = (schema: z.ZodType | undefined, raw: RawBody | undefined): unknown =>
  parsePart('body', schema, raw && parsers[raw.format](decodeUtf8(raw.bytes)));

/** Bytes that are read on the event loop: the most hostile body of this size takes some 30 ms. YAML costs many times as much as JSON. */
const quicklyRead = { json: 16 * 1024, yaml: 2 * 1024 };

export const isQuicklyRead = ({ format, bytes }: RawBody): boolean => bytes.length <= quicklyRead[format];

export type BodyLimits = { readonly jsonBytes: number; readonly yamlBytes: number };

/** Replaces Fastify's own parsers. YAML gets a smaller limit than JSON: it costs some fifty times as much to read. */
export const registerBodyParsers = (app: FastifyInstance, { jsonBytes, yamlBytes }: BodyLimits): void => {
  /** An empty body is no body, whatever its type says. */
  const keep =
    (format: RawBody['format']) =>
    async (_request: unknown, bytes: Buffer): Promise<RawBody | undefined> =>
      bytes.length === 0 ? undefined : { format, bytes };
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(jsonTypes, { parseAs: 'buffer', bodyLimit: jsonBytes }, keep('json'));
  app.addContentTypeParser(yamlTypes, { parseAs: 'buffer', bodyLimit: yamlBytes }, keep('yaml'));
};
