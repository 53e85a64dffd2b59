/** The parts for browsers: the API's documentation at /docs, the reference at /reference, and the dashboard. */
import { access } from 'node:fs/promises';
import path from 'node:path';
import fastifyStatic from '@fastify/static';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import { reference, referencePage } from '@funnel/contracts/reference';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import type { OpenApiDocument } from './openapi.ts';
import { answerMissing } from './routes.ts';

/** Swagger UI at /docs. It loads nothing from the internet. */
const registerDocs = async (app: FastifyInstance, document: OpenApiDocument): Promise<void> => {
  // The document is ours, made from the declared routes. The plugin only passes it to the page.
  await app.register(swagger, { mode: 'static', specification: { document: document as never } });
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    uiConfig: { tryItOutEnabled: true, docExpansion: 'list' },
  });
};

/** The page is made once, when somebody asks for it. */
const registerReference = (app: FastifyInstance): void => {
  let page: string | undefined;
  app.get('/reference', (_, reply) => {
    page ??= referencePage(reference);
    return reply.type('text/html; charset=utf-8').send(page);
  });
};

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
<li><a href="/reference">/reference</a>: hyperparameters, attacks, metrics, checks</li>
<li><a href="/openapi.json">/openapi.json</a>: the same for programs</li>
<li><a href="/v1/sweeps">/v1/sweeps</a>, <a href="/v1/leaderboard">/v1/leaderboard</a>, <a href="/v1/workers">/v1/workers</a></li>
<li><a href="/metrics">/metrics</a>, <a href="/readyz">/readyz</a></li>
</ul>
`;

/** Paths that are not pages of the dashboard: paths below these folders, and paths with an extension. */
const notPages = /^\/(v1|docs|assets)(\/|$)|\.[a-z0-9]+$/i;

const wantsPage = ({ method, headers, url }: FastifyRequest): boolean =>
  method === 'GET' && (headers.accept ?? '').includes('text/html') && !notPages.test(url.split('?')[0]!);

/**
 * The address of a page of the dashboard, whose pages live in the hash: `/sweeps/17?tab=x` → `../#/sweeps/17?tab=x`. It is relative, so it
 * stays below the folder at which a proxy serves Funnel, and no path can lead to another host.
 */
const hashAddress = (url: string): string => {
  const depth = url.split('?')[0]!.split('/').length - 2;
  return `${depth > 0 ? '../'.repeat(depth) : './'}#${url}`;
};

type Dashboard = {
  /** Whether a browser asks for a page of the dashboard. Only called when no route and no file matches. */
  readonly isPage: (request: FastifyRequest) => boolean;
  readonly sendPage: (request: FastifyRequest, reply: FastifyReply) => FastifyReply;
};

/** Serves the built dashboard in `folder`. Without one, serves a plain page with links. */
const registerDashboard = async (app: FastifyInstance, folder: string | null): Promise<Dashboard> => {
  const sendPlain = (reply: FastifyReply) => reply.type('text/html; charset=utf-8').send(plainPage);
  if (folder === null || !(await exists(path.join(folder, 'index.html')))) {
    app.get('/', (_, reply) => sendPlain(reply));
    return { isPage: () => false, sendPage: (_, reply) => sendPlain(reply) };
  }
  await app.register(fastifyStatic, {
    root: folder,
    cacheControl: false,
    setHeaders: (response, file) => {
      // Every file name below assets/ has a hash of the file's content.
      const hashed = file.startsWith(path.join(folder, 'assets'));
      response.setHeader('cache-control', hashed ? 'public, max-age=31536000, immutable' : 'no-cache');
    },
  });
  return { isPage: wantsPage, sendPage: ({ url }, reply) => reply.redirect(hashAddress(url)) };
};

type PagesOptions = {
  readonly document: OpenApiDocument;
  /** The folder of the built dashboard, or null. */
  readonly webFolder: string | null;
};

const pages = async (app: FastifyInstance, { document, webFolder }: PagesOptions): Promise<void> => {
  await registerDocs(app, document);
  registerReference(app);
  const dashboard = await registerDashboard(app, webFolder);
  app.setNotFoundHandler((request, reply) =>
    dashboard.isPage(request) ? dashboard.sendPage(request, reply) : answerMissing(request, reply),
  );
};

/** Serves /docs, /reference and the dashboard. Any other path leads to that page of the dashboard, or gets a problem. */
export const pagesPlugin = fp(pages, {
  name: 'pages',
  dependencies: ['problems', 'answer-headers', 'routes'],
});
