/** `npm run openapi -w @funnel/api`: writes docs/openapi.json anew. */
import { writeFile } from 'node:fs/promises';
import { createOpenApiDocument, version } from './openapi.ts';

const file = new URL('../../../docs/openapi.json', import.meta.url);
await writeFile(file, `${JSON.stringify(createOpenApiDocument(version), null, 2)}\n`);
