/** `funnel reference`, `hyperparameters` and `attacks`, without a service. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { attackNames, hyperparametersOf } from '@funnel/contracts';
import { afterAll, describe, expect, it } from 'vitest';
import { funnel } from './funnel.ts';

const folder = mkdtempSync(join(tmpdir(), 'funnel-reference-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The first words of the lines of a table. */
const namesIn = (table: string): string[] =>
  [...table.matchAll(/^([\w:-]+) {2}/gm)].map(([, name = '']) => name);

describe('the reference in the terminal', () => {
  it('lists the hyperparameters that a recipe reads', async () => {
    const { stdout, status } = await funnel(['hyperparameters', 'classic']);
    expect(status).toBe(0);
    expect(namesIn(stdout)).toHaveLength(1 + hyperparametersOf('classic').length);
    expect(namesIn(stdout).slice(1).sort()).toEqual([...hyperparametersOf('classic')].sort());
    const { stdout: json } = await funnel(['--json', 'hyperparameters', 'classic']);
    expect(JSON.parse(json)).toHaveLength(hyperparametersOf('classic').length);
  });

  it('shows one attack with its settings, and one preset with its ε', async () => {
    const { stdout } = await funnel(['attacks', 'pgd-linf']);
    expect(stdout).toMatch(/^ {2}paper +Madry et al\. 2018/m);
    expect(stdout).toContain('epsilon = 0.3: Radius of the L∞ ball');
    const { stdout: json } = await funnel(['attacks', 'pgd-linf', '--json']);
    expect(JSON.parse(json)).toMatchObject({
      name: 'pgd-linf',
      norm: 'linf',
      queries: 41,
      queriesGrowWith: ['steps', 'restarts'],
    });
    const { stdout: preset } = await funnel(['attacks', 'quick']);
    expect(preset).toContain(
      'pgd-linf epsilon=0.3 (mnist, glyphs), 0.1 (fashion-mnist), 8/255 (glyphs-colour)',
    );
  });

  it('lists every attack for programs', async () => {
    const { attacks } = JSON.parse((await funnel(['attacks', '--json'])).stdout);
    expect(attacks.map(({ name }: { name: string }) => name)).toEqual(attackNames);
  });

  it('finds a check by its number', async () => {
    const { stdout } = await funnel(['reference', 'checks', 'H10']);
    expect(stdout).toMatch(/^gradient-is-zero\n/);
    expect(stdout).toMatch(/^ {2}what to do +Attack the margin/m);
  });

  it('asks what was meant', async () => {
    const { status, stderr } = await funnel(['attacks', 'pgd']);
    expect(status).toBe(2);
    expect(stderr).toContain(
      'Expected one of the attacks, but got "pgd": did you mean "pgd-linf" or "pgd-l2"?',
    );
    expect((await funnel(['reference', 'metrcs'])).stderr).toContain('did you mean "metrics"?');
  });

  it('understands other words for a topic', async () => {
    const shown = async (...args: string[]) => (await funnel(['reference', ...args])).stdout;
    const statuses = await shown('statuses');
    expect(statuses).toMatch(/^masked +evaluation /m);
    expect(await shown('verdicts')).toBe(statuses);
    expect(await shown('metric')).toBe(await shown('metrics'));
    expect(await shown('verdict', 'untrained')).toMatch(/^untrained\n/);
    expect((await funnel(['hyperparameters', 'classc'])).stderr).toContain('did you mean "classic"?');
  });

  it('writes all topics as a page', async () => {
    const file = join(folder, 'reference.html');
    expect((await funnel(['reference', '--html', file])).stdout).toBe(`Wrote ${file}.\n`);
    expect(readFileSync(file, 'utf8')).toContain('<h2 id="attacks">Attacks</h2>');
  });
});
