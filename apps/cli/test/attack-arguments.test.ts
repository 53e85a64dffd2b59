import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { datasets } from '@funnel/contracts';
import { afterAll, describe, expect, it } from 'vitest';
import { readAttacks, readIndices, readSetting } from '../src/attack/arguments.ts';
import { Exit, exitCodes } from '../src/exit.ts';

const { budgets } = datasets.mnist;
const folder = mkdtempSync(join(tmpdir(), 'funnel-cli-'));
afterAll(() => rmSync(folder, { recursive: true }));

const file = (name: string, content: string): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};

describe('readIndices', () => {
  it('takes a range, single indices and ranges joined by commas, each index once', () => {
    expect(readIndices('0-3')).toEqual([0, 1, 2, 3]);
    expect(() => readIndices(' ')).toThrow(/but got an empty text: it names no image$/);
    expect(readIndices('7, 2-4,3')).toEqual([7, 2, 3, 4]);
  });
  it('takes a JSON array from a file', () => {
    expect(readIndices(file('good.json', '[5, 1, 5]'))).toEqual([5, 1]);
  });
  it.each(['9-3', '1-', '-1', '', '0-4294967296'])('refuses %j', (text) => {
    expect(() => readIndices(text)).toThrow(/Expected a range such as 0-99/);
  });
  it.each(['{}', '[]', '[1.5]', '[-1]', '[', '["1"]'])('refuses a file that holds %j', (content) => {
    expect(() => readIndices(file('bad.json', content))).toThrow(/Expected a range such as 0-99/);
  });
});

describe('readSetting', () => {
  it('reads numbers, words, booleans and lists', () => {
    const settings = ['steps=50', 'search=false', 'loss=margin', 'epsilons=[0.1, 0.2]'].reduce(
      (earlier, text) => readSetting(text, earlier),
      {},
    );
    expect(settings).toEqual({ steps: 50, search: false, loss: 'margin', epsilons: [0.1, 0.2] });
  });
  it('reads fractions', () => {
    expect(readSetting('epsilon=8/255')).toEqual({ epsilon: 8 / 255 });
    expect(readSetting('epsilon= 1.5 / 3')).toEqual({ epsilon: 0.5 });
  });
  it('refuses a setting without a name', () => {
    expect(() => readSetting('=3')).toThrow(/NAME=VALUE/);
    expect(() => readSetting('steps')).toThrow(/NAME=VALUE/);
  });
});

