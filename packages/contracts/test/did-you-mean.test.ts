import { describe, expect, it } from 'vitest';
import {
  attackNames,
  attacks,
  didYouMean,
  hyperparametersOf,
  presetNames,
  resembling,
} from '../src/index.ts';

const names = [...attackNames, ...presetNames.map((preset) => `preset:${preset}`)];

describe('a word resembles', () => {
  it.each<[string, readonly string[]]>([
    ['pgd', ['pgd-linf', 'pgd-l2']],
    ['PGD', ['pgd-linf', 'pgd-l2']],
    ['noise-l', ['noise-linf', 'noise-l2']],
    ['autoattack', ['preset:autoattack']],
    ['standard', ['preset:standard']],
    ['fsgm', ['fgsm']],
    ['fgsmm', ['fgsm']],
    ['deepfol-l2', ['deepfool-l2']],
    ['preset:papre', ['preset:paper']],
    ['pixel', ['single-pixel']],
    ['fgsm-linf', ['fgsm']],
    ['zzz', []],
    ['', []],
    ['p', []],
    ['linf', []], // thirteen attacks have this part
  ])('%j resembles %j among attacks and presets', (word, expected) => {
    expect(resembling(word, names)).toEqual(expected);
  });

  it('settings by their start', () => {
    expect(resembling('eps', Object.keys(attacks['pgd-linf'].settings.shape))).toEqual(['epsilon']);
    expect(resembling('clasifierEpoch', ['gamma', 'beta', 'classifierEpochs'])).toEqual(['classifierEpochs']);
  });

  it('hyperparameters by their last part', () => {
    const funn = hyperparametersOf('funn');
    const rates = [
      'initialiseAttackerRate',
      'initialiseDefenderRate',
      'optimiseAttackerRate',
      'optimiseDefenderRate',
      'classifierRate',
    ];
    for (const word of ['learningRate', 'learning_rate', 'lr'])
      expect([word, [...resembling(word, funn)].sort()]).toEqual([word, [...rates].sort()]);
    expect(resembling('eps', hyperparametersOf('trades'))).toEqual(['trainingEpsilon']);
    expect(resembling('bs', funn)).toEqual(['batchSize']);
  });

  it('no name if it is much longer than names, and costs no time then', () => {
    let read = 0;
    const long = new Proxy(Object('x'.repeat(900_000)), {
      get: (target, key) => {
        if (key === 'toLowerCase') read++;
        return Reflect.get(target, key);
      },
    }) as string;
    expect(resembling(long, names)).toEqual([]);
    expect(read).toBe(0);
  });
});

it('the question lists what the word may stand for', () => {
  expect(didYouMean('gama', ['gamma', 'beta'])).toBe('did you mean "gamma"?');
  expect(didYouMean('pgd', names)).toBe('did you mean "pgd-linf" or "pgd-l2"?');
  expect(didYouMean('zzz', names)).toBeNull();
  for (const inherited of ['__proto__', 'constructor', 'valueOf'])
    expect(didYouMean(inherited, names)).toBeNull();
});
