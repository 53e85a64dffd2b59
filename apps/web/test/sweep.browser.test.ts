import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeInBrowser, dist, eventually, launch, open } from './browser.ts';
import { smallSweep } from './fake-api/populate.ts';
import { type FakeApi, startFakeApi } from './fake-api/server.ts';
import { createWorld } from './fake-api/world.ts';

describeInBrowser('a sweep', () => {
  let browser: Browser;
  let api: FakeApi;
  /** The completed trials. They depend on identities, which a new hyperparameter or attack changes. */
  let completed: number[];

  beforeAll(async () => {
    const world = createWorld();
    const { statuses } = world.addSweep(smallSweep, { id: 'done', done: 1 });
    completed = statuses.flatMap((status, number) => (status === 'completed' ? [number] : []));
    browser = await launch();
    api = await startFakeApi(world, { dist });
  });
  afterAll(async () => {
    await browser?.close();
    await api?.close();
  });

  const results = async () => {
    const opened = await open(browser, `${api.url}#/sweeps/done`);
    await opened.page.getByText(`${completed.length} of 84 measured`).waitFor();
    return opened;
  };
  const shown = async (page: Page): Promise<string> =>
    (await page
      .getByText(/^\d+ of 84$/)
      .first()
      .textContent()) ?? '';

  it('names the best trials, and says which configuration ranks below because of another seed', async () => {
    const { page, close } = await results();
    const chosen = page.getByRole('region', { name: 'Chosen trials' });
    // The sweep has ended: no "so far".
    await chosen.getByText('Best trials:', { exact: true }).waitFor();
    const notes = await chosen.locator('.chip').filter({ hasText: 'its configuration' }).allTextContents();
    expect(notes.length).toBeGreaterThan(0);
    for (const note of notes)
      expect(note).toMatch(/^Trial \d+.*its configuration ranks below: another seed is masked×$/);
    const progress = await page.locator('.sweep-progress dd').textContent();
    expect(progress).toMatch(/^97\.6%\s+82 completed/);
    await close();
  });

  it('filters by a brush that the pointer draws', async () => {
    const { page, close } = await results();
    const axis = page.locator('.axis-grab').nth(1); // γ
    const box = (await axis.boundingBox())!;
    const x = box.x + box.width / 2;
    await page.mouse.move(x, box.y + box.height * 0.05);
    await page.mouse.down();
    await page.mouse.move(x, box.y + box.height * 0.3, { steps: 6 });
    await page.mouse.move(x, box.y + box.height * 0.45, { steps: 6 });
    await page.mouse.up();
    await page.getByText(/within the brushes/).waitFor();
    await eventually(async () => Number((await shown(page)).split(' ')[0]) < 84);
    await page.getByRole('button', { name: 'Clear brushes' }).click();
    await eventually(async () => (await shown(page)) === '84 of 84');
    await close();
  });

  it('filters by a brush that the keyboard moves, and names the position of its handle', async () => {
    const { page, close } = await results();
    const handle = page.getByRole('slider', { name: 'γ, lowest' });
    await handle.focus();
    for (let i = 0; i < 5; i++) await page.keyboard.press('Shift+ArrowUp');
    await page.getByText(/within the brushes/).waitFor();
    expect(await handle.getAttribute('aria-valuenow')).toBe('50');
    expect(await handle.getAttribute('aria-valuetext')).toBe('5'); // the middle between 0.5 and 50 on a logarithmic scale
    await eventually(async () => (await shown(page)) === '48 of 84');
    await page.keyboard.press('Delete');
    await eventually(async () => (await shown(page)) === '84 of 84');
    await close();
  });

  it('sorts and filters the table', async () => {
    const { page, close } = await results();
    const gamma = page.getByRole('columnheader', { name: 'γ' });
    await gamma.getByRole('button').click();
    expect(await gamma.getAttribute('aria-sort')).toBe('descending');
    const cells = page.locator('.trials-scroll tbody tr:not(.spacer)');
    await eventually(async () => (await cells.first().textContent())?.includes('funn50') ?? false);
    await page.getByLabel('Filter trials').fill('recipe:classic seed:1');
    await eventually(async () => (await shown(page)) === '2 of 84');
    await page.getByLabel('Filter trials').fill('gama>1');
    await page.getByText(/There is no column gama/).waitFor();
    await close();
  });

  it('begins with the best trial of each metric, whichever came before', async () => {
    const world = createWorld();
    world.addSweep(
      { ...smallSweep, recipes: ['funn'], attacks: [{ attack: 'pgd-linf', epsilon: 0.1 }] },
      { id: 'fixed', done: 1 },
    );
    const own = await startFakeApi(world, { dist });
    const { page, close } = await open(browser, `${own.url}#/sweeps/fixed`);
    const metric = page.getByRole('combobox', { name: 'Metric' });
    for (const [title, direction] of [
      ['Median L2', 'descending'],
      ['Attack success', 'ascending'],
      ['Robust accuracy', 'descending'],
    ] as const) {
      await metric.selectOption(title);
      const header = page.getByRole('columnheader', { name: title, exact: true });
      await eventually(async () => (await header.getAttribute('aria-sort')) === direction);
    }
    await page
      .getByText(/The attack ran only at L∞ 0\.1\. The line joins this point with the clean accuracy at 0/)
      .waitFor();
    await page
      .getByText(/The remaining \d+% are grey bars, interactions, seeds, noise and the correction/)
      .waitFor();
    await close();
    await own.close();
  });

  it('keeps chosen trials in the address and compares them', async () => {
    const { page, close } = await results();
    const number = completed[0]!;
    await page.getByLabel('Filter trials').fill(`number:${number}`);
    await page.getByRole('checkbox', { name: `Choose trial ${number}`, exact: true }).check();
    await page.getByRole('link', { name: `Trial ${number}`, exact: true }).waitFor();
    expect(page.url()).toMatch(new RegExp(`trials=\\d+(\\.\\d+)*\\.${number}$`));
    await page.reload();
    await page.getByRole('link', { name: `Trial ${number}`, exact: true }).waitFor();
    await page.getByRole('link', { name: 'Compare side by side' }).click();
    await page.getByRole('heading', { name: /Compare \d trials/ }).waitFor();
    await page.getByRole('heading', { name: 'Differences' }).waitFor();
    await close();
  });

  it('moves through the stage tree with arrow keys and shows the selected stage', async () => {
    const { page, close } = await open(browser, `${api.url}#/sweeps/done/stages`);
    const tree = page.getByRole('application', { name: /Tree of/ });
    await tree.focus();
    await page.keyboard.press('ArrowDown');
    await page.getByRole('heading', { name: /Stage [0-9a-f]{8}: initialise/ }).waitFor();
    await page.keyboard.press('ArrowRight');
    await page.getByRole('heading', { name: /Stage [0-9a-f]{8}: (optimise|classify)/ }).waitFor();
    await page.getByRole('region', { name: 'Log' }).getByText('began on worker-a (wasm)').waitFor();
    await close();
  });

  it('pauses at once, and asks for confirmation before it cancels', async () => {
    const world = createWorld();
    world.addSweep(smallSweep, { id: 'live', done: 0.3 });
    const own = await startFakeApi(world, { dist });
    const { page, close } = await open(browser, `${own.url}#/sweeps/live`);
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByRole('button', { name: 'Resume' }).waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByText(/Finished results stay/).waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Delete' }).waitFor();
    expect(world.sweeps.get('live')!.status).toBe('cancelled');
    await close();
    await own.close();
  });

  it('opens a trial from the table and reconstructs attacked images in the browser', async () => {
    const { page, faults, close } = await results();
    const number = completed.at(9)!;
    await page.getByLabel('Filter trials').fill(`number:${number}`);
    await page
      .getByRole('rowgroup')
      .getByRole('link', { name: String(number), exact: true })
      .click();
    await page.getByRole('heading', { name: `Trial ${number}` }).waitFor();
    await page.getByRole('heading', { name: 'Attacked images' }).scrollIntoViewIfNeeded();
    await page.getByRole('img', { name: 'Reconstructed from the attacked image' }).first().waitFor();
    expect(faults).toEqual([]);
    await close();
  });
});
