/** `funnel watch` while the API is away or busy, and requests through a proxy. Stand-in servers play the service and the proxy. */
import { once } from 'node:events';
import { createServer, type RequestListener, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { funnel } from './funnel.ts';

const serve = async (listener: RequestListener, onTunnel = (_: string) => {}): Promise<string> => {
  const server = createServer(listener).listen(0, '127.0.0.1');
  server.on('connect', ({ url = '' }, socket) => {
    onTunnel(url);
    socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
  });
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

const sweep = (status: string) => ({
  id: '0123456789abcdef',
  name: 'followed',
  status,
  createdAt: '2026-11-29T08:00:00.000Z',
  finishedAt: null,
  trials: { completed: 1 },
  plan: { trials: 1, stages: {}, epochs: { needed: 0, cached: 0, unshared: 0 }, sharing: 1 },
  epochsTrained: 0,
  progress: 1,
  etaSeconds: null,
  priority: 50,
  stages: [{ kind: 'attack', status: 'completed', count: 1 }],
  waitsFor: [],
  definition: { attacks: { preset: 'quick' }, dataset: { name: 'glyphs' }, recipes: ['funn'] },
});

it.each([429, 502, 503, 504])('outlives answers of status %i', async (away) => {
  let asked = 0;
  const url = await serve(({ url: path = '' }, response) => {
    response.setHeader('content-type', 'application/json');
    if (path.startsWith('/v1/leaderboard') || path.startsWith('/v1/workers'))
      return response.end(JSON.stringify({ items: [], next: null }));
    // The client asks five times before it gives up; the follower asks again after that.
    response.statusCode = asked++ < 6 ? away : 200;
    return response.end(JSON.stringify(sweep('completed')));
  });
  const { status, stderr } = await funnel(['watch', '0123456789abcdef', '--url', url]);
  expect(stderr).toMatch(/Waiting for it to come back …\nThe API answers again\.\n/);
  expect(status, stderr).toBe(0);
  expect(asked).toBe(7);
});

it('ends after --timeout, and says that the sweep goes on', async () => {
  const url = await serve((_, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ ...sweep('running'), items: [], next: null }));
  });
  const { status, stderr } = await funnel(['watch', '0123456789abcdef', '--url', url, '--timeout', '1']);
  expect(stderr).toMatch(
    /The sweep had not ended after 1 s\. It goes on\. Watch it again: `npx funnel watch 0123456789abcdef`\n$/,
  );
  expect(status).toBe(124);
});

it('sends requests through HTTP_PROXY, but not those of NO_PROXY and of this machine', async () => {
  const url = await serve((_, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ items: [], next: null }));
  });
  const seen: string[] = [];
  // A proxy gets the whole address in the first line of a request. This one sends every request to the stand-in service.
  const proxy = await serve(
    (incoming, response) => {
      seen.push(incoming.url ?? '');
      request(`${url}${new URL(incoming.url ?? '').pathname}`, (answer) => answer.pipe(response)).end();
    },
    (host) => seen.push(`tunnel to ${host}`),
  );
  const list = (address: string, env: Record<string, string>) =>
    funnel(['workers', '--json', '--url', address], {
      env: { HTTP_PROXY: proxy, HTTPS_PROXY: proxy, ...env },
    });
  const through = await list('http://funnel.example:7070', {});
  expect(through.stderr).toBe('');
  expect(JSON.parse(through.stdout)).toEqual([]);
  expect(seen).toEqual(['http://funnel.example:7070/v1/workers']);
  expect((await list(url, {})).stdout).toBe(through.stdout);
  expect((await list('http://nowhere.invalid:7070', { NO_PROXY: '.invalid' })).status).toBe(4);
  expect(seen).toHaveLength(1);
  expect((await list('https://funnel.example', {})).status).toBe(4);
  expect(new Set(seen.slice(1))).toEqual(new Set(['tunnel to funnel.example:443']));
});
