/** Sweep files as people write them. */
import { describe, expect, it } from 'vitest';
import { SweepDefinition } from '../src/index.ts';
import { decodeText, readSweepYaml } from '../src/sweep-yaml.ts';

const dataset = 'dataset: { name: glyphs }';
const read = (...lines: string[]) => SweepDefinition.parse(readSweepYaml([dataset, ...lines].join('\n')));

describe('a sweep file', () => {
  it('takes a number for a text where the sweep has a text', () => {
    expect(read('name: 007').name).toBe('007');
    expect(read('name: 1e3', 'description: 5.0')).toMatchObject({ name: '1e3', description: '5.0' });
    expect(read('name: x', 'space: { filters: 32 }').space).toEqual({ filters: '32' });
    expect(read('name: x', 'space: { filters: [16, 16-32] }').space).toEqual({ filters: ['16', '16-32'] });
    expect(read('name: x', 'space: { gamma: 5 }').space).toEqual({ gamma: 5 });
  });

  it('may have keys without a value', () => {
    const bare = read('name: x');
    expect(read('name: x', 'space:', 'attacks:', 'description:')).toEqual(bare);
  });

  it('may have merge keys, and a place for anchors', () => {
    const { space } = read(
      'x-base: &base { gamma: 1, beta: 0.1 }',
      'name: x',
      'space: { <<: *base, beta: 0.2, initialiseEpochs: 3 }',
    );
    expect(space).toEqual({ gamma: 1, beta: 0.2, initialiseEpochs: 3 });
  });

  it('may repeat a value, but not put it inside of itself', () => {
    expect(readSweepYaml('a: &a [1]\nb: [*a, *a]\n')).toEqual({ a: [1], b: [[1], [1]] });
    for (const text of ['name: &a [*a]\n', 'a: &a\n  b: { c: [*a] }\n'])
      expect(() => readSweepYaml(text)).toThrow(
        'an alias stands inside of the value that it stands for, so the value has no end',
      );
  });

  it('names the path of a number that is not finite, also behind an anchor', () => {
    expect(() => read('x-a: &a [1, .inf]', 'name: x', 'space: { gamma: *a }')).toThrow(
      'In the body, x-a[1]: expected a finite number, but got .inf',
    );
    expect(() => read('name: x', 'attacks: [fgsm, { attack: bim-linf, epsilon: .nan }]')).toThrow(
      'In the body, attacks[1].epsilon: expected a finite number, but got .nan',
    );
  });
});

describe('bytes', () => {
  it.each([
    [[0xef, 0xbb, 0xbf, 0x61], 'a'],
    [[0xce, 0xb3], 'γ'],
  ])('%j are text', (bytes, text) => {
    expect(decodeText(Uint8Array.from(bytes))).toBe(text);
  });

  it.each([
    [[0xff, 0xfe, 0x61, 0], 'Expected text in UTF-8, but got UTF-16. Save it as UTF-8.'],
    [[0xfe, 0xff, 0, 0x61], 'Expected text in UTF-8, but got UTF-16. Save it as UTF-8.'],
    [
      [0x63, 0xe9],
      'Expected text in UTF-8, but got other bytes, such as those of Latin-1. Save it as UTF-8.',
    ],
  ])('%j are refused in a sentence', (bytes, sentence) => {
    expect(() => decodeText(Uint8Array.from(bytes))).toThrow(sentence);
  });
});
