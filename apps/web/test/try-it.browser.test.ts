import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeInBrowser, dist, launch, open } from './browser.ts';
import { smallSweep } from './fake-api/populate.ts';
import { type FakeApi, startFakeApi } from './fake-api/server.ts';
import { createWorld } from './fake-api/world.ts';

/** Draws a 7. */
const drawSeven = async (page: Page): Promise<void> => {
  const pad = (await page.locator('.draw-pad').boundingBox())!;
  const at = (x: number, y: number) => [pad.x + pad.width * x, pad.y + pad.height * y] as const;
  await page.mouse.move(...at(0.3, 0.2));
  await page.mouse.down();
  await page.mouse.move(...at(0.7, 0.2), { steps: 10 });
  await page.mouse.move(...at(0.7, 0.8), { steps: 10 });
  await page.mouse.up();
};

describeInBrowser('trying a model', () => {
  let browser: Browser;
  let api: FakeApi;

  beforeAll(async () => {
    const world = createWorld();
    world.addSweep(smallSweep, { id: 'done', done: 1 });
    browser = await launch();
    api = await startFakeApi(world, { dist });
  });
  afterAll(async () => {
    await browser?.close();
    await api?.close();
  });

  it('classifies a drawing, and changes the decision once ε is large enough', async () => {
    const { page, faults, close } = await open(browser, `${api.url}#/try/done.9`);
    await page.getByText('Draw something').waitFor();
    await page.getByLabel('ε', { exact: true }).fill('0');
    await drawSeven(page);
    // The page classifies the drawing after every stroke: only the last answer counts.
    await page.evaluate(
      () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))),
    );
    await page.locator('.try-outcome[aria-busy="false"]').getByText('The decision holds').waitFor();
    const read = /holds: (\d)/.exec((await page.locator('.verdict-line').textContent()) ?? '')?.[1];
    expect(await page.getByRole('img', { name: 'Attacked, reconstructed' }).isVisible()).toBe(true);
    await page.getByLabel('ε', { exact: true }).fill('0.4');
    await page.getByText(new RegExp(`The decision changes: ${read} becomes \\d`)).waitFor();
    await page.getByText(/L∞ 0.4,/).waitFor();
    await page.getByRole('button', { name: 'FGSM, one step' }).click();
    await page.getByText(/The decision/).waitFor();
    await page.getByRole('button', { name: 'Clear' }).click();
    await page.getByText('Draw something').waitFor();
    expect(faults).toEqual([]);
    await close();
  });

  it('accepts a test image, for users without a pointer', async () => {
    const { page, close } = await open(browser, `${api.url}#/try/done.9`);
    await page.getByText('Draw something').waitFor();
    await page
      .getByRole('button', { name: /Test image \d+: 3/ })
      .first()
      .press('Enter');
    await page.getByText(/The decision/).waitFor();
    await close();
  });

  it('starts with the best model and lets the user choose another', async () => {
    const { page, close } = await open(browser, `${api.url}#/try`);
    await page.getByText('Draw something').waitFor();
    const model = page.getByLabel('Model');
    const options = await model.locator('option').allTextContents();
    expect(options[0]).toMatch(/^1\. /);
    await model.selectOption({ index: 1 });
    await page.waitForURL(/#\/try\/done\.\d+/);
    await close();
  });
});
