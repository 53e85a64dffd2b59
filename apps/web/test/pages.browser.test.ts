import { type TrialDetail, wilsonInterval } from '@funnel/contracts';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeInBrowser, dist, eventually, launch, open, seriousFindings } from './browser.ts';
import {
  addEveryStatus,
  colourSweep,
  defenceSweep,
  frontSweep,
  rungSweep,
  searchSweep,
  signsSweep,
  smallSweep,
} from './fake-api/populate.ts';
import { type FakeApi, startFakeApi } from './fake-api/server.ts';
import { createWorld } from './fake-api/world.ts';

/** Every page, with a text that is present once it has loaded. */
const pages = [
  ['#/sweeps', 'γ against β, finished'],
  ['#/sweeps?tag=baseline,paper%2Fv2', 'γ against β, finished'],
  ['#/sweeps?status=running', 'networks that need at most 4 GiB'],
  ['#/sweeps/waiting-for-data', 'A stage waits for a worker with mnist'],
  ['#/sweeps/pausing', 'Running stages stop at their next checkpoint'],
  ['#/sweeps/paused', 'No stage starts until the sweep is resumed'],
  ['#/sweeps/cancelling', 'The cancellation goes on: 12,000 of 60,001 stages'],
  ['#/sweeps/cancelled', 'Submit it again'],
  ['#/sweeps/deleting', 'The deletion goes on: 40 of 81 stages'],
  ['#/sweeps/failed', 'A retry gives the 9 trials that failed new attempts'],
  ['#/sweeps/collapsed', 'Change the search space'],
  ['#/sweeps/begun', 'The curves appear after the first epoch'],
  ['#/sweeps/begun/results', 'No trial has a value of robust accuracy yet'],
  ['#/sweeps/done', 'Which hyperparameters matter'],
  ['#/sweeps/tpe/search', 'stronger colours are better'],
  ['#/sweeps/rungs/search', 'A line leads from rung to rung'],
  ['#/sweeps/rungs', 'Which hyperparameters matter'],
  ['#/sweeps/front/search', 'that no other beats in all objectives'],
  ['#/sweeps/done/search', 'This sweep has no search that decides'],
  ['#/trials/rungs.20', 'Why this trial'],
  ['#/leaderboard?sweep=rungs', 'ranks count within a rung'],
  ['#/new?sweep=rungs', 'Submit 46 configurations'],
  ['#/sweeps/done/training', 'Defender loss'],
  ['#/sweeps/done/stages', 'Double-click a stage'],
  ['#/sweeps/done/definition', 'optimiseEpochs'],
  ['#/trials/done.9', 'Can you trust these numbers?'],
  ['#/trials/colour.0', 'Accuracy per class'],
  ['#/trials/done.3', 'Their trainers used 1.6 cores, at most 512 MiB of memory'],
  ['#/trials/signs.0', 'Accuracy per class'],
  ['#/sweeps/defences/stages', 'makes its images on this classifier'],
  ['#/trials/defences.4', 'Rejected images'],
  ['#/leaderboard?sweep=defences&attack=deepfool-l2', 'Ranked by median L2 under DeepFool L2'],
  ['#/leaderboard?sweep=done', 'in the worst case over the attacks of each run, within L∞ 0.3 or L2 2'],
  ['#/trials/done.8', 'Robust accuracy within L∞ 0.3 or L2 2'],
  ['#/compare?trials=defences.0,defences.4,defences.6', 'Rejected clean'],
  ['#/trials/live.60', 'No attack has been measured yet'],
  ['#/leaderboard', 'its sweep'],
  ['#/leaderboard?tag=baseline,paper%2Fv2', 'of the sweeps with the tags baseline, paper/v2'],
  ['#/compare?trials=done.3,done.8,done.82', 'The same images, attacked'],
  ['#/new', 'Submit 1 trial'],
  ['#/try/done.9', 'Choose an image'],
  ['#/try/colour.0', 'Open a picture of yours'],
  ['#/try/signs.0', 'Open a picture of yours'],
  ['#/data', '40 MiB of 150 MiB received'],
  ['#/data/street-signs', 'Show all 43 classes'],
  ['#/data/pets', 'a bird with a rather long name'],
  ['#/data/fashion-mnist', 'A sweep on them waits'],
  ['#/workers', 'NVIDIA H100'],
  ['#/nowhere', 'This page does not exist'],
] as const;

