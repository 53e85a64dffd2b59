/** What a reader must see without scrolling or a tooltip, on a phone and at 1280 pixels. */
import type { SweepInput } from '@funnel/contracts';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeInBrowser, dist, launch, open } from './browser.ts';
import { smallSweep } from './fake-api/populate.ts';
import { type FakeApi, startFakeApi } from './fake-api/server.ts';
import { createWorld } from './fake-api/world.ts';

const phone = { viewport: { width: 390, height: 844 } };

/** Two runs of a recipe with a long name differ only in a value at the end of a long name. */
const longNames: SweepInput = {
  name: 'Long names',
  dataset: { name: 'mnist', train: 10_000, test: 2000, attack: 200 },
  recipes: ['adversarial-training', 'classic'],
  space: { classifierEpochs: [8, 40] },
  seeds: 2,
  attacks: [{ attack: 'pgd-linf', epsilon: 0.1 }],
};

describeInBrowser('without scrolling', () => {
  let browser: Browser;
  let api: FakeApi;

  beforeAll(async () => {
    const world = createWorld();
    world.addSweep(smallSweep, { id: 'done', done: 1 });
    world.addSweep(longNames, { id: 'long', done: 1 });
    browser = await launch();
    api = await startFakeApi(world, { dist });
  });
  afterAll(async () => {
    await browser?.close();
    await api?.close();
  });

  /** The texts of elements that stand wholly within the width of the page, and that are not cut. */
  const shown = (elements: Locator): Promise<string[]> =>
    elements.evaluateAll((all) =>
      all.flatMap((element) => {
        const range = document.createRange();
        range.selectNodeContents(element);
        const { left, right } = range.getBoundingClientRect();
        const isCut =
          element.scrollWidth > element.clientWidth + 1 || element.scrollHeight > element.clientHeight + 1;
        const isInside = left >= 0 && right <= document.documentElement.clientWidth;
        return isInside && !(isCut && element.clientWidth > 0) ? [element.textContent ?? ''] : [];
      }),
    );
  const rowsOf = (page: Page | Locator) => page.locator('tbody tr:not(.spacer)');

  describe('on a phone', () => {
    it('a table of trials shows the result beside the number of the trial', async () => {
      const { page, close } = await open(browser, `${api.url}#/sweeps/done`, phone);
      const table = page.getByRole('region', { name: 'Trials' });
      await table.getByRole('columnheader', { name: /Robust accuracy/ }).waitFor();
      const titles = await shown(table.locator('thead th button'));
      expect(titles.slice(0, 4)).toEqual(['Trial', 'Robust accuracy↓', 'Clean accuracy', 'Checks']);
      const [first] = await rowsOf(table).all();
      const cells = await shown(first!.locator('td'));
      expect(cells.slice(1, 4)).toEqual([
        expect.stringMatching(/^\d+$/),
        expect.stringMatching(/^ ?\d+\.\d% \d+\.\d–\d+\.\d%$/),
        expect.stringMatching(/^\d+\.\d% \d+\.\d–\d+\.\d%$/),
      ]);
      // No verdict is cut: a flag has its short name.
      const verdicts = table.locator('tbody .verdict');
      const texts = await shown(verdicts);
      expect(texts).toHaveLength(await verdicts.count());
      expect(new Set(texts)).toEqual(new Set(['no flags', '?suspect']));
      await page.getByLabel('Filter trials').fill('verdict:masked');
      await expect.poll(async () => new Set(await shown(verdicts))).toEqual(new Set(['◪masked']));
      await close();
    });

    it('parallel coordinates say that they scroll, and their titles do not overlap', async () => {
      const { page, close } = await open(browser, `${api.url}#/sweeps/done`, phone);
      const hint = page.getByText('scroll it sideways to see all 6 axes');
      await hint.waitFor();
      const edges = await page.locator('.axis-title').evaluateAll((titles) =>
        titles.map((title) => {
          const { left, right } = title.getBoundingClientRect();
          return [left, right] as const;
        }),
      );
      expect(edges).toHaveLength(6);
      for (const [i, [left]] of edges.entries()) if (i > 0) expect(left).toBeGreaterThan(edges[i - 1]![1]);
      const width = await page.locator('.parallel-scroll svg').evaluate((svg) => svg.getBoundingClientRect());
      expect(edges.at(-1)![1]).toBeLessThanOrEqual(width.right);
      await page.setViewportSize({ width: 1280, height: 900 });
      await hint.waitFor({ state: 'detached' });
      await close();
    });

    it('the leaderboard shows the value, the interval, the verdict and the counts', async () => {
      const { page, close } = await open(browser, `${api.url}#/leaderboard?sweep=long`, phone);
      await rowsOf(page).first().waitFor();
      const counts = await shown(page.locator('.board-value > .board-settings'));
      expect(counts).toHaveLength(4);
      for (const text of counts) expect(text).toMatch(/^fooled \d+ of \d+.*; robust \d+ of \d+/);
      expect(await shown(page.locator('.board-interval'))).toHaveLength(4);
      expect(await shown(page.locator('.board-verdict'))).toEqual([
        ...['no flags', '?suspect', 'no flags', 'no flags'].map((verdict) =>
          verdict === 'no flags' ? `${verdict}gradients miss 7 of 200 images` : verdict,
        ),
      ]);
      const first = await rowsOf(page).first().boundingBox();
      expect(first!.y + first!.height).toBeLessThan(phone.viewport.height);
      await close();
    });

    it('a button shows the other filters of the leaderboard', async () => {
      const { page, close } = await open(browser, `${api.url}#/leaderboard?sweep=long`, phone);
      const recipe = page.getByLabel('Recipe');
      await recipe.waitFor({ state: 'attached' });
      expect(await recipe.isVisible()).toBe(false);
      await page.getByRole('button', { name: 'More filters' }).click();
      await recipe.selectOption('classic');
      await expect.poll(() => rowsOf(page).count()).toBe(2);
      await page.getByRole('button', { name: 'Fewer filters' }).click();
      await recipe.waitFor({ state: 'hidden' });
      await page.setViewportSize({ width: 1280, height: 900 });
      await recipe.waitFor();
      expect(await page.getByRole('button', { name: 'More filters' }).isVisible()).toBe(false);
      await close();
    });

    it('the attacks of a trial show their intervals', async () => {
      const { page, close } = await open(browser, `${api.url}#/trials/long.0`, phone);
      const interval = page.locator('.attack-interval').first();
      await interval.waitFor();
      expect(await shown(interval)).toEqual([expect.stringMatching(/^\d+\.\d–\d+\.\d%$/)]);
      await close();
    });
  });

  it('the leaderboard shows the values in which its runs differ, and the clean intervals', async () => {
    const { page, close } = await open(browser, `${api.url}#/leaderboard?sweep=long`);
    await rowsOf(page).first().waitFor();
    const names = await shown(page.locator('.board-run > a'));
    expect(names.sort()).toEqual([
      'adversarial-training: Classifier epochs 40',
      'adversarial-training: Classifier epochs 8',
      'classic: Classifier epochs 40',
      'classic: Classifier epochs 8',
    ]);
    const clean = await shown(page.locator('td.number .board-settings'));
    expect(clean).toHaveLength(4);
    for (const text of clean) expect(text).toMatch(/^9\d\.\d–\d+\.\d%$/);
    await close();
  });

  it('the list of sweeps shows the attack, its ε and the interval of the mean over the seeds', async () => {
    const { page, close } = await open(browser, `${api.url}#/sweeps`);
    const row = page.getByRole('row', { name: /Long names/ });
    await row.waitFor();
    expect(await shown(row.locator('.sweeps-what'))).toEqual(['robust accuracy · PGD L∞ ε 0.1']);
    const [best] = await row.locator('.sweeps-best > span').all();
    const [value, low, high] = /^([\d.]+)% ([\d.]+)–([\d.]+)%/
      .exec((await best!.textContent()) ?? '')!
      .slice(1)
      .map(Number) as [number, number, number];
    expect(low).toBeLessThan(value);
    expect(high).toBeGreaterThan(value);
    expect(await best!.getAttribute('title')).toMatch(/mean of 2 seeds, 200 images each; 95 % interval/);
    const [top] = (
      (await (
        await fetch(`${api.url}v1/leaderboard?sweep=long&attack=pgd-linf&group=configuration`)
      ).json()) as {
        readonly items: readonly { readonly value: number }[];
      }
    ).items;
    expect(value).toBeCloseTo(100 * top!.value, 1);
    await close();
  });

  it('the leaderboard shows the first reason of a verdict without a cut', async () => {
    const { page, close } = await open(browser, `${api.url}#/leaderboard?sweep=done`);
    await rowsOf(page).first().waitFor();
    await page.mouse.wheel(0, 20_000);
    const reason = page
      .locator('.board td:last-child .board-settings', { hasText: 'gradient of exactly' })
      .first();
    await reason.waitFor();
    expect(await shown(reason)).toEqual(['62 of 200 images have a gradient of exactly zero (H10).']);
    await close();
  });

  it('the leaderboard marks runs of which gradients miss images beside a verdict without flags, and explains the mark', async () => {
    const mark = 'gradients miss 7 of 200 images';
    for (const options of [undefined, phone]) {
      const { page, close } = await open(browser, `${api.url}#/leaderboard?sweep=long`, options);
      await rowsOf(page).first().waitFor();
      const cell = page.locator(options ? '.board-verdict' : '.board td:last-child', { hasText: 'no flags' });
      const missed = cell.locator('.board-settings', { hasText: mark });
      expect(await shown(missed)).toEqual([mark, mark, mark]);
      if (!options)
        expect(await page.locator('.board td:last-child').first().getAttribute('title')).toContain(
          'square-linf fools 7 of 200 images at L∞ 0.3 that no gradient attack of this run fools, ',
        );
      await page
        .getByText('“Gradients miss” images that square-linf fools and no gradient attack of the run fools')
        .waitFor();
      await close();
    }
  });

  it('the list of sweeps shows after which time a sweep has ended, also the longest one', async () => {
    const { page, close } = await open(browser, `${api.url}#/sweeps`, {
      viewport: { width: 1280, height: 800 },
    });
    const times = page.locator('.sweeps-time');
    await times.first().waitFor();
    const texts = await shown(times);
    expect(texts).toHaveLength(2);
    for (const text of texts) expect(text).toMatch(/^after (\d+ min )?\d+ s$|^after \d+ min$/);
    await times.first().evaluate((cell) => {
      cell.textContent = 'after 50 min 58 s';
    });
    expect(await shown(times.first())).toEqual(['after 50 min 58 s']);
    await close();
  });

  it('the list and the page of a sweep say how many configurations rank below the best one', async () => {
    const { page, close } = await open(browser, `${api.url}#/sweeps`, phone);
    const row = page.getByRole('row', { name: /γ against β/ });
    await row.waitFor();
    expect(await shown(row.locator('.sweeps-below'))).toEqual(['3 of 20 rank below: masked 3']);
    await page.goto(`${api.url}#/sweeps/done`);
    const line = page.locator('.sweep-below');
    await line.waitFor();
    expect(await shown(line)).toEqual(['3 of 20 configurations rank below: masked 3']);
    await close();
  });
});
