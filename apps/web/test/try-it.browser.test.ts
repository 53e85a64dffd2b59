import { crc32 } from 'node:zlib';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeInBrowser, dist, launch, open } from './browser.ts';
import { drawIn } from './fake-api/fake-datasets.ts';
import { colourSweep, signsSweep, smallSweep } from './fake-api/populate.ts';
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

/** A file of a square picture, [side × side × 3] in [0, 1]. The browser encodes it. */
const fileOf = async (
  page: Page,
  pixels: Float32Array,
  side: number,
  type: 'image/png' | 'image/jpeg' = 'image/png',
): Promise<Buffer> => {
  const bytes = await page.evaluate(
    async ({ values, side, type }) => {
      const image = new ImageData(side, side);
      for (let p = 0; p < side * side; p++)
        for (let c = 0; c < 4; c++) image.data[4 * p + c] = c === 3 ? 255 : values[3 * p + c]!;
      const canvas = new OffscreenCanvas(side, side);
      canvas.getContext('2d')!.putImageData(image, 0, 0);
      return [...new Uint8Array(await (await canvas.convertToBlob({ type, quality: 1 })).arrayBuffer())];
    },
    { values: Array.from(pixels, (value) => Math.round(255 * value)), side, type },
  );
  return Buffer.from(bytes);
};

/** A JPEG file whose EXIF says that the camera was upside down (orientation 3, TIFF 6.0). */
const upsideDown = (jpeg: Buffer): Buffer => {
  const tiff = '4d4d002a00000008 0001 0112 0003 00000001 00030000 00000000'.replaceAll(' ', '');
  const exif = Buffer.concat([Buffer.from('Exif\0\0'), Buffer.from(tiff, 'hex')]);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(exif.length + 2);
  return Buffer.concat([jpeg.subarray(0, 2), Buffer.from([0xff, 0xe1]), length, exif, jpeg.subarray(2)]);
};