describeInBrowser('every page', () => {
  let browser: Browser;
  let api: FakeApi;

  beforeAll(async () => {
    const world = createWorld();
    world.addSweep(smallSweep, { id: 'live', done: 0.5 });
    world.addSweep({ ...smallSweep, name: 'Just begun' }, { id: 'begun' });
    world.addSweep(
      { ...smallSweep, name: 'γ against β, finished' },
      {
        ...{ id: 'done', done: 1, createdAt: '2026-11-01T10:00:00Z' },
        tags: ['baseline', 'a-tag-of-forty-letters-abcdefghijklmnopq', 'paper/v2'],
        notes: `γ = 5 is best.\n\n${'A long line of notes. '.repeat(60)}`,
      },
    );
    world.addSweep(defenceSweep, { id: 'defences', done: 1, createdAt: '2026-11-01T09:00:00Z' });
    world.addSweep(colourSweep, { id: 'colour', done: 1, createdAt: '2026-11-01T08:30:00Z' });
    world.addSweep(signsSweep, { id: 'signs', done: 1, createdAt: '2026-11-01T08:20:00Z' });
    world.addSweep(searchSweep, { id: 'tpe', done: 0.6 });
    world.addSweep(rungSweep, { id: 'rungs', done: 0.8 });
    world.addSweep(frontSweep, { id: 'front', done: 1 });
    addEveryStatus(world, (i) => `2026-11-01T08:0${i}:00Z`);
    browser = await launch();
    api = await startFakeApi(world, { dist });
  });
  afterAll(async () => {
    await browser?.close();
    await api?.close();
  });

  it.each(pages)(
    '%s has no error and no serious finding, in light and dark, and fits a phone',
    async (address, text) => {
      const { page, faults, close } = await open(browser, api.url + address, { colorScheme: 'light' });
      await page.getByText(text).first().waitFor();
      expect(await seriousFindings(page)).toEqual([]);
      await page.emulateMedia({ colorScheme: 'dark' });
      // The theme can change only the contrast.
      expect(await seriousFindings(page, ['color-contrast'])).toEqual([]);
      await page.setViewportSize({ width: 360, height: 740 });
      await eventually(() => page.evaluate(() => document.documentElement.scrollWidth <= 360));
      const [bar, nav] = await Promise.all([
        page.locator('.shell-bar').boundingBox(),
        page.locator('.shell-nav').boundingBox(),
      ]);
      expect(nav!.y).toBeGreaterThan(bar!.y + bar!.height);
      expect(faults).toEqual([]);
      await close();
    },
  );

  it('shows images of a data set page by page, and all of its classes', async () => {
    const { page, faults, close } = await open(browser, `${api.url}#/data`);
    await page.getByRole('link', { name: 'street-signs' }).click();
    await page.getByRole('img', { name: /^Image 0: sign/ }).waitFor();
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByRole('img', { name: /^Image 24: sign/ }).waitFor();
    await page.getByRole('button', { name: 'Test', exact: true }).click();
    await page.getByRole('img', { name: /^Image 0: sign/ }).waitFor();
    await page.getByRole('button', { name: 'Show all 43 classes' }).click();
    await page.getByRole('rowheader', { name: 'sign 42' }).waitFor();
    expect(faults).toEqual([]);
    await close();
  });

  it('shows reconstructions only for recipes with an auto-encoder', async () => {
    const { page, faults, close } = await open(browser, `${api.url}#/trials/defences.2`);
    await page.getByText('distillation on mnist').waitFor();
    const examples = page.getByRole('list', { name: 'Examples' });
    await examples.scrollIntoViewIfNeeded();
    await examples.getByRole('img', { name: 'Difference' }).first().waitFor();
    expect(await page.getByText('Reconstructed').count()).toBe(0);
    expect(await page.getByText('cannot be shown').count()).toBe(0);
    await page.goto(`${api.url}#/trials/defences.0`);
    await page.getByText('classic on mnist').waitFor();
    await examples.scrollIntoViewIfNeeded();
    await page.getByText('Reconstructed', { exact: true }).waitFor();
    expect(faults).toEqual([]);
    await close();
  });

  it('shows the accuracy of each class in the order of the data set, and draws only the visible ones', async () => {
    const { page, faults, close } = await open(browser, `${api.url}#/trials/signs.0`);
    const list = page.getByRole('region', { name: 'Classes' });
    await list.getByRole('row', { name: /^sign 0 / }).waitFor();
    const trial = (await (await fetch(`${api.url}v1/trials/signs.0`)).json()) as TrialDetail;
    const { images, correct } = trial.perClass!;
    const percent = (share: number) => (100 * share).toFixed(1);
    const textOf = (label: number) => {
      const [right, of] = [correct[label]!, images[label]!];
      const ends = wilsonInterval(right, of).map(percent).join('–');
      return `sign ${label}${percent(right / of)}%${ends}%${right} of ${of}`;
    };
    const rows = list.locator('tbody tr:not(.spacer)');
    const drawn = await rows.allTextContents();
    expect(drawn).toEqual(drawn.map((_, label) => textOf(label)));
    expect(drawn.length).toBeLessThan(images.length);
    await list.focus();
    await page.keyboard.press('End');
    await list.getByRole('row', { name: /^sign 42 / }).waitFor();
    expect(await rows.last().textContent()).toBe(textOf(42));
    const bar = list.locator('tbody tr:not(.spacer) .progress').last();
    const filled = await bar.evaluate(
      (track) => track.firstElementChild!.getBoundingClientRect().width / track.getBoundingClientRect().width,
    );
    expect(filled).toBeCloseTo(correct[42]! / images[42]!, 2);
    expect(faults).toEqual([]);
    await close();
  });

  it('names the page in the title', async () => {
    const { page, close } = await open(browser, `${api.url}#/leaderboard`);
    await page.getByText('its sweep').first().waitFor();
    expect(await page.title()).toBe('Leaderboard · Funnel');
    await page.keyboard.press('w');
    await page.getByRole('heading', { name: 'Workers' }).waitFor();
    expect(await page.title()).toBe('Workers · Funnel');
    await close();
  });

  it('keeps a chosen theme without a flash of the other one', async () => {
    const { page, close } = await open(browser, `${api.url}#/sweeps`, { colorScheme: 'light' });
    const theme = page.getByRole('button', { name: /^Theme/ });
    await theme.click();
    await theme.click();
    await page.reload({ waitUntil: 'commit' });
    await page.locator('body').waitFor({ state: 'attached' });
    expect(await page.evaluate(() => document.documentElement.dataset.theme)).toBe('dark');
    await close();
  });
});
