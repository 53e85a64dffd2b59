/**
 * Takes the screenshots in docs/img from a running Funnel: `node --import tsx apps/web/test/screenshots.ts <address> <sweep id>`, or for those
 * of coloured images `… <address> <sweep id> colour`. The sweep should have ended. The screenshots show real results.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createClient } from '@funnel/client';
import type { Page } from 'playwright-core';
import { launch, open } from './browser.ts';

const [, , url = 'http://127.0.0.1:7070', sweep = '', subject = 'grey'] = process.argv;
const folder = fileURLToPath(new URL('../../../docs/img', import.meta.url));
/** Screenshots in a README must load quickly. */
const maxBytes = 300_000;
const client = createClient({ url });
const { items } = await client.leaderboard({
  query: { sweep, group: 'trial', limit: 1000 },
});
const best = items[0]!.trialId;
/** A trial whose gallery has reconstructions. */
const funn = items.find(({ recipe }) => recipe === 'funn')?.trialId ?? best;
const classic = items.find(({ recipe }) => recipe === 'classic')?.trialId ?? items.at(-1)!.trialId;

type Shot = {
  readonly name: string;
  readonly address: string;
  /** A text that is present once the page has loaded. */
  readonly text: string;
  readonly dark?: boolean;
  readonly width?: number;
  readonly height?: number;
  readonly act?: (page: Page) => Promise<unknown>;
  /** The title of the only panel to show. */
  readonly panel?: string;
};

const draw = async (page: Page): Promise<void> => {
  const pad = (await page.locator('.draw-pad').boundingBox())!;
  const points = [
    [0.3, 0.25],
    [0.5, 0.17],
    [0.68, 0.3],
    [0.6, 0.45],
    [0.42, 0.62],
    [0.3, 0.8],
    [0.5, 0.8],
    [0.72, 0.8],
  ] as const;
  const at = ([x, y]: readonly [number, number]) => [pad.x + pad.width * x, pad.y + pad.height * y] as const;
  await page.mouse.move(...at(points[0]));
  await page.mouse.down();
  for (const point of points) await page.mouse.move(...at(point), { steps: 6 });
  await page.mouse.up();
  // The page has processed the last stroke after two frames.
  await page.evaluate(
    () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))),
  );
  await page
    .locator('.try-outcome[aria-busy="false"]')
    .getByText(/The decision/)
    .waitFor();
};

const toGallery = async (page: Page): Promise<void> => {
  const heading = page.getByRole('heading', { name: 'Attacked images' });
  await heading.scrollIntoViewIfNeeded();
  await page.getByRole('img', { name: 'Reconstructed from the attacked image' }).first().waitFor();
  await heading.evaluate((element) => {
    window.scrollBy(0, element.getBoundingClientRect().top - 90);
  });
};

/** With the changes of an attack at a fixed ε, which are large enough to be seen. */
const toColourGallery = async (page: Page): Promise<void> => {
  await page.getByLabel('Attack', { exact: true }).selectOption({ index: 1 });
  await toGallery(page);
};

/** The same picture in the light and the dark theme. */
const inBothThemes = (shot: Shot): readonly Shot[] => [
  shot,
  { ...shot, name: `${shot.name}-dark`, dark: true },
];

/** Shows the fields of the form that belong to images: architecture, distance, augmentation. */
const toImageFields = async (page: Page): Promise<void> => {
  const field = page.getByText('architecture', { exact: true });
  await field.scrollIntoViewIfNeeded();
  await field.evaluate((element) => {
    window.scrollBy(0, element.getBoundingClientRect().top - 90);
  });
};

const chooseTestImage = async (page: Page): Promise<void> => {
  await page
    .getByRole('button', { name: /Test image/ })
    .nth(1)
    .click();
  await page.getByText(/The decision/).waitFor();
};

const colourShots: readonly Shot[] = [
  ...inBothThemes({
    ...{ name: 'gallery-colour', address: `#/trials/${funn}`, text: 'Attacked images', width: 1100 },
    ...{ act: toColourGallery, panel: 'Attacked images' },
  }),
  ...inBothThemes({
    ...{ name: 'classes', address: `#/trials/${best}`, text: 'Accuracy per class', width: 1100 },
    panel: 'Accuracy per class',
  }),
  ...inBothThemes({
    ...{ name: 'sweep-colour', address: `#/sweeps/${sweep}`, text: 'Which hyperparameters matter' },
    ...{ width: 1280, height: 1120 },
  }),
  { name: 'try-it-colour', address: `#/try/${best}`, text: 'Choose an image', act: chooseTestImage },
  {
    ...{ name: 'image-fields', address: `#/new?sweep=${sweep}`, text: 'Already trained' },
    ...{ width: 1280, height: 1120, act: toImageFields },
  },
];

const greyShots: readonly Shot[] = [
  {
    name: 'sweep',
    address: `#/sweeps/${sweep}`,
    text: 'Which hyperparameters matter',
    width: 1280,
    height: 1300,
  },
  {
    name: 'sweep-dark',
    address: `#/sweeps/${sweep}`,
    text: 'Which hyperparameters matter',
    width: 1280,
    height: 1300,
    dark: true,
  },
  {
    name: 'training-dark',
    address: `#/sweeps/${sweep}/training`,
    text: 'Hinge active',
    height: 760,
    dark: true,
  },
  { name: 'stages', address: `#/sweeps/${sweep}/stages`, text: 'Double-click a stage', height: 1000 },
  { name: 'trial', address: `#/trials/${best}`, text: 'Attacked images', height: 760, act: toGallery },
  { name: 'compare', address: `#/compare?trials=${best},${classic}`, text: 'Differences', height: 1000 },
  { name: 'leaderboard', address: `#/leaderboard?sweep=${sweep}`, text: 'its sweep', height: 800 },
  { name: 'new-sweep', address: `#/new?sweep=${sweep}`, text: 'Already trained', height: 1000 },
  { name: 'try-it', address: `#/try/${best}`, text: 'Choose an image', height: 900, act: draw },
  { name: 'sweeps', address: '#/sweeps', text: 'Best so far', height: 640 },
  {
    name: 'phone',
    address: `#/sweeps/${sweep}`,
    text: 'Which hyperparameters matter',
    width: 390,
    height: 844,
  },
];

await mkdir(folder, { recursive: true });
const browser = await launch();
const shots = subject === 'colour' ? colourShots : greyShots;
for (const { name, address, text, dark, width = 1360, height = 900, act, panel } of shots) {
  const { page, close } = await open(browser, `${url}/${address}`, {
    colorScheme: dark ? 'dark' : 'light',
    viewport: { width, height },
  });
  page.setDefaultTimeout(120_000);
  await page.getByText(text).first().waitFor();
  await page.waitForFunction(() => document.querySelector('.skeleton') === null);
  await act?.(page);
  await page.waitForFunction(() => document.querySelector('[aria-busy="true"]') === null);
  // Canvases are drawn one frame after their data has arrived.
  await page.evaluate(() => new Promise((resolve) => requestIdleCallback(resolve, { timeout: 3000 })));
  const shown = panel === undefined ? page : page.getByRole('region', { name: panel });
  const { byteLength } = await shown.screenshot({ path: join(folder, `${name}.png`) });
  if (byteLength > maxBytes)
    throw new Error(`Expected ${name}.png below ${maxBytes} bytes, but got ${byteLength}`);
  await close();
}
await browser.close();
