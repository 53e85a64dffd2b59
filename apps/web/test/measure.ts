/**
 * Measures how smooth the pages are with 1,000 sweeps and with 2,000 trials: `node --import tsx apps/web/test/measure.ts`. A long task
 * blocks the page for more than 50 ms. The script prints figures and never fails, because they depend on the machine.
 */
import type { Page } from 'playwright-core';
import { dist, launch, open } from './browser.ts';
import { addManySweeps, largeSweep } from './fake-api/populate.ts';
import { startFakeApi } from './fake-api/server.ts';
import { createWorld } from './fake-api/world.ts';

type TraceEvent = {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  readonly dur?: number;
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
};

/** CPU time in ms of every task of the main thread. Not wall time: other programs share the machine. */
const tasksOf = (trace: Buffer): number[] => {
  const { traceEvents } = JSON.parse(trace.toString()) as { readonly traceEvents: readonly TraceEvent[] }; // the format of Chromium
  const main = new Set(
    traceEvents
      .filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain')
      .map(({ pid, tid }) => `${pid}/${tid}`),
  );
  return traceEvents
    .filter(({ name, pid, tid }) => name === 'ThreadControllerImpl::RunTask' && main.has(`${pid}/${tid}`))
    .map(({ tdur = 0 }) => tdur / 1000);
};

type Row = {
  readonly what: string;
  readonly seconds: string;
  readonly longTasks: number;
  readonly longestMs: number;
  readonly totalMs: number;
};
const rows: Row[] = [];

/** Acts on the page, waits until it is idle, and records the tasks. */
const measure = async (page: Page, what: string, act: () => Promise<unknown>): Promise<void> => {
  await browser.startTracing(page, { categories: ['toplevel', '__metadata'] });
  const start = performance.now();
  await act();
  const seconds = ((performance.now() - start) / 1000).toFixed(2);
  await page.evaluate(() => new Promise((resolve) => requestIdleCallback(resolve, { timeout: 2000 })));
  const tasks = tasksOf(await browser.stopTracing());
  const long = tasks.filter((ms) => ms > 50);
  const total = tasks.reduce((a, b) => a + b, 0);
  rows.push({
    what,
    seconds,
    longTasks: long.length,
    longestMs: Math.round(Math.max(0, ...tasks)),
    totalMs: Math.round(total),
  });
};

const drag = async (page: Page, selector: string, from: number, to: number): Promise<void> => {
  const box = (await page.locator(selector).boundingBox())!;
  const x = box.x + box.width / 2;
  await page.mouse.move(x, box.y + box.height * from);
  await page.mouse.down();
  for (let i = 1; i <= 30; i++)
    await page.mouse.move(x, box.y + box.height * (from + ((to - from) * i) / 30));
  await page.mouse.up();
};

const world = createWorld();
addManySweeps(world, 1000);
world.addSweep(largeSweep, { id: 'large', done: 1, createdAt: '2026-10-01T00:00:00Z' });
const api = await startFakeApi(world, { dist });
const browser = await launch();

const { page, close } = await open(browser, 'about:blank');
// Warms up the server, which is not part of the measurement.
for (let cursor = 0; cursor < 2000; cursor += 250)
  await fetch(`${api.url}v1/sweeps/large/trials?limit=250&cursor=${cursor}`);

await page.goto(`${api.url}#/nowhere`); // fills the file cache, as on a second visit
await measure(page, '1,000 sweeps: first rows', async () => {
  await page.goto(`${api.url}?again#/sweeps`);
  await page.locator('.sweeps-name').first().waitFor();
});
await measure(page, '1,000 sweeps: scroll to the end', async () => {
  for (let i = 0; i < 160; i++) await page.mouse.wheel(0, 400);
  await page.getByRole('link', { name: /^Sweep 0:/ }).waitFor();
});
await measure(page, '1,000 sweeps: search', async () => {
  await page.getByLabel('Search sweeps by name').pressSequentially('Sweep 77');
  await page.getByRole('link', { name: /^Sweep 770:/ }).waitFor();
});
await measure(page, '1,000 sweeps: 300 events', async () => {
  for (let i = 0; i < 300; i++) world.emit({ type: 'sweep', sweepId: `many-${700 + i}`, status: 'running' });
  await page.waitForTimeout(2500);
});

await measure(page, '2,000 trials: everything drawn', async () => {
  await page.goto(`${api.url}?third#/sweeps/large`);
  await page.getByText(/^[\d,]+ of 2,000 measured/).waitFor();
});
await measure(page, '2,000 trials: drag a brush (30 moves)', () =>
  drag(page, '.axis-grab >> nth=0', 0.1, 0.6),
);
await measure(page, '2,000 trials: drag a second brush', () => drag(page, '.axis-grab >> nth=1', 0.2, 0.9));
await measure(page, '2,000 trials: clear brushes', () =>
  page.getByRole('button', { name: 'Clear brushes' }).click(),
);
await measure(page, '2,000 trials: hover over lines (60 moves)', async () => {
  const box = (await page.locator('.parallel-scroll').boundingBox())!;
  for (let i = 0; i < 60; i++) await page.mouse.move(box.x + 60 + i * 15, box.y + 120 + (i % 7) * 12);
});
await measure(page, '2,000 trials: judge by another metric', () =>
  page.getByLabel('Metric').selectOption('medianL2'),
);
await measure(page, '2,000 trials: sort the table twice', async () => {
  const head = page.getByRole('columnheader', { name: 'Clean accuracy' }).getByRole('button');
  await head.click();
  await head.click();
});
await measure(page, '2,000 trials: filter as typed', () =>
  page.getByLabel('Filter trials').pressSequentially('gamma>=5 value>0.5'),
);
await measure(page, '2,000 trials: scroll the table', async () => {
  await page.getByLabel('Filter trials').fill('');
  await page.locator('.trials-scroll').hover();
  for (let i = 0; i < 100; i++) await page.mouse.wheel(0, 700);
});
await measure(page, '2,000 trials: stage tree', async () => {
  await page.goto(`${api.url}?fourth#/sweeps/large/stages`);
  await page.getByText('Double-click a stage').waitFor();
  await page.waitForTimeout(3000);
});
await measure(page, '2,000 trials: 500 stage events', async () => {
  for (const { id, kind } of [...world.sweeps.get('large')!.stages.values()].slice(0, 500))
    world.emit({ type: 'stage', sweepId: 'large', stage: id, kind, status: 'running' });
  await page.waitForTimeout(1500);
});

console.table(rows);
await close();
await browser.close();
await api.close();
