import type { Problem } from '@funnel/contracts';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { createClient, FunnelError } from '../src/client.ts';
import { sendJson, startServer } from './server.ts';

const problem: Problem = {
  type: 'urn:funnel:error:not-found',
  title: 'There is no such thing',
  status: 404,
  code: 'NOT_FOUND',
  detail: 'Expected the id of a sweep, but got "x"',
  hint: 'Check the id.',
};
const away: Problem = { ...problem, status: 503, code: 'UNAVAILABLE' };
const backoff = 1;

describe('calls', () => {
  test.each([undefined, '', '127.0.0.1:7070', 'localhost:7070'])('need an address: %o is refused', (url) => {
    expect(() => createClient({ url: url as string })).toThrow(/^Expected the address of the service/);
  });

  test('fill the path, the query and the headers of the declared route', async () => {
    const { url, requests } = await startServer((_, response) =>
      sendJson(response, 200, { items: [], next: null }),
    );
    const client = createClient({ url: `${url}/behind/a/proxy/`, token: 'secret' });
    await client.leaderboard({
      query: { recipe: ['funn', 'classic'], where: 'gamma:1..5', limit: 3, sweep: undefined },
    });
    await client.listTrials({ params: { id: 'a/b c' } });
    expect(requests.map((request) => request.url)).toEqual([
      '/behind/a/proxy/v1/leaderboard?recipe=funn&recipe=classic&where=gamma%3A1..5&limit=3',
      '/behind/a/proxy/v1/sweeps/a%2Fb%20c/trials',
    ]);
    expect(requests[0]!.headers.authorization).toBe('Bearer secret');
  });

  test('throw the problem from the service, and are not repeated', async () => {
    const { url, requests } = await startServer((_, response) => sendJson(response, 404, problem));
    const error = await createClient({ url, backoff })
      .getSweep({ params: { id: 'x' } })
      .catch((e: unknown) => e);
    expect(error).toBeInstanceOf(FunnelError);
    expect(error).toMatchObject({
      problem,
      code: 'NOT_FOUND',
      status: 404,
      answered: true,
      message: problem.detail,
    });
    expect(requests).toHaveLength(1);
  });

  test('keep the status of an answer that did not come from Funnel', async () => {
    const { url } = await startServer((_, response) => void response.writeHead(418).end('<h1>teapot</h1>'));
    const error = await createClient({ url, backoff })
      .health()
      .catch((e: unknown) => e);
    expect(error).toMatchObject({ status: 418, code: 'INTERNAL', answered: true });
  });

  test('return text, bytes or nothing, according to the route', async () => {
    const { url } = await startServer((request, response) => {
      if (request.method === 'DELETE') response.writeHead(204).end();
      else if (request.url === '/metrics') response.end('up 1\n');
      else response.end(Buffer.from([0, 0, 128, 63]));
    });
    const client = createClient({ url });
    expect(await client.deleteSweep({ params: { id: 'x' } })).toBeUndefined();
    expect(await client.getServiceMetrics()).toBe('up 1\n');
    const weights = await client.getWeights({ params: { hash: 'x', network: 'encoder' } });
    expect(new Float32Array(weights.buffer)).toEqual(new Float32Array([1]));
  });

  test('take exactly the input that the routes declare', () => {
    const client = createClient({ url: 'http://127.0.0.1:1' });
    expectTypeOf(client.getSweep).parameter(0).toEqualTypeOf<{ readonly params: { id: string } }>();
    expectTypeOf(client.health).parameter(0).toBeUnknown();
    expectTypeOf<Awaited<ReturnType<typeof client.getSweep>>['status']>().toEqualTypeOf<
      | 'running'
      | 'pausing'
      | 'paused'
      | 'completed'
      | 'completed-with-failures'
      | 'failed'
      | 'retrying'
      | 'cancelling'
      | 'cancelled'
      | 'deleting'
    >();
    expectTypeOf(client).not.toHaveProperty('getSweeps');
    const body = { name: 'x', dataset: { name: 'mnist' } } as const;
    const accepted = () => [client.createSweep({ body }), client.leaderboard()];
    const refused = () => [
      // @ts-expect-error: a misspelt hyperparameter
      client.createSweep({ body: { ...body, space: { gama: 1 } } }),
      // @ts-expect-error: a misspelt number of images
      client.createSweep({ body: { ...body, dataset: { name: 'mnist', trian: 5 } } }),
      // @ts-expect-error: no body
      client.createSweep({}),
    ];
    expect([accepted, refused]).toHaveLength(2); // never called: the compiler tests them
  });
});

