/** Every sweep file of examples/ runs: with its own recipes, space, search, attacks and objective, on few images for one epoch. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClient, type Output } from '@funnel/client';
import type { SweepInput } from '@funnel/contracts';
import { readSweepYaml } from '@funnel/contracts/sweep-yaml';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { read, root } from '../documents/blocks.ts';
import { openWorkplace, type Workplace } from '../documents/workplace.ts';
import { smaller } from './smaller.ts';

/** Trials of the file with one seed, and evaluations of each of them. Of a search: of the smaller one. */
const expected: Readonly<Record<string, { readonly trials: number; readonly attacks: number }>> = {
  'autoattack.yaml': { trials: 3, attacks: 12 },
  'baselines.yaml': { trials: 8, attacks: 3 },
  'beyond.yaml': { trials: 5, attacks: 3 },
  'cifar10.yaml': { trials: 6, attacks: 4 },
  'colour.yaml': { trials: 6, attacks: 2 },
  'gamma-beta.yaml': { trials: 10, attacks: 2 },
  // Of so few images one unit counts as untrained, so it is not promoted.
  'hyperband.yaml': { trials: 5, attacks: 2 },
  'learning-rates.yaml': { trials: 10, attacks: 1 },
  'paper.yaml': { trials: 2, attacks: 13 },
  'quickstart.yaml': { trials: 3, attacks: 2 },
  'reproduction.yaml': { trials: 5, attacks: 13 },
  'search.yaml': { trials: 5, attacks: 1 },
  'table2.yaml': { trials: 4, attacks: 13 },
};

let workplace: Workplace;
beforeAll(async () => {
  workplace = await openWorkplace('real');
});
afterAll(() => workplace?.close());

/** A folder like that of CIFAR-10: batches of records, a label and 3,072 pixels each. */
const makeCifar = (folder: string): void => {
  mkdirSync(folder);
  const records = (count: number) =>
    Uint8Array.from({ length: count * 3073 }, (_, i) => (i % 3073 === 0 ? (i / 3073) % 10 : (i * 7) % 256));
  writeFileSync(join(folder, 'data_batch_1.bin'), records(80));
  writeFileSync(join(folder, 'test_batch.bin'), records(40));
};

/** Submits a sweep, and waits for its end. */
const run = async (body: SweepInput): Promise<Output<'getSweep'>> => {
  const client = createClient({ url: workplace.url });
  const { id } = await client.createSweep({ body });
  for await (const { event } of client.events({ sweep: id, lastEventId: '0-0' }))
    if (event.type === 'sweep' && event.status !== 'running') break;
  return client.getSweep({ params: { id } });
};

it('names every file', () => {
  const files = readdirSync(new URL('examples', root)).filter((name) => name.endsWith('.yaml'));
  expect(Object.keys(expected)).toEqual(files.sort());
});

it.each(Object.entries(expected))('examples/%s', { timeout: 600_000 }, async (file, { trials, attacks }) => {
  const sweep = readSweepYaml(read(`examples/${file}`)) as SweepInput;
  if (file === 'cifar10.yaml') {
    makeCifar(join(workplace.folder, 'cifar-10-batches-bin'));
    const { output } = await workplace.run('bash', [
      '-c',
      'npx funnel data add cifar-10 cifar-10-batches-bin',
    ]);
    expect(output).toContain('80 training and 40 test images');
  }
  const { id, status, name } = await run(smaller(sweep));
  expect({ status, name }).toEqual({ status: 'completed', name: sweep.name });
  const { items } = await createClient({ url: workplace.url }).listTrials({ params: { id } });
  expect(items.map(({ status }) => status)).toEqual(Array(trials).fill('completed'));
  for (const { evaluations } of items) {
    // Below the highest rung only the attack of the objective runs.
    expect(evaluations.length).toBeLessThanOrEqual(attacks);
    for (const { summary } of evaluations) expect(summary.images).toBe(2);
  }
  expect(Math.max(...items.map(({ evaluations }) => evaluations.length))).toBe(attacks);
});
