import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readAttacks, readIndices, readSetting } from '../src/attack/arguments.ts';

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
    expect(readAttacks(['deepfool-l2'], { steps: 200 }, 'mnist')).toEqual({
      specs: [{ attack: 'deepfool-l2', settings: { steps: 200, overshoot: 0.05, classes: 10 } }],
      leftOut: [],
    });
  });
  it('expands a preset', () => {
    expect(readAttacks(['preset:paper'], {}, 'mnist').specs.length).toBeGreaterThan(5);
  });
  it('leaves out attacks of a preset that need more than a model, and refuses them by name', () => {
    const { specs, leftOut } = readAttacks(['preset:full'], {}, 'mnist');
    expect(leftOut).toEqual(['feature-linf', 'feature-l2', 'transfer-linf', 'transfer-l2']);
    expect(specs.map(({ attack }) => attack)).not.toContain('transfer-l2');
    expect(() => readAttacks(['feature-l2'], {}, 'mnist')).toThrow(/needs the model’s encoder/);
    expect(() => readAttacks(['transfer-l2'], {}, 'mnist')).toThrow(/needs other models/);
  });
  it('gives a setting to each attack of a preset that has it', () => {
    const { specs } = readAttacks(['preset:autoattack'], { epsilon: 0.1 }, 'mnist');
    expect(specs.map(({ attack, settings }) => [attack, (settings as { epsilon: number }).epsilon])).toEqual([
      ['apgd-ce-linf', 0.1],
      ['apgd-t-linf', 0.1],
      ['fab-t-linf', 0.1],
      ['square-linf', 0.1],
    ]);
  });
  it('leaves equal attacks out that a setting makes of different ones', () => {
    const { specs } = readAttacks(['fgsm'], {}, 'mnist');
    expect(readAttacks(['fgsm', 'fgsm'], { epsilon: 0.5 }, 'mnist').specs).toHaveLength(specs.length);
  });
  it('refuses unknown attacks, settings that no attack has, and a distance beyond the range of pixels', () => {
    expect(() => readAttacks(['preset:paper'], { queries: 1 }, 'mnist')).toThrow(/but got queries/);
    expect(() => readAttacks(['pgd-linf'], { epsilon: 8 }, 'mnist')).toThrow(/did you mean epsilon=8\/255\?/);
    expect(() => readAttacks(['fgsmm'], {}, 'mnist')).toThrow(/fgsmm/);
    expect(() => readAttacks(['fgsm'], { stepz: 1 }, 'mnist')).toThrow(
      /Expected settings of fgsm \(search, epsilon, epsilons.*\), but got stepz/,
    );
  });
});
