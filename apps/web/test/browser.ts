/** Builds the pages and opens them in Chromium for tests. */
import { fileURLToPath } from 'node:url';
import axe from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { expect } from 'vitest';
import { buildWeb } from '../../../infra/bootstrap/web.mjs';
import { launchChromium } from './chromium.ts';

export { describeInBrowser } from './chromium.ts';

export const dist = fileURLToPath(new URL('../dist', import.meta.url));

export const launch = async (): Promise<Browser> => {
  await buildWeb();
  return launchChromium();
};

export type Opened = {
  readonly page: Page;
  /** Errors of scripts, of the content security policy and of the console. */
  readonly faults: string[];
  readonly close: () => Promise<void>;
};

/** Opens a page in a new profile. */
export const open = async (
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Opened> => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text());
  });
  await page.goto(url);
  return { page, faults, close: () => context.close() };
};

/** The serious and critical findings of axe. `only` limits the rules. */
export const seriousFindings = async (page: Page, only?: readonly string[]): Promise<string[]> => {
  // The policy of the page forbids added scripts. Scripts that playwright evaluates are exempt.
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate((rules) => {
    const here = globalThis as unknown as { readonly axe: typeof axe }; // the line above defined it
    return here.axe.run({ resultTypes: ['violations'], ...(rules ? { runOnly: [...rules] } : {}) });
  }, only);
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) =>
      nodes.slice(0, 3).map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`),
    );
};

/** Waits until a condition of the test holds. */
export const eventually = async (holds: () => Promise<boolean> | boolean): Promise<void> => {
  await expect.poll(holds, { timeout: 20_000, interval: 50 }).toBe(true);
};
