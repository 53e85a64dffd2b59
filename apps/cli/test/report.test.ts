/** `funnel report findings` on small real sweeps: the document, its figures, and the numbers of `--json` beside those of the API. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type StartedApi, startApi } from '@funnel/api';
import { createClient, type Output } from '@funnel/client';
import { engineVersion, type SweepInput } from '@funnel/contracts';
import { createTestDatabase, type TestDatabase } from '@funnel/db/testing';
import { startWorker } from '@funnel/worker';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { funnel } from './funnel.ts';

const folder = mkdtempSync(join(tmpdir(), 'funnel-report-'));
let database: TestDatabase;
let api: StartedApi;
let reproduction: Output<'getSweep'>;
let beyond: Output<'getSweep'>;

const run = (...args: string[]) => funnel(args, { env: { FUNNEL_URL: api.url }, cwd: folder });

const short = {
  filters: '4-8',
  latent: 8,
  initialiseEpochs: 3,
  classifierEpochs: 20,
  batchSize: 16,
} as const;
const dataset = { name: 'glyphs', train: 240, test: 100, attack: 4 } as const;

const submit = async (body: SweepInput): Promise<Output<'getSweep'>> => {
  const client = createClient({ url: api.url });
  const { id } = await client.createSweep({ body });
  const { status, stderr } = await run('watch', id);
  expect(status, stderr).toBe(0);
  return client.getSweep({ params: { id } });
};

beforeAll(async () => {
  database = await createTestDatabase();
  const logger = pino({ level: 'silent' });
  api = await startApi({ databaseUrl: database.url, port: 0, engineVersion, logger });
  const worker = await startWorker({
    ...{ databaseUrl: database.url, slots: 2, backend: 'wasm', log: logger, folders: { home: folder } },
  });
  [reproduction, beyond] = await Promise.all([
    submit({
      ...{ name: 'Nearest', recipes: 'funn', dataset, attacks: ['preset:paper'] },
      space: { ...short, optimiseEpochs: 1, noise: [4, 16], penalty: ['constraint', 'printed'] },
      search: { strategy: 'random', trials: 3 },
    }),
    submit({
      ...{ name: 'Further', recipes: ['classic', 'funn', 'trades'], dataset, attacks: 'deepfool-l2' },
      space: { ...short, optimiseEpochs: 1, trainingSteps: 1, warmupEpochs: 0 },
    }),
  ]);
  await worker.stop();
}, 600_000);
afterAll(async () => {
  await api?.close();
  await database?.drop();
  rmSync(folder, { recursive: true });
});

describe('findings', () => {
  it('writes the document with the figures that it shows', async () => {
    const { status, stderr } = await run(
      ...[
        'report',
        'findings',
        '--reproduction',
        'Nearest',
        '--beyond',
        beyond.id,
        '--out',
        'out/findings.md',
      ],
    );
    expect(status, stderr).toBe(0);
    const text = readFileSync(join(folder, 'out/findings.md'), 'utf8');
    expect(text).toContain(`Sweep “Nearest” (${reproduction.id})`);
    expect(text).toContain(`Sweep “Further” (${beyond.id})`);
    const figures = [...text.matchAll(/!\[([^\]]+)\]\(([^)]+)\)/g)].map(([, , file]) => file!);
    expect(figures).toEqual(['img/findings-rows.svg', 'img/findings-effects.svg', 'img/findings-beyond.svg']);
    for (const file of figures)
      expect(readFileSync(join(folder, 'out', file), 'utf8')).toMatch(/^<svg [\s\S]*<\/svg>\n$/);
    expect(text).not.toMatch(/NaN|undefined|\[object/);
  });

  it('counts what the API counts', async () => {
    const { stdout } = await run(
      ...['report', 'findings', '--reproduction', reproduction.id, '--beyond', 'Further', '--json'],
    );
    const data = JSON.parse(stdout);
    const client = createClient({ url: api.url });
    expect(data.reproduction.settings).toHaveLength(3);
    for (const { trials, rows, hyperparameters } of data.reproduction.settings) {
      const trial = await client.getTrial({ params: { id: trials[0] } });
      expect(hyperparameters).toEqual(trial.hyperparameters);
      const { summary } = trial.evaluations.find(({ attack }) => attack === 'local-search')!;
      expect(rows.find(({ name }: { name: string }) => name === 'LocalSearch')).toMatchObject({
        ...{ successes: summary.successes, attempted: summary.attempted },
      });
    }
    const { items } = await client.listTrials({ params: { id: beyond.id } });
    const medians = items.map(({ recipe, worstCase }) => [recipe, worstCase?.values.medianL2]);
    const found = [...data.beyond.funn, ...data.beyond.others].map(
      ({ recipe, medianL2 }: { recipe: string; medianL2: unknown }) => [recipe, medianL2],
    );
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries(medians));
  });

  it('prints the document without a file', async () => {
    const { stdout } = await run('report', 'findings', '--beyond', 'Further');
    expect(stdout).toContain('## Beyond the paper');
    expect(stdout).not.toContain('## The reproduction sweep');
  });

  it.each([
    [['--out', 'x.md'], 'Expected a sweep after --reproduction or --beyond, but got neither'],
    [['--full-size', 'Nearest'], 'Expected --reproduction beside --full-size'],
    [['--baselines', 'Nearest'], 'Expected --beyond beside --baselines'],
    [
      ['--reproduction', 'Nearest', 'Further'],
      'Expected sweeps with the same `attacks` after --reproduction',
    ],
  ])('refuses %j', async (args, sentence) => {
    const { status, stderr } = await run('report', 'findings', ...args);
    expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringContaining(sentence) });
  });
});

it('refuses a sweep twice: its images would count twice', async () => {
  const { status, stderr } = await run('report', 'table2', '--sweep', 'Nearest', reproduction.id);
  expect({ status, stderr }).toEqual({
    status: 2,
    stderr: expect.stringContaining(`${reproduction.id}-00000 and ${reproduction.id}-00000 are the same`),
  });
});

it('writes the report of Table 2 with its figure', async () => {
  const { status, stderr } = await run('report', 'table2', '--sweep', 'Nearest', '--out', 'table2.md');
  expect(status, stderr).toBe(0);
  expect(readFileSync(join(folder, 'table2.md'), 'utf8')).toContain('(img/table2.svg)');
  expect(readFileSync(join(folder, 'img/table2.svg'), 'utf8')).toContain('DeepFool L2, 1000 steps');
});

describe('results in a file', () => {
  it('give the report that the service gives, without the service', async () => {
    const saved = await run('report', 'save', '--sweep', 'Nearest', '--out', 'kept/nearest.json');
    expect(saved).toMatchObject({
      status: 0,
      stderr: 'Wrote 3 trials of Nearest to kept/nearest.json, and made the folder kept.\n',
    });
    const { stdout: online } = await run('report', 'table2', '--sweep', 'Nearest');
    const offline = await funnel(['report', 'table2', '--sweep', 'kept/nearest.json'], {
      env: { FUNNEL_URL: 'http://127.0.0.1:9' },
      cwd: folder,
    });
    expect(offline).toMatchObject({ status: 0, stdout: online });
    const { stdout } = await run('report', 'findings', '--reproduction', 'kept/nearest.json');
    expect(stdout).toBe((await run('report', 'findings', '--reproduction', 'Nearest')).stdout);
  });

  it.each([
    ['none.json', null, 'there is none at this path'],
    ['text.json', 'Nearest', 'it has other content'],
    ['other.json', '{"sweep": {}, "results": []}', 'it has other content'],
  ])('refuses %s', async (name, content, reason) => {
    if (content !== null) writeFileSync(join(folder, name), content);
    const { status, stderr } = await run('report', 'table2', '--sweep', name);
    expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringContaining(`${name}: ${reason}`) });
  });

  it('of sweeps with other attacks stand in one Table 2', async () => {
    await run('report', 'save', '--sweep', 'Further', '--out', 'further.json');
    const path = join(folder, 'further.json');
    const { sweep, results } = JSON.parse(readFileSync(path, 'utf8'));
    const others = results.filter(({ trial }: { trial: { recipe: string } }) => trial.recipe !== 'funn');
    writeFileSync(path, JSON.stringify({ sweep, results: others }));
    const { status, stdout, stderr } = await run('report', 'table2', '--sweep', 'Nearest', path);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const table = stdout.split('### `trades`\n')[1]!;
    expect(table).toMatch(/\| DeepFool L2, 50 steps \| – \| [0-9.]+ % \|/);
    expect(table).toMatch(/\| LocalSearch \| – \| – \| – \|/);
  });

  it('are not written to a file that a report would take for a name', async () => {
    const { status, stderr } = await run('report', 'save', '--sweep', 'Nearest', '--out', 'nearest.txt');
    expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringContaining('ends in .json') });
  });
});
