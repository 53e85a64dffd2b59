import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { DatasetFile } from '@funnel/contracts';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { getDataset, getFiles } from '../../src/datasets/get-dataset.ts';
import { sources } from '../../src/datasets/load-dataset.ts';

let folder: string;
const servers: Server[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'funnel-get-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

/** A mirror on a port of its own. */
const mirror = async (answer: RequestListener): Promise<string> => {
  const server = createServer(answer);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/data/`;
};

const content = Buffer.from('the content of a data set');
const file: DatasetFile = {
  name: 'a.gz',
  bytes: content.length,
  sha256: createHash('sha256').update(content).digest('hex'),
};
const zipped = gzipSync(content);

describe('getFile', () => {
  it('takes the first mirror with the declared content, and reports progress', async () => {
    const paths: (string | undefined)[] = [];
    const forged = await mirror((_, response) => response.end(gzipSync('forged')));
    const gone = await mirror((_, response) => response.writeHead(404).end());
    const good = await mirror((request, response) => {
      paths.push(request.url);
      response.writeHead(200, { 'content-length': zipped.length }).end(zipped);
    });
    const progress: unknown[] = [];
    await getFiles([file], folder, [forged, gone, good], { onProgress: (p) => progress.push(p) });
    expect(await readFile(join(folder, 'a.gz'))).toEqual(zipped);
    expect(await readdir(folder)).toEqual(['a.gz']);
    expect(paths).toEqual(['/data/a.gz']);
    expect(progress.at(-1)).toEqual({ file: 'a.gz', received: zipped.length, total: zipped.length });
  });

  it('leaves no file behind and says what each mirror answered when none has the content', async () => {
    const forged = await mirror((_, response) => response.end(gzipSync('forged')));
    const cut = await mirror((_, response) => {
      response.writeHead(200, { 'content-length': 1000 });
      response.write(zipped.subarray(0, 10), () => response.destroy());
    });
    await expect(getFiles([file], folder, [forged, cut], {})).rejects.toMatchObject({
      code: 'DATASET_MISSING',
      message: expect.stringMatching(/a\.gz .* 2 mirrors, .* 25 bytes after gunzip/) as string,
      details: { hint: expect.stringContaining(`copy a.gz to ${folder}, or`) },
    });
    expect(await readdir(folder)).toEqual([]);
  });

  it('gives up on a mirror that does not answer', async () => {
    const silent = await mirror(() => {});
    await expect(getFiles([file], folder, [silent], { connectSeconds: 0.05 })).rejects.toMatchObject({
      code: 'DATASET_MISSING',
      message: expect.stringContaining('no answer within 0.05 s') as string,
    });
  });

  it('takes the next mirror after one that leads to http, is endless, or sends a bomb', async () => {
    const plain = await mirror((_, response) =>
      response.writeHead(302, { location: 'http://mirror.test/a.gz' }).end(),
    );
    const endless = await mirror((_, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536)));
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    });
    // 30 kB of zeros in 60 bytes: more than the declared size, and unpacked only up to it.
    const bomb = await mirror((_, response) => response.end(gzipSync(Buffer.alloc(30_000))));
    const slow = await mirror((_, response) => {
      const timer = setInterval(() => response.write('a'), 1);
      response.once('close', () => clearInterval(timer));
    });
    const mirrors = [plain, endless, bomb, slow];
    await expect(getFiles([file], folder, mirrors, { fileSeconds: 1 })).rejects.toThrow(
      /https address.*at most 65561 bytes.*25 bytes after gunzip, but found more.*not complete within 1 s/s,
    );
    expect(await readdir(folder)).toEqual([]);
    const good = await mirror((_, response) => response.end(zipped));
    await getFiles([file], folder, [plain, endless, bomb, good], {});
    expect(await readdir(folder)).toEqual(['a.gz']);
  });

  it('leaves no file behind that it could not write', async () => {
    const good = await mirror((_, response) => response.end(zipped));
    await mkdir(join(folder, 'a.gz', 'full'), { recursive: true }); // a folder in the place of the file
    await expect(getFiles([file], folder, [good], {})).rejects.toMatchObject({ code: 'DATASET_MISSING' });
    expect(await readdir(folder)).toEqual(['a.gz']);
  });

  it('stops when it is aborted', async () => {
    const stop = new AbortController();
    const silent = await mirror(() => stop.abort(new Error('enough')));
    await expect(getFiles([file], folder, [silent], { signal: stop.signal })).rejects.toThrow('enough');
  });
});

test('every mirror is https, and each data set has more than one', () => {
  for (const source of Object.values(sources)) {
    if ('generate' in source) continue;
    expect(source.mirrors.length).toBeGreaterThan(1);
    for (const address of source.mirrors) expect(address).toMatch(/^https:\/\/.+\/$/);
  }
});

describe('getDataset', () => {
  it.runIf(existsSync('/proc/self'))('ends in a folder that nobody can make', async () => {
    await expect(getDataset('mnist', { home: '/proc/none', mirrors: [] })).rejects.toMatchObject({
      code: 'ENOENT',
    });
  });

  it('downloads nothing for a generated data set', async () => {
    expect(await getDataset('glyphs', { dir: folder })).toBeNull();
  });
});
