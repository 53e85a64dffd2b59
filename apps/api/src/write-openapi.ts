/**
 * `npm run openapi -- [FILE]`: writes the OpenAPI document, by default to apps/api/dist/openapi.json, which git ignores. A running API
 * serves the same document at /openapi.json.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { readArguments, refuseArguments } from '../../../infra/bootstrap/usage.mjs';
import { createOpenApiDocument, version } from './openapi.ts';

const defaultFile = fileURLToPath(new URL('../dist/openapi.json', import.meta.url));

/** Writes the document. Makes its folder if necessary. */
const writeDocument = async (file: string): Promise<void> => {
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify(createOpenApiDocument(version), null, 2)}\n`);
};

const usage = `npm run openapi [-- FILE]
  Writes the OpenAPI document. (Default: apps/api/dist/openapi.json)`;

const { positionals } = readArguments(usage, { allowPositionals: true });
if (positionals.length > 1) refuseArguments(`Expected one file, but got ${positionals.join(', ')}`, usage);
const [file = defaultFile] = positionals;
await writeDocument(file);
console.log(`wrote ${path.relative('.', file)}`);
