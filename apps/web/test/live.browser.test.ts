import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeInBrowser, dist, eventually, launch, open } from './browser.ts';
import { addEveryStatus, smallSweep } from './fake-api/populate.ts';
import { type FakeApi, startFakeApi } from './fake-api/server.ts';
import { createWorld, type World } from './fake-api/world.ts';

describeInBrowser('live pages', () => {
  let browser: Browser;
  let api: FakeApi;
  let world: World;

  beforeAll(async () => {
    world = createWorld();
    world.addSweep(smallSweep, { id: 'live', done: 0.5 });
    browser = await launch();
    api = await startFakeApi(world, { dist });
  });
  afterAll(async () => {
    await browser?.close();
    await api?.close();
  });

  const live = () => world.sweeps.get('live')!;
  const ended = () => live().statuses.filter((status) => status !== 'waiting' && status !== 'running').length;

  it('update the list and the table without a reload', async () => {
    const { page, close } = await open(browser, `${api.url}#/sweeps/live`);
    await page.getByText('Live', { exact: true }).waitFor();
    await page.getByText(/of 84 measured/).waitFor();
    const completed = () => live().statuses.filter((status) => status === 'completed').length;
    world.finishTrial(live());
    world.finishTrial(live());
    await page.getByText(`${completed()} completed`).waitFor();
    await page.getByText(`${completed()} of 84 measured`).waitFor();
    await page.getByRole('link', { name: 'Funnel: show the sweeps' }).click();
    await page.getByText(`${ended()} of 84`).waitFor();
    world.finishTrial(live());
    await page.getByText(`${ended()} of 84`).waitFor();
    await close();
  });

  it('show the results of the last trial that ends while another tab of the sweep is shown', async () => {
    const own = createWorld();
    const sweep = own.addSweep(smallSweep, { id: 'last', done: 1 });
    sweep.statuses[83] = 'running';
    const server = await startFakeApi(own, { dist });
    const { page, close } = await open(browser, `${server.url}#/sweeps/last/results`);
    await page.getByText('Live', { exact: true }).waitFor();
    const completed = () => sweep.statuses.filter((status) => status === 'completed').length;
    await page.getByText(`${completed()} of 84 measured`).waitFor();
    own.finishTrial(sweep);
    await page.getByText(`${completed()} completed`).waitFor();
    // The pause before the refresh of the results lasts longer than these two clicks.
    await page.getByRole('link', { name: 'Stages' }).click();
    await page.getByText('Double-click a stage').waitFor();
    await page.getByRole('link', { name: 'Results' }).click();
    await page.getByText(`${completed()} of 84 measured`).waitFor();
    await close();
    await server.close();
  });

  it('show a new sweep at the top and remove a deleted one', async () => {
    const { page, close } = await open(browser, `${api.url}#/sweeps`);
    await page.getByText('Live', { exact: true }).waitFor();
    world.addSweep({ name: 'Brand new', dataset: { name: 'glyphs' } }, { id: 'fresh' });
    await page.getByRole('link', { name: 'Brand new' }).waitFor();
    expect(await page.locator('.sweeps-name a').first().textContent()).toBe('Brand new');
    world.sweeps.delete('fresh');
    world.emit({ type: 'sweep', sweepId: 'fresh', status: 'deleted' });
    await page.getByRole('link', { name: 'Brand new' }).waitFor({ state: 'detached' });
    await close();
  });

  it('show all changes that happen while the connection is lost', async () => {
    const { page, close } = await open(browser, `${api.url}#/sweeps/live`);
    await page.getByText('Live', { exact: true }).waitFor();
    const streams = () => api.requests.get('events') ?? 0;
    const before = streams();
    api.cutStreams();
    world.finishTrial(live()); // no stream is connected
    await eventually(() => streams() > before);
    await page
      .getByText(`${live().statuses.filter((status) => status === 'completed').length} completed`)
      .waitFor();
    await page.getByText('Live', { exact: true }).waitFor();
    await close();
  });

  it('use one stream for all tabs of a browser, and pass it on', async () => {
    const { page, close } = await open(browser, `${api.url}#/sweeps/live`);
    await page.getByText('Live', { exact: true }).waitFor();
    const before = api.requests.get('events');
    const second = await page.context().newPage();
    await second.goto(`${api.url}#/sweeps`);
    await second.getByText('Live', { exact: true }).waitFor();
    world.finishTrial(live());
    await second.getByText(`${ended()} of 84`).waitFor();
    expect(api.requests.get('events')).toBe(before);
    await page.close();
    await eventually(() => (api.requests.get('events') ?? 0) > before!);
    world.finishTrial(live());
    await second.getByText(`${ended()} of 84`).waitFor();
    await close();
  });

  it('update the stage tree from events, without new requests', async () => {
    const { page, close } = await open(browser, `${api.url}#/sweeps/live/stages`);
    await page.getByText('Double-click a stage').waitFor();
    const asked = api.requests.get('listStages');
    const running = page.locator('.tree-legend .status[data-status="running"]');
    await running.waitFor();
    const stage = [...live().stages.values()].find(({ status }) => status === 'running')!;
    for (const { id, kind, status } of live().stages.values())
      if (status === 'running')
        world.emit({ type: 'stage', sweepId: 'live', stage: id, kind, status: 'failed' });
    await running.waitFor({ state: 'detached' });
    expect(stage).toBeDefined();
    expect(api.requests.get('listStages')).toBe(asked);
    await close();
  });

  it('keep the loaded pages and the place in the leaderboard when results arrive', async () => {
    const own = createWorld();
    for (const id of ['one', 'two']) own.addSweep({ ...smallSweep, name: id }, { id, done: 1 });
    const sweep = own.addSweep(smallSweep, { id: 'live', done: 0.5 });
    const server = await startFakeApi(own, { dist });
    const { page, close } = await open(browser, `${server.url}#/leaderboard?group=trial`);
    await page.getByText('Live', { exact: true }).waitFor();
    const deepRow = page.locator('tr[aria-rowindex="140"]');
    /** Every row has the height of the longest reason so far. */
    const heightOfRows = () =>
      page
        .locator('[style*="--row-height"]')
        .evaluate((table) => Number.parseFloat(getComputedStyle(table).getPropertyValue('--row-height')));
    // The list grows at its end, from 100 rows to 200.
    await eventually(async () => {
      await page.evaluate(() => window.scrollTo(0, document.documentElement.scrollHeight));
      const end = 150 * (await heightOfRows());
      return page.evaluate((wanted) => document.documentElement.scrollHeight > wanted, end);
    });
    await page.evaluate((top) => window.scrollTo(0, top), 140 * (await heightOfRows()));
    await deepRow.waitFor();
    const place = () => page.evaluate(() => window.scrollY);
    const [before, asked] = [await place(), server.requests.get('leaderboard')!];
    expect(before).toBeGreaterThan(4000);
    own.finishTrial(sweep);
    // Two loaded pages are fetched again.
    await eventually(() => server.requests.get('leaderboard')! >= asked + 2);
    await deepRow.waitFor();
    expect(await place()).toBe(before);
    await close();
    await server.close();
  });

  it('ask for a token if the server requires one, and use it', async () => {
    let wanted = true;
    const guarded = await startFakeApi(world, {
      dist,
      refuse: (name) => (wanted && name !== 'health' ? 'UNAUTHENTICATED' : null),
    });
    const { page, close } = await open(browser, `${guarded.url}#/sweeps`);
    await page.getByRole('heading', { name: 'This server needs a token' }).waitFor();
    await page.getByText('No access', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Not now' }).click();
    expect(await page.getByText(/Bearer|401|Reconnecting/).count()).toBe(0);
    await page.getByRole('button', { name: 'Enter a token' }).first().click();
    wanted = false;
    await page.getByRole('textbox', { name: 'Token' }).fill('fnl_secret');
    await page.getByRole('button', { name: 'Use this token' }).click();
    await page.getByText('γ against β, two seeds').waitFor();
    expect(await page.evaluate(() => localStorage.getItem('funnel-token'))).toBe('fnl_secret');
    await close();
    await guarded.close();
  });

  it('show an error with its hint, and try again', async () => {
    let broken = true;
    const failing = await startFakeApi(world, {
      dist,
      refuse: (name) => (broken && name === 'listSweeps' ? 'SCHEMA_MISMATCH' : null),
    });
    const { page, close } = await open(browser, `${failing.url}#/sweeps`);
    await page.getByText('This version of Funnel cannot use the database').waitFor();
    await page.getByText('SCHEMA_MISMATCH').waitFor();
    broken = false;
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByText('γ against β, two seeds').waitFor();
    await close();
    await failing.close();
  });

  it('show every filter of the list on a phone, and the commands of a hint as code', async () => {
    const guarded = await startFakeApi(world, {
      dist,
      refuse: (name) => (name === 'listSweeps' ? 'STORAGE_FULL' : null),
    });
    const { page, close } = await open(browser, `${guarded.url}#/sweeps`, {
      viewport: { width: 360, height: 740 },
    });
    const filters = page.getByRole('group', { name: 'Status' });
    await filters.waitFor();
    expect(await filters.evaluate((element) => element.scrollWidth - element.clientWidth)).toBe(0);
    await page.getByRole('alert').locator('code', { hasText: 'npx funnel gc' }).waitFor();
    await close();
    await guarded.close();
  });

  it('fold away workers that are gone', async () => {
    const { page, close } = await open(browser, `${api.url}#/workers`);
    await page.getByRole('heading', { name: 'NVIDIA H100' }).waitFor();
    const gone = page.getByRole('heading', { name: 'wasm (SIMD), 8 cores' });
    expect(await gone.isVisible()).toBe(false);
    await page.getByText('1 worker that is gone').click();
    await gone.waitFor();
    await close();
  });

  it('show the log of a worker when somebody opens it', async () => {
    const { page, close } = await open(browser, `${api.url}#/workers`);
    const worker = page.getByRole('region', { name: 'Worker worker-a' });
    await worker.getByText('Log', { exact: true }).click();
    const lines = worker.getByRole('list', { name: 'Log of worker worker-a' }).getByRole('listitem');
    await lines.nth(3).waitFor();
    expect(await lines.nth(1).textContent()).toContain(
      'classify aaaaaaaa attempt 1 ended: completed, 4 new epochs',
    );
    expect(await lines.nth(3).getAttribute('data-level')).toBe('error');
    await close();
  });

  it('use a worker again that was set aside', async () => {
    const { page, close } = await open(browser, `${api.url}#/workers`);
    const worker = page.getByRole('region', { name: 'Worker worker-d' });
    await worker.getByText('it failed 4 times in a row').waitFor();
    await worker.getByText(/on mnist: Expected train-images-idx3-ubyte.gz in a folder mnist/).waitFor();
    await worker.getByRole('button', { name: 'Let it try everything again' }).click();
    await worker.getByText('it failed 4 times in a row').waitFor({ state: 'detached' });
    await worker.getByText('online', { exact: true }).waitFor();
    await close();
  });

  it('show the submissions that wait, run or were refused, and withdraw one', async () => {
    const own = createWorld();
    addEveryStatus(own, (i) => `2026-11-01T08:0${i}:00Z`);
    const server = await startFakeApi(own, { dist });
    const { page, close } = await open(browser, `${server.url}#/sweeps`);
    const submissions = page.getByRole('region', { name: 'Submissions' });
    const row = (text: string) => submissions.getByRole('listitem').filter({ hasText: text });
    await row('every hyperparameter').getByText('are being written').waitFor();
    await row('every hyperparameter').getByText('running', { exact: true }).waitFor();
    await row('γ over a hundred thousand').getByText('1 submission before it.').waitFor();
    await row('too large').getByText('refused', { exact: true }).waitFor();
    await row('too large')
      .getByText(/9999-9999-9999 needs 104 GiB/)
      .waitFor();
    await row('γ over a hundred thousand')
      .getByRole('button', { name: /^Withdraw/ })
      .click();
    await row('γ over a hundred thousand').waitFor({ state: 'detached' });
    expect(own.submissions.map(({ id }) => id)).toEqual(['first', 'third']);
    await close();
    await server.close();
  });

  it('invite to a first sweep if there is none', async () => {
    const empty = await startFakeApi(createWorld(), { dist });
    const { page, close } = await open(browser, `${empty.url}#/sweeps`);
    await page.getByText('No sweeps yet').waitFor();
    await page.goto(`${empty.url}#/try`);
    await page.getByText('No model has been trained yet').waitFor();
    await page.goto(`${empty.url}#/leaderboard`);
    await page.getByText('No run has been measured yet').waitFor();
    await page.getByRole('main').getByRole('link', { name: 'New sweep' }).waitFor();
    await page.goto(`${empty.url}#/leaderboard?attack=fgsm&dataset=mnist`);
    await page.getByText('No run matches').waitFor();
    await close();
    await empty.close();
  });
});
