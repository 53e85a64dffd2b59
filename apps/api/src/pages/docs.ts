/** Swagger UI at /docs, all of it from here: it works without a way out. */
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import type { OpenApiDocument } from '../openapi/document.ts';

export const registerDocs = async (app: FastifyInstance, document: OpenApiDocument): Promise<void> => {
  // Our own document, made from the declared routes; the plugin only hands it to the page.
  await app.register(swagger, { mode: 'static', specification: { document: document as never } });
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    uiConfig: { tryItOutEnabled: true, docExpansion: 'list' },
  });
};
