import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeInBrowser, dist, eventually, launch, open } from './browser.ts';
import { rungSweep, searchSweep } from './fake-api/populate.ts';
import { type FakeApi, startFakeApi } from './fake-api/server.ts';
import { createWorld, type World } from './fake-api/world.ts';

describeInBrowser('the pages of a search', () => {
  let browser: Browser;
  let api: FakeApi;
  let world: World;

  beforeAll(async () => {
    world = createWorld();
    world.addSweep(searchSweep, { id: 'tpe', done: 0.5 });
    world.addSweep({ ...searchSweep, name: 'to extend' }, { id: 'ended', done: 1 });
    world.addSweep(rungSweep, { id: 'rungs', done: 0.8 });
    browser = await launch();
    api = await startFakeApi(world, { dist });
  });
  afterAll(async () => {
    await browser?.close();
    await api?.close();
  });

  it('show each decision that the search makes, and its trials, without a reload', async () => {
    const { page, faults, close } = await open(browser, `${api.url}#/sweeps/tpe/search`);
    await page.getByText('Live', { exact: true }).waitFor();
    await page.getByRole('heading', { name: 'Contour' }).waitFor();
    const sweep = world.sweeps.get('tpe')!;
    const before = world.trialCount(sweep);
    await page.getByText(`${before} decisions`, { exact: true }).waitFor();
    world.finishTrial(sweep);
    world.finishTrial(sweep);
    await page.getByText(`${before + 2} decisions`, { exact: true }).waitFor();
    await page.getByRole('link', { name: 'Results' }).click();
    await page.getByText(`of ${before + 2} measured`).waitFor();
    world.finishTrial(sweep);
    await page.getByText(`of ${before + 3} measured`).waitFor();
    expect(faults).toEqual([]);
    await close();
  });

  it('give a search more configurations', async () => {
    const { page, faults, close } = await open(browser, `${api.url}#/sweeps/ended/search`);
    await page.getByText('The search decides no more. It has all of its configurations.').waitFor();
    expect(await page.getByRole('button', { name: 'Try this point' }).count()).toBe(0);
    await page.getByRole('button', { name: 'Extend' }).click();
    const dialog = page.getByRole('dialog', { name: 'Extend' });
    expect(await dialog.getByLabel('Configurations to add').inputValue()).toBe('60');
    await dialog.getByLabel('Configurations to add').fill('10.5');
    await dialog.getByRole('button', { name: 'Extend' }).click();
    await dialog.getByRole('alert').waitFor();
    await dialog.getByLabel('Configurations to add').fill('10');
    await dialog.getByRole('button', { name: 'Extend' }).click();
    await page.getByText('The search goes on.').waitFor();
    expect(world.sweeps.get('ended')!.search!.configurations).toBe(70);
    expect(faults.filter((fault) => !fault.includes('400'))).toEqual([]);
    await close();
  });

  it('give a running search a point, which starts as the best one', async () => {
    const { page, faults, close } = await open(browser, `${api.url}#/sweeps/tpe/search`);
    const best = page.locator('.search-best');
    await best.getByText(/[0-9.]+–[0-9.]+%, 200 images, decision/).waitFor();
    await best.getByText('suspect').waitFor();
    await page.getByRole('button', { name: 'Try this point' }).click();
    const dialog = page.getByRole('dialog', { name: 'Try this point' });
    expect(await dialog.getByLabel('Recipe').inputValue()).toBe('funn');
    await dialog.getByLabel(/^γ/).fill('5');
    await dialog.getByLabel(/^β/).fill('0.02');
    await dialog.getByLabel('Latent units').selectOption('32');
    await dialog.getByRole('button', { name: 'Try this point' }).click();
    await page.getByText('1 point that users asked for').waitFor();
    const point = { recipe: 'funn', gamma: 5, beta: 0.02, latent: 32 };
    expect(world.sweeps.get('tpe')!.search!.waitingPoints).toEqual([point]);
    expect(faults).toEqual([]);
    await close();
  });

  it('compare the configurations of the rung that the user chooses', async () => {
    const { page, close } = await open(browser, `${api.url}#/sweeps/rungs/search`);
    await page.getByLabel('Rung of the panels below').selectOption('0');
    await eventually(() => page.url().includes('rung=0'));
    const sweep = world.sweeps.get('rungs')!;
    const measured = sweep.planned.filter(({ number }) => {
      const trial = world.trialOf(sweep, number);
      return trial.rung === 0 && trial.status === 'completed';
    });
    await page.getByText(`over ${measured.length} trials`).first().waitFor(); // the panels read the trials of the rung first
    await close();
  });

  it('rank rungs apart on the leaderboard, or together if the user asks', async () => {
    const { page, close } = await open(browser, `${api.url}#/leaderboard?sweep=rungs`);
    const cells = page.locator('.board tbody tr:not(.spacer) td:nth-child(2)');
    await eventually(async () => (await cells.count()) > 3);
    const apart = (await cells.allTextContents()).map(Number);
    expect(apart).toEqual([...apart].sort((a, b) => b - a));
    await page.getByRole('button', { name: 'All together' }).click();
    await page.getByText('All rungs rank together').waitFor();
    await eventually(async () => {
      const together = (await cells.allTextContents()).map(Number);
      return together.some((rung, i) => i > 0 && rung > together[i - 1]!);
    });
    await close();
  });

  it('say on the page of a trial why it was proposed', async () => {
    const { page, close } = await open(browser, `${api.url}#/trials/rungs.20`);
    await page.getByText('proposed by TPE from the outcomes before').waitFor();
    await page.getByText(/at rung 0; the best third/).waitFor();
    await page.getByRole('link', { name: 'Search', exact: true }).click();
    await page.getByRole('heading', { name: 'Best so far' }).waitFor();
    await close();
  });
});