describe('repetition', () => {
  test('of a submission uses one key, so that only one sweep is created', async () => {
    const { url, requests } = await startServer((request, response, call) =>
      call === 0
        ? void request.socket.destroy()
        : call === 1
          ? sendJson(response, 503, away)
          : sendJson(response, 201, { id: 's' }),
    );
    const sweep = await createClient({ url, backoff }).createSweep({
      body: { name: 'x', dataset: { name: 'glyphs' } },
    });
    expect(sweep.id).toBe('s');
    const keys = requests.map(({ headers }) => headers['idempotency-key']);
    expect(keys).toHaveLength(3);
    expect(new Set(keys)).toHaveLength(1);
    expect(keys[0]).toMatch(/^[0-9a-f]{32}$/);
  });

  test('keeps a key that the caller chose', async () => {
    const { url, requests } = await startServer((_, response) => sendJson(response, 201, { id: 's' }));
    await createClient({ url }).createSweep({
      headers: { 'idempotency-key': 'mine' },
      body: { name: 'x', dataset: { name: 'glyphs' } },
    });
    expect(requests[0]!.headers['idempotency-key']).toBe('mine');
  });

  test('says when an earlier one had the same key, but not when it was its own lost attempt', async () => {
    const submitted = async (...statuses: number[]): Promise<number> => {
      let repeated = 0;
      const { url } = await startServer((_, response, call) =>
        sendJson(response, statuses[call]!, call < statuses.length - 1 ? away : {}),
      );
      await createClient({ url, backoff: 1 }).createSweep(
        { headers: { 'idempotency-key': 'mine' }, body: { name: 'x', dataset: { name: 'glyphs' } } },
        { onRepeated: () => repeated++ },
      );
      return repeated;
    };
    expect(await submitted(200)).toBe(1);
    expect(await submitted(201)).toBe(0);
    expect(await submitted(503, 200)).toBe(0);
  });

  test('does not happen for a call whose lost answer may hide a change', async () => {
    const { url, requests } = await startServer((request) => void request.socket.destroy());
    const error = await createClient({ url, backoff })
      .pauseSweep({ params: { id: 'x' } })
      .catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'UNAVAILABLE', answered: false });
    expect((error as FunnelError).message).toMatch(
      /^Expected an answer from http:\/\/127\.0\.0\.1:\d+, but got none/,
    );
    expect(requests).toHaveLength(1);
  });

  test('a server that does not speak https is named', async () => {
    const { url } = await startServer((_, response) => sendJson(response, 200, {}));
    const secure = url.replace('http:', 'https:');
    const call = createClient({ url: secure, backoff, retries: 0 }).health();
    await expect(call).rejects.toThrow(
      `Expected an answer from ${secure}, but got none: it does not speak https; try http`,
    );
  });

  test('happens for every call after a 429', async () => {
    const { url, requests } = await startServer((_, response, call) =>
      call === 0
        ? sendJson(response, 429, { ...problem, status: 429, code: 'RATE_LIMITED' }, { 'retry-after': '0' })
        : sendJson(response, 200, { id: 'x' }),
    );
    await createClient({ url, backoff }).pauseSweep({ params: { id: 'x' } });
    expect(requests).toHaveLength(2);
  });

  test('ends after the given number', async () => {
    const { url, requests } = await startServer((_, response) => sendJson(response, 503, away));
    await expect(createClient({ url, backoff, retries: 2 }).health()).rejects.toMatchObject({
      problem: away,
    });
    expect(requests).toHaveLength(3);
  });

  test('of a deletion treats 404 as success', async () => {
    const { url } = await startServer((request, response, call) =>
      call === 0 ? void request.socket.destroy() : sendJson(response, 404, problem),
    );
    await expect(
      createClient({ url, backoff }).deleteSweep({ params: { id: 'x' } }),
    ).resolves.toBeUndefined();
  });

  test('ends at once when the caller aborts', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const { url } = await startServer((_, response) => {
      sendJson(response, 503, away, { 'retry-after': '20' });
      setImmediate(() => controller.abort(reason));
    });
    await expect(createClient({ url }).health({}, { signal: controller.signal })).rejects.toBe(reason);
  });
});
