/** Starts Chromium for tests. Without Chromium, these tests are skipped with a notice; with CI=true they fail. */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { describe } from 'vitest';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

const findChromium = (): string | null => {
  const { FUNNEL_CHROMIUM: chosen, PATH = '' } = process.env;
  if (chosen) return chosen;
  const places = PATH.split(delimiter).flatMap((folder) => names.map((name) => join(folder, name)));
  return places.find((place) => existsSync(place)) ?? null;
};

const executablePath = findChromium();
const required = process.env.CI === 'true' || process.env.FUNNEL_REQUIRE_ALL === '1';

if (executablePath === null && !required)
  process.stderr.write(
    'NOT TESTED: the dashboard and the libraries in a browser. Chromium is missing: apt-get install chromium, or set FUNNEL_CHROMIUM.\n',
  );

/** A suite that needs a browser. */
export const describeInBrowser = (name: string, suite: () => void): void => {
  describe.skipIf(executablePath === null && !required)(name, suite);
};

export const launchChromium = async (): Promise<Browser> => {
  if (executablePath === null)
    throw new Error('Expected Chromium, but found none: apt-get install chromium, or set FUNNEL_CHROMIUM');
  return chromium.launch({ executablePath, args: ['--no-sandbox'] });
};
