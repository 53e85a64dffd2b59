/** Refusals before anything is asked of a service: one sentence and status 2. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError } from '@funnel/contracts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { explain } from '../src/exit.ts';
import { funnel } from './funnel.ts';

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'funnel-'));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

const run = (...args: string[]) =>
  funnel(args, { env: { FUNNEL_URL: 'http://127.0.0.1:9', FUNNEL_HOME: home } });

it('an error has its own hint, if it has one, and else the hint of its code', () => {
  const missing = (details?: object) =>
    explain(new AppError('DATASET_MISSING', 'Expected x', { ...details })).text;
  expect(missing({ hint: 'Copy it.' })).toBe('Expected x\n→ Copy it.');
  expect(missing()).toBe('Expected x\n→ Run `npx funnel data get`, or set FUNNEL_DATA.');
});

it('a sweep file with an alias inside of its own anchor is refused in one sentence', async () => {
  const file = join(home, 'cyclic.yaml');
  writeFileSync(file, 'name: &a [*a]\n');
  const { status, stderr } = await run('plan', file);
  expect(stderr).toContain('Expected *a at line 1 outside of the part that it stands for');
  expect(stderr).not.toMatch(/\n +at /);
  expect(status).toBe(2);
});

it.each(['', '\u200b'])('the key %j is refused', async (key) => {
  const file = join(home, 'sweep.yaml');
  writeFileSync(file, 'name: x\ndataset: { name: glyphs }\n');
  const { status, stderr } = await run('submit', file, '--key', key);
  expect(stderr).toContain('--key');
  expect(stderr).toContain('Expected a text');
  expect(status).toBe(2);
});

it.runIf(existsSync('/proc'))('a FUNNEL_HOME where no folder can be made is refused', async () => {
  const { status, stderr } = await funnel(['up', '--once'], { env: { FUNNEL_HOME: '/proc/nohome/inner' } });
  expect(stderr).toContain('/proc/nohome/inner, but it cannot write there');
  expect(status).toBe(2);
});

it.each([
  [['plan', 'nope.yaml'], 'nope.yaml cannot be read: there is none at this path'],
  [['plan', '/'], '/ cannot be read: it is a folder, not a file'],
  [['best', '--attack', 'preset:autoattack'], '--attack worst ranks by the worst case'],
  [['best', '--attack', 'pgd'], 'did you mean "pgd-linf" or "pgd-l2"?'],
  [['best', '--recipe', 'adversarial'], 'did you mean "adversarial-training"?'],
  [['hyperparameters', 'learningRate'], '"optimiseDefenderRate", "classifierRate"'],
  [['compare', `${'0'.repeat(16)}-00000`], 'Expected 2 to 6 different trials, but got 1.'],
  [['compare', `${'0'.repeat(16)}-00000`, `${'0'.repeat(16)}-00000`], 'but got 1.'],
  [['show', '0'.repeat(16), '--why'], 'npx funnel show 0000000000000000-0 --why'],
])('funnel %j is refused with what to do', async (args, words) => {
  const { status, stderr } = await run(...args);
  expect(stderr).toContain(words);
  expect(status).toBe(2);
});

it.each([
  [
    'postgres//alice@host/funnel',
    /^Expected DATABASE_URL to be postgres:\/\/user:password@host:5432\/database/,
  ],
  ['postgres://host/funnel?sslmode=maybe', /^Expected sslmode in DATABASE_URL to be one of/],
])(
  'the address %s of a database is a mistake of the environment, not a server that is away',
  async (address, words) => {
    const made = await funnel(['token', 'create', 'x'], {
      env: { DATABASE_URL: address, FUNNEL_HOME: home },
    });
    expect([made.status, made.stderr]).toEqual([2, expect.stringMatching(words)]);
    expect(explain(new AppError('UNAVAILABLE', 'Nobody answers')).status).toBe(4);
  },
);
