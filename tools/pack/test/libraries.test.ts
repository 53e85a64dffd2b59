/** Both libraries as other people get them: packed, installed into an empty folder, run by Node, compiled, bundled, and run by a browser. */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { startApi } from '@funnel/api';
import { createTestDatabase } from '@funnel/db/testing';
import { startWorker } from '@funnel/worker';
import { pino } from 'pino';
import { build, preview } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeInBrowser, launchChromium } from '../../../apps/web/test/chromium.ts';
import { libraries, root } from '../src/libraries.ts';
import { pack } from '../src/pack.ts';

/** A folder outside of the repository, so that no package is found but the installed ones. */
const folder = mkdtempSync(join(tmpdir(), 'funnel-libraries-'));
const tarballs: string[] = [];

// Neither a loader such as tsx, nor settings of the npm and the vitest that run this test.
const env = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(NODE_OPTIONS|npm_|VITEST|FUNNEL_)/.test(name)),
);

type Ran = { readonly code: number; readonly output: string };

const run = (program: string, ...args: string[]): Promise<Ran> =>
  new Promise((resolve) => {
    execFile(program, args, { cwd: folder, env, maxBuffer: 2 ** 26 }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code ?? 1) : 0, output: stdout + stderr }),
    );
  });

const installed = (name: string, file: string): string =>
  readFileSync(join(folder, 'node_modules/@funnel', name, file), 'utf8');

/** The blocks of a README in this language. */
const blocksOf = (readme: string, language: string): string[] =>
  [...readme.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].flatMap(([, name, text]) =>
    name === language ? [text!] : [],
  );

const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);

const runScript = (name: string, text: string): Promise<Ran> => {
  write(name, text);
  return run(process.execPath, name);
};

beforeAll(async () => {
  write('package.json', '{ "type": "module", "private": true }');
  for (const library of libraries) {
    const tarball = await pack(library, folder);
    tarballs.push(tarball);
    const readme = readFileSync(join(root, 'packages', library, 'README.md'), 'utf8');
    const [install = ''] = blocksOf(readme, 'sh');
    expect(install, readme).toContain(basename(tarball));
    const { code, output } = await run('bash', '-euc', install);
    expect(code, output).toBe(0);
  }
  cpSync(join(root, 'fixtures/oracle/mnist-conv'), join(folder, 'my-model'), { recursive: true });
}, 300_000);
afterAll(() => rmSync(folder, { recursive: true, maxRetries: 5 }));

