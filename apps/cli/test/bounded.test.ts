/** Files without an end, and services that go silent. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readBounded } from '../src/bounded-file.ts';
import { fetchOverHttp } from '../src/http.ts';
import { readSweepFile } from '../src/sweep-file.ts';

describe('a file', () => {
  it('is read whole up to its limit', () => {
    const folder = mkdtempSync(join(tmpdir(), 'funnel-bounded-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'file');
    const content = Buffer.alloc(200_000, 'abcdefg');
    writeFileSync(path, content);
    expect(readBounded(path).equals(content)).toBe(true);
    writeFileSync(path, Buffer.alloc(16 * 2 ** 20 + 1));
    expect(() => readSweepFile(path)).toThrow(
      /cannot be read: Expected at most 16777216 bytes, but got more/,
    );
  });

  it.skipIf(process.platform === 'win32')('without an end is refused', () => {
    expect(() => readSweepFile('/dev/zero')).toThrow(/Expected at most 16777216 bytes, but got more/);
  });
});

describe('a service that goes silent', () => {
  const silent = async (answer: RequestListener): Promise<string> => {
    const server = createServer(answer);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  };
  const init = { method: 'GET', headers: {} };

  it('before its answer', async () => {
    const url = await silent(() => {});
    await expect(fetchOverHttp(url, init, 50)).rejects.toThrow('no byte has come for 0.05 s');
  });

  it('in the middle of its answer', async () => {
    const url = await silent((_, response) => void response.write('{'));
    const answer = await fetchOverHttp(url, init, 50);
    await expect(answer.text()).rejects.toThrow();
  });
});
