/** examples/second-machine/join.sh adds a worker through a tunnel. `ssh` is replaced by a program that reaches this machine itself. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startApi } from '@funnel/api';
import { createClient } from '@funnel/client';
import { engineVersion } from '@funnel/contracts';
import { migrate, startEmbedded } from '@funnel/db';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest';

const script = fileURLToPath(new URL('../../../../examples/second-machine/join.sh', import.meta.url));

/** Runs a command; forwards a port in the background until `-O exit`. The socket of the tunnel holds the id of the process that forwards. */
const ssh = `#!${process.execPath}
const { spawn, spawnSync } = require('node:child_process');
const { existsSync, readFileSync, rmSync, writeFileSync } = require('node:fs');
const net = require('node:net');
const args = process.argv.slice(2);
const valueOf = (option) => args[args.indexOf(option) + 1];
const socket = valueOf('-S');
if (args[0] === 'forward') {
  const [, from, to, file] = args;
  net.createServer((near) => {
    const far = net.connect(Number(to), '127.0.0.1');
    near.pipe(far).pipe(near);
    for (const each of [near, far]) each.on('error', () => { near.destroy(); far.destroy(); });
  }).listen(Number(from), '127.0.0.1', () => writeFileSync(file, String(process.pid)));
} else if (args.includes('-O')) {
  process.kill(Number(readFileSync(socket, 'utf8')));
  rmSync(socket);
} else if (args.includes('-L')) {
  const [, from, , to] = valueOf('-L').split(':');
  spawn(process.execPath, [__filename, 'forward', from, to, socket], { detached: true, stdio: 'ignore' }).unref();
  const wait = () => existsSync(socket) || setTimeout(wait, 20);
  wait();
} else if (args[0] === 'alice@first') {
  process.exit(spawnSync('sh', ['-c', args[1]], { stdio: 'inherit' }).status);
} else process.exit(255);
`;

const folder = mkdtempSync(join(tmpdir(), 'funnel-second-'));
const first = join(folder, 'first');
let server: Awaited<ReturnType<typeof startEmbedded>>;
let api: Awaited<ReturnType<typeof startApi>>;
beforeAll(async () => {
  for (const path of [folder, first, join(first, '.funnel'), join(folder, 'bin')]) {
    mkdirSync(path, { recursive: true });
    chmodSync(path, 0o755); // if root runs the test, PostgreSQL runs as another user
  }
  writeFileSync(join(folder, 'bin/ssh'), ssh, { mode: 0o755 });
  server = await startEmbedded({ dir: join(first, '.funnel/pgdata') });
  await migrate(server.url);
  const logger = pino({ level: 'silent' });
  api = await startApi({ databaseUrl: server.url, port: 0, engineVersion, logger });
});
afterAll(async () => {
  await api?.close();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Below the range from which the system gives ports to connections, so that none takes it before the tunnel listens. */
const freePort = async (): Promise<number> => {
  for (;;) {
    const port = 15_000 + Math.floor(Math.random() * 15_000);
    const free = createServer().listen(port, '127.0.0.1');
    const isFree = await Promise.race([
      once(free, 'listening').then(() => true),
      once(free, 'error').then(() => false),
    ]).catch(() => false);
    free.close();
    if (isFree) return port;
  }
};

it.each([
  ['the clone', first],
  ['FUNNEL_HOME', join(first, '.funnel')],
])(
  'joins by %s, works for the first machine, and leaves neither a stage nor a tunnel behind',
  async (_, place) => {
    const port = await freePort();
    const child = spawn(script, ['alice@first', place], {
      detached: true, // a process group of its own, as a terminal gives it
      cwd: folder,
      env: {
        PATH: [join(folder, 'bin'), process.env.PATH].join(delimiter),
        ...{ HOME: process.env.HOME, TMPDIR: folder, LOCAL_PORT: String(port) },
        ...{ FUNNEL_HOME: join(folder, 'second'), FUNNEL_SLOTS: '1', FUNNEL_BACKEND: 'wasm' },
      },
    });
    let words = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => {
        words += chunk;
      });
    onTestFinished(() => {
      if (child.exitCode === null) process.kill(-child.pid!, 'SIGKILL');
    });

    const client = createClient({ url: api.url });
    const statuses = async () => (await client.listWorkers()).items.map(({ status }) => status);
    await vi.waitFor(async () => expect(await statuses(), words).toContain('online'), {
      timeout: 110_000,
      interval: 200,
    });
    const dataset = { name: 'glyphs', train: 64, test: 32, attack: 2 };
    const space = { warmupEpochs: 0, classifierEpochs: 1 };
    const { id } = await client.createSweep({
      body: { name: 'two machines', recipes: 'adversarial-training', dataset, space, attacks: ['fgsm'] },
    });
    for await (const { event } of client.events({ sweep: id, lastEventId: '0-0' }))
      if (event.type === 'sweep' && event.status !== 'running') break;
    expect((await client.getSweep({ params: { id } })).status).toBe('completed');

    process.kill(-child.pid!, 'SIGINT'); // Ctrl-C
    await once(child, 'exit');
    await vi.waitFor(async () => expect(await statuses()).not.toContain('online'), { timeout: 30_000 });
    const again = createServer().listen(port, '127.0.0.1'); // the tunnel has given the port back
    await once(again, 'listening');
    again.close();
  },
  300_000,
);

it.each([
  [[], /^Expected the other machine, and its clone or FUNNEL_HOME: .* alice@first \/home\/alice\/funnel\n$/],
  [
    [folder],
    /^Expected a running Funnel .* alice@first has no file .*\/\.funnel\/pgdata\.port or .*\/pgdata\.port\. Run `npm start` there; if FUNNEL_HOME is set there, give its folder\.\n$/,
  ],
])('says what it expects after %j', async (more, message) => {
  const PATH = [join(folder, 'bin'), process.env.PATH].join(delimiter);
  const child = spawn(script, ['alice@first', ...more], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, PATH },
  });
  let words = '';
  child.stderr.on('data', (chunk) => {
    words += chunk;
  });
  const [status] = await once(child, 'close');
  expect(status).toBe(2);
  expect(words).toMatch(message);
});
