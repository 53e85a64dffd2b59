/** From the form to a trained model, with the real API, database, worker and trainer. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeInBrowser, launch, open, seriousFindings } from './browser.ts';
import { type Running, startFunnel } from './processes.ts';

const minutes = 60_000;

/** A small sweep with two recipes, shared initialisation and attacks of both families. */
const sweepFile = `
name: End to end
recipes: [funn, classic]
dataset: { name: glyphs, train: 600, test: 200, attack: 40 }
space:
  filters: 8-16
  latent: 16
  batchSize: 32
  initialiseEpochs: 2
  initialiseDefenderRate: 0.002
  optimiseEpochs: [1, 2]
  gamma: [1, 5]
  classifierEpochs: 6
  classifierRate: 0.005
attacks:
  - { attack: pgd-linf, epsilon: 0.2, steps: 5 }
  - { attack: fmn-linf, steps: 15 }
`;

describeInBrowser('a whole sweep', () => {
  let browser: Browser;
  let funnel: Running;

  beforeAll(async () => {
    [browser, funnel] = await Promise.all([launch(), startFunnel()]);
  }, 2 * minutes);
  afterAll(async () => {
    await browser?.close();
    await funnel?.close();
  });

  it('is submitted from the form, watched, filtered with brushes, opened and tried', {
    timeout: 8 * minutes,
  }, async () => {
    const { page, faults, close } = await open(browser, `${funnel.url}#/new`);
    page.setDefaultTimeout(5 * minutes);

    await page.getByRole('button', { name: 'YAML' }).click();
    await page.getByRole('textbox', { name: 'Sweep file' }).fill(sweepFile);
    await page.getByRole('button', { name: 'Form' }).click();
    expect(await page.getByLabel('γ: values').inputValue()).toBe('1, 5');
    // Four FUNN trials share one initialisation, and the longer optimisations continue the shorter ones.
    await page.getByRole('button', { name: 'Submit 6 trials' }).waitFor();
    await page.getByText(/Without sharing, training/).waitFor();
    await page.getByRole('button', { name: 'Submit 6 trials' }).click();

    await page.getByRole('heading', { name: 'End to end' }).waitFor();
    await page.getByText('Live', { exact: true }).waitFor();
    // There is no reload from here on: the page follows events.
    await page.getByText('6 completed').waitFor();
    // A sweep without a completed trial opens on its training curves.
    await page.getByRole('link', { name: 'Results' }).click();
    await page.getByText('6 of 6 measured').waitFor();
    expect(await seriousFindings(page)).toEqual([]);

    const handle = page.getByRole('slider', { name: 'γ, lowest' });
    await handle.focus();
    for (let i = 0; i < 5; i++) await page.keyboard.press('Shift+ArrowUp');
    await page.getByText('2 of 6').waitFor();
    await page.getByRole('button', { name: 'Clear brushes' }).click();
    await page.getByText('6 of 6', { exact: true }).waitFor();

    await page.getByRole('link', { name: 'Stages' }).click();
    await page.getByText('Double-click a stage').waitFor();
    await page.getByRole('link', { name: 'Results' }).click();
    await page.getByRole('rowgroup').getByRole('link', { name: '3', exact: true }).click();
    await page.getByRole('heading', { name: 'Trial 3' }).waitFor();
    await page.getByRole('heading', { name: 'Attacked images' }).scrollIntoViewIfNeeded();
    await page.getByRole('img', { name: 'Reconstructed from the attacked image' }).first().waitFor();
    expect(await seriousFindings(page)).toEqual([]);

    await page.getByRole('link', { name: 'Try it' }).last().click();
    await page.getByText('Choose an image').waitFor();
    await page.getByLabel('ε', { exact: true }).fill('0');
    await page
      .getByRole('button', { name: /Test image/ })
      .first()
      .click();
    await page.getByText(/The decision holds|The attack does not change that/).waitFor();
    await page.getByLabel('ε', { exact: true }).fill('0.5');
    await page.getByText(/The decision changes|The attack changes that/).waitFor();

    await page.getByRole('link', { name: 'Leaderboard' }).click();
    await page.getByText('its sweep').first().waitFor();
    await page.getByRole('link', { name: 'Workers' }).click();
    await page.getByText('online').waitFor();
    expect(faults).toEqual([]);
    await close();
  });
});