describe('readAttacks', () => {
  it('fills in default settings', () => {
    expect(readAttacks(['deepfool-l2'], { steps: 200 }, budgets)).toEqual({
      specs: [{ attack: 'deepfool-l2', settings: { steps: 200, overshoot: 0.05, classes: 10 } }],
      leftOut: [],
    });
  });
  it('expands a preset', () => {
    expect(readAttacks(['preset:paper'], {}, budgets).specs.length).toBeGreaterThan(5);
  });
  it('leaves out attacks of a preset that need more than a model, and refuses them by name', () => {
    const { specs, leftOut } = readAttacks(['preset:full'], {}, budgets);
    expect(leftOut).toEqual(['feature-linf', 'feature-l2', 'transfer-linf', 'transfer-l2']);
    expect(specs.map(({ attack }) => attack)).not.toContain('transfer-l2');
    expect(() => readAttacks(['feature-l2'], {}, budgets)).toThrow(/needs the model’s encoder/);
    expect(() => readAttacks(['transfer-l2'], {}, budgets)).toThrow(/needs other models/);
  });
  it('gives a setting to each attack of a preset that has it', () => {
    const { specs } = readAttacks(['preset:autoattack'], { epsilon: 0.1 }, budgets);
    expect(specs.map(({ attack, settings }) => [attack, (settings as { epsilon: number }).epsilon])).toEqual([
      ['apgd-ce-linf', 0.1],
      ['apgd-t-linf', 0.1],
      ['fab-t-linf', 0.1],
      ['square-linf', 0.1],
    ]);
  });
  it('leaves equal attacks out that a setting makes of different ones', () => {
    const { specs } = readAttacks(['fgsm'], {}, budgets);
    expect(readAttacks(['fgsm', 'fgsm'], { epsilon: 0.5 }, budgets).specs).toHaveLength(specs.length);
  });
  it('refuses unknown attacks, settings that no attack has, and a distance beyond the range of pixels', () => {
    expect(() => readAttacks(['preset:paper'], { queries: 1 }, budgets)).toThrow(/but got queries/);
    expect(() => readAttacks(['pgd-linf'], { epsilon: 8 }, budgets)).toThrow(/did you mean epsilon=8\/255\?/);
    expect(() => readAttacks(['fgsmm'], {}, budgets)).toThrow(/but got "fgsmm"\. Did you mean "fgsm"\?\n/);
    expect(() => readAttacks(['pgd'], {}, budgets)).toThrow(/Did you mean "pgd-linf" or "pgd-l2"\?/);
    expect(() => readAttacks(['autoattack'], {}, budgets)).toThrow(/Did you mean "preset:autoattack"\?/);
    expect(() => readAttacks(['autoattack'], { eps: 0.1, stepz: 5 }, budgets)).toThrow(
      /"autoattack"\. Did you mean "preset:autoattack"\?\nExpected settings of autoattack, but got eps: did you mean "epsilon"\?\nExpected settings of autoattack, but got stepz: did you mean "steps"\?\n→/,
    );
    expect(() => readAttacks(['pgd-linf'], { eps: 1 }, budgets)).toThrow(
      /^Expected settings of pgd-linf, but got eps: did you mean "epsilon"\?\n/,
    );
    expect(() => readAttacks(['fgsm'], { stepz: 1 }, budgets)).toThrow(
      /Expected settings of fgsm \(search, epsilon, epsilons.*\), but got stepz/,
    );
  });
  it.each([
    ['pgd-linf', 'epsilon=abc', 'epsilon of pgd-linf as a number above 0 and at most 1000, but got "abc"'],
    ['bim', 'epsilon=abc', 'epsilon of bim as a number above 0 and at most 1000, but got "abc"'],
    ['bim', 'epsilon=-1', 'epsilon of bim as a number above 0 and at most 1000, but got -1'],
    ['fgsm', 'epsilon=', 'epsilon of fgsm as a number above 0 and at most 1000, but got null'],
    ['pgd-linf', 'steps=1.5', 'steps of pgd-linf as a whole number from 1 to 100000, but got 1.5'],
    ['pgd-linf', 'loss=l1', 'loss of pgd-linf as cross-entropy or margin, but got "l1"'],
    ['fgsm', 'search=yes', 'search of fgsm as true or false, but got "yes"'],
    ['pgd-l2', 'stepSize=0', 'stepSize of pgd-l2 as a number above 0 and at most 1e+30 or null, but got 0'],
    ['fmn-l2', 'gamma=1', 'gamma of fmn-l2 as a number above 0 and below 1, but got 1'],
    [
      'fgsm',
      'epsilons=[0.1,x]',
      'epsilons of fgsm as a whole number from 1 to 100000 or a list of 1 to 10000 values, each a number above 0 and at most 1e+30, but got [0.1,"x"]',
    ],
    [
      'preset:autoattack',
      'epsilon=abc',
      'epsilon of apgd-ce-linf as a number above 0 and at most 1000, but got "abc"',
    ],
  ])('%s --set %s is refused in one sentence', (name, set, words) => {
    const hint = '→ `npx funnel attacks` lists the attacks, `npx funnel attacks NAME` the settings of one.';
    expect(() => readAttacks([name], readSetting(set), budgets)).toThrow(
      new Exit(exitCodes.usage, `Expected ${words}\n${hint}`),
    );
  });
  it('says that one ε serves one norm', () => {
    const both = (epsilon: number) => () => readAttacks(['pgd-l2', 'pgd-linf'], { epsilon }, budgets);
    expect(both(2)).toThrow(
      /^Expected an ε for one norm, but got epsilon=2 for pgd-linf \(L∞, where 1 is the whole range of pixels\) and pgd-l2 \(L2\): run the attacks of each norm in a command of their own\n/,
    );
    expect(both(0.5)().specs).toHaveLength(2);
    expect(() => readAttacks(['preset:standard'], { epsilon: 2 }, budgets)).toThrow(/ε for one norm/);
    expect(() => readAttacks(['pgd-linf', 'square-linf'], { epsilon: 2 }, budgets)).toThrow(
      /did you mean epsilon=2\/255\?/,
    );
  });
});
