/** FUNNEL_HOME decides which Funnel a command asks, whatever FUNNEL_PORT says. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { funnel } from './funnel.ts';

const root = mkdtempSync(join(tmpdir(), 'funnel-which-'));
const fixtures = fileURLToPath(new URL('../../../fixtures', import.meta.url));
const servers: Server[] = [];

/** An API without sweeps. It counts its requests. */
const listen = async (): Promise<{ readonly port: number; readonly asked: () => number }> => {
  let asked = 0;
  const server = createServer((_, response) => {
    asked++;
    response.setHeader('content-type', 'application/json').end('{"items":[],"next":null}');
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, asked: () => asked };
};

let own: Awaited<ReturnType<typeof listen>>;
let other: Awaited<ReturnType<typeof listen>>;
beforeAll(async () => {
  own = await listen();
  other = await listen();
});
afterAll(() => {
  for (const server of servers) server.close();
  rmSync(root, { recursive: true });
});

const homeWith = (name: string, files: Readonly<Record<string, string>>): string => {
  const home = join(root, name);
  mkdirSync(home);
  for (const [file, text] of Object.entries(files)) writeFileSync(join(home, file), text);
  return home;
};
const list = (home: string) =>
  funnel(['ls', '--json'], { env: { FUNNEL_HOME: home, FUNNEL_PORT: String(other.port) } });

it('asks the Funnel that runs in FUNNEL_HOME', async () => {
  const url = `http://127.0.0.1:${own.port}`;
  const address = JSON.stringify({ url, pid: process.pid, embedded: true });
  const { status, stderr } = await list(homeWith('running', { 'address.json': address, 'funnel.log': '' }));
  expect([status, stderr, own.asked(), other.asked()]).toEqual([0, '', 1, 0]);
});

it('finds the data sets of the Funnel that runs in FUNNEL_HOME', async () => {
  const url = `http://127.0.0.1:${own.port}`;
  const running = (name: string, pid: number) =>
    homeWith(name, {
      'address.json': JSON.stringify({ url, pid, embedded: true, data: `${fixtures}/data` }),
      'funnel.log': '',
    });
  const attack = (home: string) =>
    funnel(
      [
        ...['attack', '--model', `${fixtures}/oracle/mnist-conv`, '--dataset', 'mnist', '--indices', '0-3'],
        ...['--attack', 'fgsm', '--no-diagnose', '--json'],
      ],
      { env: { FUNNEL_HOME: home } },
    );
  const found = await attack(running('with-data', process.pid));
  expect(found.status, found.stderr).toBe(0);
  expect(JSON.parse(found.stdout).summary.images).toBe(4);
  const ended = await attack(running('ended-with-data', 2 ** 30)); // no process has this number
  expect([ended.status, ended.stderr]).toEqual([1, expect.stringContaining('FUNNEL_DATA')]);
});

it('asks no other Funnel when the one of FUNNEL_HOME does not run', async () => {
  const before = other.asked();
  for (const home of [homeWith('stopped', { 'funnel.log': '' }), join(root, 'absent')]) {
    const { status, stderr } = await list(home);
    expect(status).toBe(4);
    expect(JSON.parse(stderr)).toMatchObject({
      error: {
        message: `Expected a running Funnel in ${home} (FUNNEL_HOME), but none runs there.`,
        hint: 'Start it with `npm start`, or name the API by --url or FUNNEL_URL.',
      },
    });
  }
  expect(other.asked()).toBe(before);
});

it('asks the API at FUNNEL_PORT when no Funnel was started in FUNNEL_HOME, as in the image of the API', async () => {
  const { status } = await list(homeWith('cache', {}));
  expect([status, other.asked()]).toEqual([0, 1]);
});