describe('a tarball', () => {
  it('is clean for publint and for arethetypeswrong', async () => {
    const { bin: attw } = JSON.parse(
      readFileSync(join(root, 'node_modules/@arethetypeswrong/cli/package.json'), 'utf8'),
    );
    for (const tarball of tarballs) {
      const linted = await run(
        process.execPath,
        join(root, 'node_modules/publint/src/cli.js'),
        'run',
        tarball,
        '--strict',
      );
      expect(linted.code, linted.output).toBe(0);
      const script = join(root, 'node_modules/@arethetypeswrong/cli', attw.attw);
      const typed = await run(process.execPath, script, '--profile', 'esm-only', tarball);
      expect(typed.code, typed.output).toBe(0);
    }
  });

  it.each(libraries)('of %s contains the license, and needs no package of this repository', (name) => {
    expect(installed(name, 'LICENSE')).toBe(readFileSync(join(root, 'LICENSE'), 'utf8'));
    const { dependencies, peerDependencies } = JSON.parse(installed(name, 'package.json'));
    const tfjs = { '@tensorflow/tfjs': '^4.22.0', '@tensorflow/tfjs-backend-wasm': '^4.22.0' };
    expect(peerDependencies).toEqual(name === 'attacks' ? tfjs : undefined);
    expect(Object.keys(dependencies)).toEqual(name === 'attacks' ? ['zod'] : ['eventsource-parser', 'zod']);
    const files = readdirSync(join(folder, 'node_modules/@funnel', name), {
      recursive: true,
      encoding: 'utf8',
    });
    for (const file of files.filter((each) => /\.(js|ts|json)$/.test(each)))
      expect(installed(name, file), file).not.toMatch(/workspace:|(from|import\()\s*['"]@funnel\//);
  });
});

describe('the README of attacks', () => {
  const [first = '', second = ''] = blocksOf(
    readFileSync(join(root, 'packages/attacks/README.md'), 'utf8'),
    'js',
  );

  it('shows a first attack that prints what the README says', async () => {
    const [, ...printed] = /^prints `([^`]+)` and `([^`]+)`/m.exec(installed('attacks', 'README.md')) ?? [];
    const { code, output } = await runScript('first.js', first);
    expect(code, output).toBe(0);
    expect(printed).toHaveLength(2);
    expect(output.split('\n')).toEqual(expect.arrayContaining(printed));
  });

  it('shows how to examine and attack your own model', async () => {
    const images = `import * as tf from '@tensorflow/tfjs';
const images = tf.randomUniform([6, 28, 28, 1], 0, 1, 'float32', 1);
const labels = (await loadClassifier('./my-model')).logits(images).argMax(1).dataSync();
`;
    const { code, output } = await runScript('second.js', images + second);
    expect(code, output).toBe(0);
    expect(output).toMatch(/^ok /m);
    expect(output).toMatch(/^apgd-ce-linf fooled \d+ images; none so far fooled \d+$/m);
    expect(output).toMatch(/^fmn-l2 fooled \d+ images; none so far fooled \d+$/m);
    expect(output).toMatch(/^robust accuracy within 8\/255: [\d.]+$/m);
  });

  describeInBrowser('in a browser', () => {
    it('Vite bundles the first attack, and Chromium prints the same; a model comes from an address', async () => {
      const site = join(folder, 'site');
      mkdirSync(join(site, 'public'), { recursive: true });
      cpSync(join(folder, 'my-model'), join(site, 'public/my-model'), { recursive: true });
      write(
        'site/index.html',
        '<!doctype html><link rel="icon" href="data:," /><script type="module" src="main.js"></script>',
      );
      // The README speaks of the backend cpu, which prints the same on every machine; a browser would take WebGL.
      write('site/cpu.js', "import * as tf from '@tensorflow/tfjs';\nawait tf.setBackend('cpu');\n");
      write('site/first.js', `import './cpu.js';\n${first}`);
      write(
        'site/main.js',
        `import './first.js';
import { loadClassifier } from '@funnel/attacks';
for (const address of [new URL('my-model', location.href).href, './my-model/model.json']) {
  const { shape, classes } = await loadClassifier(address);
  console.log(JSON.stringify({ shape, classes }));
}
console.log(await loadClassifier('./no-model').catch(({ code }) => code));
console.log('end');
`,
      );
      await build({ root: site, logLevel: 'error', configFile: false, build: { target: 'esnext' } });
      const server = await preview({
        root: site,
        configFile: false,
        preview: { port: 0, host: '127.0.0.1' },
      });
      const browser = await launchChromium();
      try {
        const page = await browser.newPage();
        const faults: string[] = [];
        page.on('pageerror', (error) => faults.push(error.message));
        const said: string[] = [];
        const end = page.waitForEvent('console', {
          predicate: (line) => line.text() === 'end',
          timeout: 60_000,
        });
        page.on('console', (line) => said.push(line.text()));
        await page.goto(server.resolvedUrls!.local[0]!);
        await end;
        const [, printed] = /^prints `([^`]+)`/m.exec(installed('attacks', 'README.md'))!;
        expect(said).toContain(printed);
        const read = '{"shape":[28,28,1],"classes":10}';
        expect(said.slice(said.indexOf(read))).toEqual([read, read, 'ATTACK_INPUT', 'end']);
        expect(faults).toEqual([]);
      } finally {
        await browser.close();
        await server.close();
      }
    });
  });
});

describe('the README of client', () => {
  it('shows a first sweep that runs', async () => {
    const database = await createTestDatabase();
    const log = pino({ level: 'silent' });
    const api = await startApi({
      databaseUrl: database.url,
      port: 0,
      engineVersion: 'stand-in',
      logger: log,
    });
    const worker = await startWorker({ databaseUrl: database.url, slots: 2, simulation: {}, log });
    try {
      const [first = ''] = blocksOf(installed('client', 'README.md'), 'js');
      expect(first).toContain('http://127.0.0.1:7070');
      // The second sweep finds all its stages trained, and may end before its events are asked for.
      for (const _ of ['first', 'second']) {
        const { code, output } = await runScript('sweep.js', first.replace('http://127.0.0.1:7070', api.url));
        expect(code, output).toBe(0);
        expect(output).toMatch(/^(?:[123] [\d.]+ [\d.]+ 0(?:\.05|\.1)?\n){3}$/);
      }
    } finally {
      await worker.stop();
      await api.close();
      await database.drop();
    }
  });
});

describe('TypeScript', () => {
  const project = `
import { type ClassifierModel, classifierModel, type Evaluation, evaluateAttack } from '@funnel/attacks';
import { wilsonInterval } from '@funnel/attacks/statistics';
import { createClient, type Input, type Output } from '@funnel/client';
import * as tf from '@tensorflow/tfjs';

const model: ClassifierModel = classifierModel((images: tf.Tensor) => tf.reshape(images, [-1, 4]), { shape: [2, 2, 1] });
const input = { model, images: new Float32Array(4), labels: [3] };
const evaluation: Evaluation = await evaluateAttack({ ...input, attack: { attack: 'fgsm', epsilon: 0.3 } });
const interval: readonly number[] = wilsonInterval(evaluation.summary.successes, evaluation.summary.attempted);
// @ts-expect-error There is no attack of this name.
await evaluateAttack({ ...input, attack: 'fgsn' });

const client = createClient({ url: 'http://127.0.0.1:7070' });
const { items }: Output<'leaderboard'> = await client.leaderboard({ query: { metric: 'medianL2' } });
const rank: number | null | undefined = items[0]?.rank;
// @ts-expect-error A rank is a number, so the types are more than any.
const text: string | undefined = items[0]?.rank;
// @ts-expect-error There is no hyperparameter of this name.
const body: Input<'createSweep'>['body'] = { name: 'γ', dataset: { name: 'glyphs' }, space: { gama: [1] } };
console.log(interval, rank, text, body);
`;

  it.each([
    ['node16', 'node16'],
    ['esnext', 'bundler'],
  ])(
    'compiles a strict project with modules of %s that are resolved as by %s',
    async (module, resolution) => {
      write('project.ts', project);
      const { output } = await run(
        process.execPath,
        join(root, 'node_modules/typescript/bin/tsc'),
        ...[
          '--noEmit',
          '--strict',
          '--noUncheckedIndexedAccess',
          '--exactOptionalPropertyTypes',
          '--target',
          'es2022',
        ],
        ...['--module', module, '--moduleResolution', resolution, '--skipLibCheck', 'false', 'project.ts'],
      );
      // Other lines are errors in the declarations of TensorFlow.js.
      const faults = output
        .split('\n')
        .filter((line) => /^(node_modules\/@funnel\/|project\.ts|error )/.test(line));
      expect(faults).toEqual([]);
    },
  );
});
