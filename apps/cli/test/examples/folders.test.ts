/** The commands in the README of own-images and own-model run as typed. Only the sweep is smaller. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClient } from '@funnel/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exitCodes } from '../../src/exit.ts';
import { blocksOf, commandsOf } from '../documents/blocks.ts';
import { openWorkplace, type Workplace } from '../documents/workplace.ts';

let workplace: Workplace;
beforeAll(async () => {
  workplace = await openWorkplace('real');
});
afterAll(() => workplace?.close());

/** Runs the commands of a README in their order. Returns what each of them printed. `statusOf`: the exit status that a command must have. */
const follow = async (
  document: string,
  adapted: (command: string) => string,
  statusOf: (command: string) => number = () => 0,
): Promise<string[]> => {
  const commands = blocksOf(document)
    .filter(({ language }) => language === 'sh')
    .flatMap(commandsOf);
  const printed: string[] = [];
  for (const command of commands) {
    const { status, output } = await workplace.run('bash', ['-euo', 'pipefail', '-c', adapted(command)]);
    expect(status, `${command}\n${output}`).toBe(statusOf(command));
    printed.push(output);
  }
  return printed;
};

describe('examples/own-images', () => {
  it('adds the pictures, trains on them and attacks', { timeout: 600_000 }, async () => {
    const smaller =
      ' --set dataset.train=60 --set dataset.test=30 --set dataset.attack=4 --set seeds=1 --set space.warmupEpochs=0 --set space.classifierEpochs=1';
    const printed = await follow('examples/own-images/README.md', (command) =>
      command.includes('sweep.yaml') ? `${command}${smaller}` : command,
    );
    const [made, looked, added, planned, , best, exported] = printed;
    expect(made).toBe('.funnel/shapes: 300 pictures of each class: circle, square, triangle\n');
    expect(looked).toMatch(/circle +240 +60\nsquare +240 +60\ntriangle +240 +60\n/);
    expect(added).toContain('Added. A sweep file names it: dataset: { name: shapes }');
    expect(planned).toMatch(/^2 trials$/m);
    expect(best).toMatch(/0\.03137/);
    expect(exported).toBe('Wrote 6 rows of 27 columns to classes.csv.\n');
    const { url } = workplace;
    const { items } = await createClient({ url }).listSweeps({ query: { search: 'Own images' } });
    expect(items.map(({ status }) => status)).toEqual(['completed']);
    expect(existsSync(join(workplace.folder, '.funnel/samples/shapes.png'))).toBe(true);
  });
});

describe('examples/own-model', () => {
  it('trains a model, examines it with a wrong and with the right range of pixels, and attacks it', {
    timeout: 600_000,
  }, async () => {
    const [trained, wrong, right, attacked] = await follow(
      'examples/own-model/README.md',
      (command) => command,
      (command) =>
        command.includes(' examine ') && !command.includes('--bounds') ? exitCodes.marked : exitCodes.ok,
    );
    expect(wrong).toMatch(/^! accuracy: .*\[-1, 1\] \(\d+ %\).* → --bounds LOW,HIGH$/m);
    const [, accuracy] = /([\d.]+) % of 150 test images are right/.exec(trained!) ?? [];
    expect(Number(accuracy)).toBeGreaterThan(75);
    const rightOf = (examination: string) => Number(/(\d+) % of the 100 images/.exec(examination)?.[1]);
    expect(rightOf(right!)).toBeGreaterThan(rightOf(wrong!));
    expect(right).toContain('Attacks measure the robustness of this model.');
    expect(attacked).toContain('worst case');
    const rows = JSON.parse(readFileSync(join(workplace.folder, '.funnel/my-model/rows.json'), 'utf8'));
    const attacks = rows.evaluations.map((each: { attack: string }) => each.attack);
    expect(attacks).toEqual(
      expect.arrayContaining(['apgd-ce-linf', 'apgd-t-linf', 'fab-t-linf', 'square-linf']),
    );
  });
});