describeInBrowser('trying a model', () => {
  let browser: Browser;
  let api: FakeApi;

  beforeAll(async () => {
    const world = createWorld();
    world.addSweep(smallSweep, { id: 'done', done: 1 });
    world.addSweep(colourSweep, { id: 'colour', done: 1 });
    world.addSweep(signsSweep, { id: 'signs', done: 1 });
    browser = await launch();
    api = await startFakeApi(world, { dist });
  });
  afterAll(async () => {
    await browser?.close();
    await api?.close();
  });

  it('classifies a drawing, and changes the decision once ε is large enough', async () => {
    const { page, faults, close } = await open(browser, `${api.url}#/try/done.9`);
    await page.getByText('Choose an image').waitFor();
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
    await page.getByText('Choose an image').waitFor();
    expect(faults).toEqual([]);
    await close();
  });

  it('accepts a test image, for users without a pointer', async () => {
    const { page, close } = await open(browser, `${api.url}#/try/done.9`);
    await page.getByText('Choose an image').waitFor();
    await page
      .getByRole('button', { name: /Test image \d+: 3/ })
      .first()
      .press('Enter');
    await page.getByText(/The decision/).waitFor();
    await close();
  });

  it('takes a test image of coloured data, and asks for no drawing', async () => {
    const { page, faults, close } = await open(browser, `${api.url}#/try/colour.0`);
    await page.getByText('Choose an image').waitFor();
    expect(await page.locator('.draw-pad').count()).toBe(0);
    // The usual ε of the data set, 8/255, is a quarter of the slider.
    const slider = page.getByLabel('ε', { exact: true });
    expect(Number(await slider.inputValue())).toBeCloseTo(8 / 255, 4);
    expect(Number(await slider.getAttribute('max'))).toBeCloseTo(32 / 255, 6);
    await slider.fill('0');
    await page
      .getByRole('button', { name: /Test image \d+: 3/ })
      .first()
      .click();
    await page
      .getByText(
        'Wrong before the attack: the label is 3, the model says 5. The attack does not change that.',
      )
      .waitFor();
    const shown = page.getByRole('img', { name: 'Original', exact: true });
    expect(await shown.evaluate((canvas: HTMLCanvasElement) => [canvas.width, canvas.height])).toEqual([
      32, 32,
    ]);
    expect(await page.locator('.probabilities').first().locator('li').count()).toBe(10);
    expect(faults).toEqual([]);
    await close();
  });

  it('opens a picture of the visitor’s, with the same pixels if it has the size of the images', async () => {
    const { page, faults, close } = await open(browser, `${api.url}#/try/colour.0`);
    await page.getByText('Choose an image').waitFor();
    await page.getByLabel('ε', { exact: true }).fill('0');
    const pixels = drawIn([32, 32, 3], 7, 'a picture').map((value) => Math.round(255 * value) / 255);
    await page.getByLabel('Picture', { exact: true }).setInputFiles({
      name: 'seven.png',
      mimeType: 'image/png',
      buffer: await fileOf(page, pixels, 32),
    });
    await page.locator('.try-outcome[aria-busy="false"]').getByText('The decision holds: 7').waitFor();
    const shown = page.getByRole('img', { name: 'Original', exact: true });
    const read = await shown.evaluate((canvas: HTMLCanvasElement) => [
      ...canvas.getContext('2d')!.getImageData(0, 0, 32, 32).data,
    ]);
    const drawn = Array.from({ length: 32 * 32 }, (_, p) => [
      ...pixels.slice(3 * p, 3 * p + 3).map((value) => Math.round(255 * value)),
      255,
    ]).flat();
    expect(read).toEqual(drawn);

    // Scaled down, and to a grey image.
    await page.goto(`${api.url}#/try/done.9`);
    await page.locator('.draw-pad').waitFor();
    await page.getByLabel('ε', { exact: true }).fill('0');
    const four = drawIn([280, 280, 1], 4, 'another picture');
    const large = Float32Array.from({ length: 3 * four.length }, (_, i) => four[Math.floor(i / 3)]!);
    await page.getByLabel('Picture', { exact: true }).setInputFiles({
      name: 'four.png',
      mimeType: 'image/png',
      buffer: await fileOf(page, large, 280),
    });
    await page.locator('.try-outcome[aria-busy="false"]').getByText('The decision holds: 4').waitFor();
    expect(faults).toEqual([]);
    await close();
  });

  it('turns a photograph upright', async () => {
    const { page, close } = await open(browser, `${api.url}#/try/colour.0`);
    await page.getByText('Choose an image').waitFor();
    const shown = page.getByRole('img', { name: 'Original', exact: true });
    // The upper half is red, the lower half is black.
    const halves = Float32Array.from({ length: 3 * 64 * 64 }, (_, i) =>
      Number(i < 3 * 64 * 32 && i % 3 === 0),
    );
    const jpeg = await fileOf(page, halves, 64, 'image/jpeg');
    const redAt = async (name: string, buffer: Buffer) => {
      await page
        .getByLabel('Picture', { exact: true })
        .setInputFiles({ name, mimeType: 'image/jpeg', buffer });
      await page
        .locator('.try-outcome[aria-busy="false"]')
        .getByText(/The decision/)
        .waitFor();
      return () =>
        shown.evaluate((canvas: HTMLCanvasElement) => {
          const { data } = canvas.getContext('2d')!.getImageData(0, 0, 32, 32);
          return [data[4 * 32 * 4]! > 200, data[4 * 32 * 28]! > 200];
        });
    };
    await expect.poll(await redAt('upright.jpg', jpeg)).toEqual([true, false]);
    await expect.poll(await redAt('turned.jpg', upsideDown(jpeg))).toEqual([false, true]);
    await close();
  });

  it('says what is wrong with a file, and takes the next one', async () => {
    const { page, close } = await open(browser, `${api.url}#/try/colour.0`);
    const input = page.getByLabel('Picture', { exact: true });
    const give = (name: string, buffer: Buffer) =>
      input.setInputFiles({ name, mimeType: 'image/png', buffer });
    await page.getByText('Choose an image').waitFor();
    await give('words.png', Buffer.from('These are words.'));
    await page.getByText('Expected a PNG or JPEG picture, but words.png begins like neither.').waitFor();
    const png = await fileOf(page, drawIn([32, 32, 3], 1, 'cut'), 32);
    await give('cut.png', png.subarray(0, 20));
    await page.getByText('Expected a whole picture, but cut.png cannot be read.').waitFor();
    // Its header says 10,000 × 10,000 pixels.
    const huge = Buffer.from(png);
    huge.writeUInt32BE(10_000, 16);
    huge.writeUInt32BE(10_000, 20);
    huge.writeUInt32BE(crc32(huge.subarray(12, 29)), 29);
    await give('huge.png', huge);
    await page.getByText('Expected at most 64,000,000 pixels, but huge.png has 10,000 × 10,000.').waitFor();
    await give('whole.png', png);
    await page.getByText(/The decision/).waitFor();
    expect(await page.getByRole('alert').count()).toBe(0);
    await close();
  });

  it('shows the most likely of many classes', async () => {
    const { page, close } = await open(browser, `${api.url}#/try/signs.0`);
    await page.getByText('Choose an image').waitFor();
    await page
      .getByRole('button', { name: /Test image/ })
      .first()
      .click();
    await page.getByText(/The decision/).waitFor();
    const shown = page.locator('.probabilities').first().locator('li');
    const shares = (await shown.locator('.number').allTextContents()).map(Number.parseFloat);
    expect(shares).toHaveLength(10);
    expect(shares).toEqual([...shares].sort((a, b) => b - a));
    await close();
  });

  it('starts with the best model and lets the user choose another', async () => {
    const { page, close } = await open(browser, `${api.url}#/try`);
    await page.getByText('Choose an image').waitFor();
    const model = page.getByLabel('Model');
    const options = await model.locator('option').allTextContents();
    // The images behind the number, the attack with its ε, and the seed.
    expect(options[0]).toMatch(/^[a-z].+: \d+ of \d+ images robust, seed \d+$/);
    const groups = await model
      .locator('optgroup')
      .evaluateAll((all) => all.map((each) => each.getAttribute('label')));
    expect(groups.length).toBeGreaterThan(1);
    for (const group of groups) expect(group).toMatch(/^[\w-]+ under [A-Z].*, within (L∞|L2) [\d.]+$/);
    await model.selectOption({ index: 1 });
    await page.waitForURL(/#\/try\/\w+\.\d+/);
    await close();
  });
});
