/** Notes and tags of sweeps: on the page of a sweep, and in the list. */
import type { ErrorCode } from '@funnel/contracts';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { describeInBrowser, dist, eventually, launch, open, seriousFindings } from './browser.ts';
import { smallSweep } from './fake-api/populate.ts';
import { type FakeApi, startFakeApi } from './fake-api/server.ts';
import { createWorld, type FakeSweep } from './fake-api/world.ts';

describeInBrowser('annotations', () => {
  let browser: Browser;
  let api: FakeApi;
  let sweep: FakeSweep;
  let refusal: ErrorCode | null = null;
  const world = createWorld();

  beforeAll(async () => {
    sweep = world.addSweep(smallSweep, { id: 'done', done: 1 });
    world.addSweep({ ...smallSweep, name: 'Another sweep' }, { id: 'other', tags: ['baseline'] });
    browser = await launch();
    api = await startFakeApi(world, {
      dist,
      refuse: (name) => (name === 'annotateSweep' ? refusal : null),
    });
  });
  beforeEach(() => {
    refusal = null;
    sweep.notes = '';
    sweep.tags = [];
  });
  afterAll(async () => {
    await browser?.close();
    await api?.close();
  });

  const openSweep = async () => {
    const opened = await open(browser, `${api.url}#/sweeps/done`);
    await opened.page.getByRole('heading', { name: 'Which hyperparameters matter' }).waitFor();
    return opened;
  };
  const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
  const notesOf = (page: Page) => page.getByRole('region', { name: 'Notes', exact: true });
  const area = (page: Page) => page.getByRole('textbox', { name: 'Notes' });
  /** Somebody else writes these notes. */
  const writeElsewhere = (notes: string): void => {
    sweep.notes = notes;
    world.emit({ type: 'sweep', sweepId: 'done', status: 'completed' });
  };
  const isFocused = (page: Page, selector: string) =>
    page.evaluate((wanted) => document.activeElement?.matches(wanted) ?? false, selector);

  it('writes notes with the keyboard, and a reload shows them', async () => {
    const { page, faults, close } = await openSweep();
    await button(page, 'Write notes').focus();
    await page.keyboard.press('Enter');
    await eventually(() => isFocused(page, 'textarea'));
    await page.keyboard.type('γ = 5 wins.');
    await page.keyboard.press('Enter');
    await page.keyboard.type('<b>See the paper</b>');
    expect(await seriousFindings(page)).toEqual([]);
    await page.keyboard.press('Control+Enter');
    await notesOf(page).waitFor();
    expect(sweep.notes).toBe('γ = 5 wins.\n<b>See the paper</b>');
    expect(await notesOf(page).textContent()).toBe(sweep.notes);
    await eventually(() => isFocused(page, 'button'));
    await page.reload();
    await eventually(async () => (await notesOf(page).textContent()) === sweep.notes);
    expect(await seriousFindings(page)).toEqual([]);
    expect(faults).toEqual([]);
    await close();
  });

  it('Escape leaves the notes as they were', async () => {
    sweep.notes = 'as they were';
    const { page, close } = await openSweep();
    await button(page, 'Edit notes').click();
    await area(page).fill('something else');
    await page.keyboard.press('Escape');
    expect(await notesOf(page).textContent()).toBe('as they were');
    await button(page, 'Edit notes').click();
    expect(await area(page).inputValue()).toBe('as they were');
    await button(page, 'Cancel').click();
    expect(sweep.notes).toBe('as they were');
    await close();
  });

  it('keeps the text after an error, and says what is wrong', async () => {
    const { page, close } = await openSweep();
    await button(page, 'Write notes').click();
    await area(page).fill('worth keeping');
    refusal = 'FORBIDDEN';
    await button(page, 'Save').click();
    await page.getByRole('alert').waitFor();
    expect(await area(page).inputValue()).toBe('worth keeping');
    expect(sweep.notes).toBe('');
    refusal = null;
    await button(page, 'Save').click();
    await notesOf(page).waitFor();
    expect(sweep.notes).toBe('worth keeping');
    await close();
  });

  it('an event does not change a text that is edited, but the page says that the notes have changed', async () => {
    sweep.notes = 'first';
    const { page, close } = await openSweep();
    await button(page, 'Edit notes').click();
    await area(page).fill('mine');
    writeElsewhere('theirs');
    await page.getByText('Somebody has changed the notes meanwhile.').waitFor();
    await page.getByText('theirs', { exact: true }).waitFor();
    expect(await area(page).inputValue()).toBe('mine');
    expect(await seriousFindings(page)).toEqual([]);
    await button(page, 'Cancel').click();
    await eventually(async () => (await notesOf(page).textContent()) === 'theirs');
    await close();
  });

  it('adds and removes tags, and refuses wrong ones without a request', async () => {
    const { page, faults, close } = await openSweep();
    const tags = page.getByRole('list', { name: 'Tags' }).getByRole('listitem');
    const field = page.getByRole('textbox', { name: 'Add a tag' });
    await field.fill('Baseline, paper/v2');
    await field.press('Enter');
    await eventually(async () => (await tags.allTextContents()).join(' ') === 'baseline× paper/v2×');
    expect(await field.inputValue()).toBe('');
    expect(await seriousFindings(page)).toEqual([]);
    const before = api.requests.get('annotateSweep');
    await field.fill('two-words é');
    await field.press('Enter');
    await page.getByText(/^Expected 1 to 40 of the characters.*, but got é$/).waitFor();
    expect(await field.inputValue()).toBe('two-words é');
    expect(api.requests.get('annotateSweep')).toBe(before);
    await field.press('Escape');
    expect(await field.inputValue()).toBe('');
    await button(page, 'Remove the tag baseline').click();
    await eventually(async () => (await tags.allTextContents()).join(' ') === 'paper/v2×');
    expect(sweep.tags).toEqual(['paper/v2']);
    await page.reload();
    await page.getByRole('link', { name: 'paper/v2' }).waitFor();
    expect(faults).toEqual([]);
    await close();
  });

  it('a tag in the list filters it, and the address keeps the filter', async () => {
    sweep.tags = ['baseline', 'paper/v2', 'third'];
    const { page, faults, close } = await open(browser, `${api.url}#/sweeps`);
    const names = page.locator('.sweeps-link');
    const isShown = (...wanted: string[]) =>
      eventually(async () => (await names.allTextContents()).sort().join() === wanted.join());
    const chosen = page.getByRole('list', { name: 'Only sweeps with these tags' });
    await isShown('Another sweep', smallSweep.name);
    const row = page.getByRole('row', { name: smallSweep.name });
    expect(await row.getByText('+1', { exact: true }).getAttribute('title')).toBe('third');
    await row.getByRole('link', { name: 'baseline' }).click();
    await chosen.waitFor();
    await isShown('Another sweep', smallSweep.name);
    await page.getByRole('link', { name: 'paper/v2' }).click();
    await isShown(smallSweep.name);
    expect(page.url()).toBe(`${api.url}#/sweeps?tag=baseline%2Cpaper%2Fv2`);
    await page.reload();
    await isShown(smallSweep.name);
    expect(await chosen.getByRole('listitem').allTextContents()).toEqual(['baseline×', 'paper/v2×']);
    expect(await seriousFindings(page)).toEqual([]);
    await button(page, 'Also sweeps without the tag paper/v2').click();
    await isShown('Another sweep', smallSweep.name);
    await page.goBack();
    await page.goto(`${api.url}#/sweeps?tag=nobody`);
    await page.getByRole('heading', { name: 'No sweep matches' }).waitFor();
    await button(page, 'Show all').click();
    await isShown('Another sweep', smallSweep.name);
    expect(faults).toEqual([]);
    await close();
  });
});
