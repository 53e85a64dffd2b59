/** The dashboard, where it has been built; else one plain page that says where things are. */
import { access } from 'node:fs/promises';
import path from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

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

/** A page of the dashboard's own routing: what a browser asks for as a page, and no route or file of ours answers. */
const isPage = (request: FastifyRequest): boolean =>
  request.method === 'GET' &&
  (request.headers.accept ?? '').includes('text/html') &&
  !/^\/(v1|docs|assets)(\/|$)|^\/[^/?]+\.[a-z]+/.test(request.url);

export type Dashboard = {
  /** Answers a page of the dashboard; false where the request is not for one. */
  readonly answerPage: (request: FastifyRequest, reply: FastifyReply) => boolean;
};

export const registerDashboard = async (app: FastifyInstance, folder: string | null): Promise<Dashboard> => {
  if (folder === null || !(await exists(path.join(folder, 'index.html')))) {
    app.get('/', (_, reply) => reply.type('text/html; charset=utf-8').send(plainPage));
    return { answerPage: () => false };
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
  return {
    answerPage: (request, reply) => {
      if (!isPage(request)) return false;
      reply.sendFile('index.html');
      return true;
    },
  };
};
