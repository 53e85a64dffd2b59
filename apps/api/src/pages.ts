/** What browsers are told about every answer. The dashboard and /docs bring all of their parts themselves, so nothing else is let in. */

import { access } from 'node:fs/promises';
import path from 'node:path';
import helmet from '@fastify/helmet';
import fastifyStatic from '@fastify/static';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { OpenApiDocument } from './openapi.ts';

export const registerSecurityHeaders = async (app: FastifyInstance): Promise<void> => {
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        // tfjs-wasm in the browser compiles its kernels.
        scriptSrc: ["'self'", "'wasm-unsafe-eval'"],
        // Charts and the pages of /docs set styles on elements.
        styleSrc: ["'self'", "'unsafe-inline'"],
        imgSrc: ["'self'", 'data:', 'blob:'],
        fontSrc: ["'self'", 'data:'],
        workerSrc: ["'self'", 'blob:'],
        objectSrc: ["'none'"],
        baseUri: ["'none'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
      },
    },
    frameguard: { action: 'deny' },
    referrerPolicy: { policy: 'no-referrer' },
    // Whoever puts TLS in front says so there; over plain HTTP browsers ignore it.
    strictTransportSecurity: false,
  });
};

/** Swagger UI at /docs, all of it from here: it works without a way out. */

export const registerDocs = async (app: FastifyInstance, document: OpenApiDocument): Promise<void> => {
  // Our own document, made from the declared routes; the plugin only hands it to the page.
  await app.register(swagger, { mode: 'static', specification: { document: document as never } });
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    uiConfig: { tryItOutEnabled: true, docExpansion: 'list' },
  });
};

/** The dashboard, where it has been built; else one plain page that says where things are. */

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );

const plainPage = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Funnel</title>
<style>body { font: 16px/1.5 system-ui, sans-serif; max-width: 40rem; margin: 4rem auto; padding: 0 1rem }</style>
<h1>Funnel</h1>
<p>The API is up. The dashboard has not been built here: <code>npm run build -w @funnel/web</code> builds it.</p>
<ul>
<li><a href="/docs">/docs</a>: every route, to try out</li>
<li><a href="/openapi.json">/openapi.json</a>: the same for programs</li>
<li><a href="/v1/sweeps">/v1/sweeps</a>, <a href="/v1/leaderboard">/v1/leaderboard</a>, <a href="/v1/workers">/v1/workers</a></li>
<li><a href="/metrics">/metrics</a>, <a href="/readyz">/readyz</a></li>
</ul>
`;

/** Below these nothing is a page of the dashboard's own routing; nor is what has an extension. */
const notPages = /^\/(v1|docs|assets)(\/|$)|\.[a-z0-9]+$/i;

const wantsPage = ({ method, headers, url }: FastifyRequest): boolean =>
  method === 'GET' && (headers.accept ?? '').includes('text/html') && !notPages.test(url.split('?')[0]!);

export type Dashboard = {
  /** Whether a browser asks for a page where no route and no file is. */
  readonly isPage: (request: FastifyRequest) => boolean;
  readonly sendPage: (reply: FastifyReply) => FastifyReply;
};

export const registerDashboard = async (app: FastifyInstance, folder: string | null): Promise<Dashboard> => {
  const sendPlain = (reply: FastifyReply) => reply.type('text/html; charset=utf-8').send(plainPage);
  if (folder === null || !(await exists(path.join(folder, 'index.html')))) {
    app.get('/', (_, reply) => sendPlain(reply));
    return { isPage: () => false, sendPage: sendPlain };
  }
  await app.register(fastifyStatic, {
    root: folder,
    cacheControl: false,
    setHeaders: (response, file) => {
      // The bundler puts a hash into every name below assets/.
      const hashed = file.startsWith(path.join(folder, 'assets'));
      response.setHeader('cache-control', hashed ? 'public, max-age=31536000, immutable' : 'no-cache');
    },
  });
  return { isPage: wantsPage, sendPage: (reply) => reply.sendFile('index.html') };
};
