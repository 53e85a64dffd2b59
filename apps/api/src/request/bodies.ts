/**
 * Bodies: JSON or YAML, in UTF-8, both as strict. Anything else is a 415 before a byte of it is read. A body stays bytes until its route is
 * known: a large one is read off the event loop.
 */
import type { FastifyInstance } from 'fastify';
import { type Document, isScalar, Lexer, LineCounter, Parser, parseDocument, visit } from 'yaml';
import type { z } from 'zod';
import { parsePart } from './parse-part.ts';
import { checkPlainData, describe, malformed, parsing } from './values.ts';

/** JSON.parse keeps the last of two equal keys and says nothing. In a sweep that would drop half of a space, so it is looked for. */

const backslash = 0x5c;

/** Index of the quote that closes the string opened at `open`. */
const closingQuote = (text: string, open: number): number => {
  let end = text.indexOf('"', open + 1);
  for (;;) {
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === backslash) slashes++;
    if (slashes % 2 === 0) return end;
    end = text.indexOf('"', end + 1);
  }
};

/** A string is a key if a colon follows it: nowhere else may one follow in valid JSON. */
const isKey = (text: string, after: number): boolean => {
  let i = after;
  while (' \t\r\n'.includes(text.charAt(i)) && i < text.length) i++;
  return text.charAt(i) === ':';
};

/** The first key that some object of `json` holds twice, or null. `json` must be valid JSON. Linear in its length. */
export const findDuplicateKey = (json: string): string | null => {
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

/** Throws MALFORMED_BODY. Refuses what JSON.parse lets through: a key given twice, `__proto__`, a million brackets. */
export const parseJson = (text: string): unknown => {
  const value: unknown = parsing('JSON', () => JSON.parse(text));
  const twice = findDuplicateKey(text);
  if (twice !== null) throw malformed(`Expected every key once, but got ${describe(twice)} twice`);
  checkPlainData(value);
  return value;
};

/**
 * YAML 1.2, one document, core schema. The parser recurses over collections (deep enough, it ends the process), compares every key
 * with every other and paints a picture of every error: each is bounded or done here instead.
 */

/** Collections that may be open at once. */
const maxOpen = 64;

const checkDepth = (text: string): void => {
  const parser = new Parser();
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) if (token.type === 'error') throw malformed(token.message);
    if (parser.stack.length > maxOpen)
      throw malformed(`Expected at most ${maxOpen} open collections, but the YAML nests deeper`);
  }
};

const checkKeys = (document: Document): void => {
  visit(document, {
    Map: (_, { items }) => {
      const keys = new Set<unknown>();
      for (const { key } of items) {
        const name = isScalar(key) ? key.value : key;
        if (keys.has(name)) throw malformed(`Expected every key once, but got ${describe(name)} twice`);
        keys.add(name);
      }
    },
  });
};

/** Throws MALFORMED_BODY. Aliases may not multiply, unknown tags are refused, and so is all that the parser would only have warned of. */
export const parseYaml = (text: string): unknown => {
  checkDepth(text);
  const lines = new LineCounter();
  const value: unknown = parsing('YAML', () => {
    const document = parseDocument(text, {
      schema: 'core',
      stringKeys: true,
      uniqueKeys: false,
      resolveKnownTags: false,
      prettyErrors: false,
      lineCounter: lines,
      logLevel: 'error',
    });
    const fault = document.errors[0] ?? document.warnings[0];
    if (fault) {
      const { line, col } = lines.linePos(fault.pos[0]);
      throw malformed(`Expected YAML, but at line ${line}, column ${col}: ${fault.message}`, fault);
    }
    checkKeys(document);
    return document.toJS({ maxAliasCount: 100 });
  });
  checkPlainData(value);
  return value;
};

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
