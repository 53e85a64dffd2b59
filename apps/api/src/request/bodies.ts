/** Bodies: JSON or YAML, in UTF-8, both as strict. Anything else is a 415 before a byte of it is read. */
import type { FastifyInstance } from 'fastify';
import { parseJson } from './json.ts';
import { parsing } from './malformed.ts';
import { parseYaml } from './yaml.ts';

export const jsonTypes = ['application/json'];
export const yamlTypes = ['application/yaml', 'application/x-yaml', 'text/yaml', 'text/x-yaml'];

const decodeUtf8 = (bytes: Buffer): string =>
  parsing('UTF-8', () => new TextDecoder('utf-8', { fatal: true }).decode(bytes));

/** An empty body is no body, whatever its type says. */
const parser =
  (parse: (text: string) => unknown) =>
  async (_request: unknown, bytes: Buffer): Promise<unknown> =>
    bytes.length === 0 ? undefined : parse(decodeUtf8(bytes));

export type BodyLimits = { readonly jsonBytes: number; readonly yamlBytes: number };

/** Replaces Fastify's own parsers. YAML gets a smaller limit than JSON: it costs some fifty times as much to read. */
export const registerBodyParsers = (app: FastifyInstance, { jsonBytes, yamlBytes }: BodyLimits): void => {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(jsonTypes, { parseAs: 'buffer', bodyLimit: jsonBytes }, parser(parseJson));
  app.addContentTypeParser(yamlTypes, { parseAs: 'buffer', bodyLimit: yamlBytes }, parser(parseYaml));
};
