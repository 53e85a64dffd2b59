/** Downloads from servers that are slow, endless, lie, lead elsewhere, or are not encrypted. */
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { type DownloadOptions, download } from '../src/download.ts';

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

const serve = async (answer: RequestListener): Promise<string> => {
  const server = createServer(answer);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/file`;
};
const get = (address: string, options: Partial<DownloadOptions> = {}) =>
  download(address, { maxBytes: 1000, seconds: 60, idleSeconds: 60, ...options });

it('gives the bytes, and says how far it is', async () => {
  const url = await serve((_, response) => response.writeHead(200, { 'content-length': 3 }).end('abc'));
  const progress: unknown[] = [];
  const bytes = await get(url, { maxBytes: 3, onProgress: (...at) => progress.push(at) });
  expect(Buffer.from(bytes).toString()).toBe('abc');
  expect(progress.at(-1)).toEqual([3, 3]);
});

describe('the limit of bytes', () => {
  it('refuses what a server announces, before it sends it', async () => {
    const url = await serve((_, response) => {
      response.writeHead(200, { 'content-length': 1001 });
      response.flushHeaders(); // and no byte follows
    });
    await expect(get(url)).rejects.toThrow('Expected at most 1000 bytes, but got 1001');
  });

  it('ends an endless answer, and its connection', async () => {
    let closed = (): void => {};
    const end = new Promise<void>((resolve) => {
      closed = resolve;
    });
    const url = await serve((request, response) => {
      request.socket.once('close', closed);
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(100)));
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    });
    await expect(get(url)).rejects.toThrow('Expected at most 1000 bytes, but got more');
    await end;
  });

  it('counts bytes after the encoding of the connection', async () => {
    const bomb = gzipSync(Buffer.alloc(10 * 2 ** 20));
    const url = await serve((_, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': bomb.length }).end(bomb),
    );
    await expect(get(url, { maxBytes: 2 ** 20 })).rejects.toThrow('at most 1048576 bytes, but got more');
  });

  it('refuses an answer that is shorter than announced', async () => {
    const url = await serve((_, response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('abc', () => response.destroy());
    });
    await expect(get(url)).rejects.toThrow();
  });
});

describe('the limits of seconds', () => {
  it('end a server that answers nothing', async () => {
    const url = await serve(() => {});
    await expect(get(url, { idleSeconds: 0.05 })).rejects.toThrow('no answer within 0.05 s');
  });

  it('end a server that stops in the middle', async () => {
    const url = await serve((_, response) => void response.write('abc'));
    await expect(get(url, { idleSeconds: 0.05 })).rejects.toThrow('no answer within 0.05 s');
  });

  it('end a server that sends byte by byte without end', async () => {
    const url = await serve((_, response) => {
      const timer = setInterval(() => response.write('a'), 1);
      response.once('close', () => clearInterval(timer));
    });
    await expect(get(url, { seconds: 0.1, maxBytes: 1e9 })).rejects.toThrow('not complete within 0.1 s');
  });

  it('and a signal, with its own reason', async () => {
    const stop = new AbortController();
    const url = await serve(() => stop.abort(new Error('enough')));
    await expect(get(url, { signal: stop.signal })).rejects.toThrow('enough');
  });
});

describe('an address', () => {
  it('must be https, except on this machine and for a trusted origin', async () => {
    for (const address of [
      'http://funnel.test/a',
      'http://10.0.0.5:7070/a',
      'ftp://localhost/a',
      'file:///etc/passwd',
    ])
      await expect(get(address)).rejects.toThrow(
        /^Expected an https address \(http only for localhost\), but got /,
      );
    // The trusted origin is asked: nothing listens on port 1 there.
    const asked = get('http://0.0.0.0:1/a', { trustedOrigin: 'http://0.0.0.0:1' });
    await expect(asked).rejects.toThrow('fetch failed');
  });

  it('may lead to another one, which gets no headers of the first, and must be https too', async () => {
    const seen: (string | undefined)[] = [];
    const last = await serve((request, response) => {
      seen.push(request.headers.authorization);
      response.end('abc');
    });
    const to =
      (location: string): RequestListener =>
      (request, response) => {
        seen.push(request.headers.authorization);
        response.writeHead(302, { location }).end();
      };
    const headers = { authorization: 'Bearer abc' };
    expect(await get(await serve(to(last)), { headers })).toHaveLength(3);
    expect(seen).toEqual(['Bearer abc', undefined]);
    await expect(get(await serve(to('http://funnel.test/a')))).rejects.toThrow('but got http://funnel.test');
  });

  it('may not lead in circles', async () => {
    const url = await serve((_, response) => response.writeHead(301, { location: '/again' }).end());
    await expect(get(url)).rejects.toThrow('Expected at most 5 redirections, but got more');
  });

  it('that has nothing says so', async () => {
    const url = await serve((_, response) => response.writeHead(404).end());
    await expect(get(url)).rejects.toThrow('HTTP 404');
  });
});
