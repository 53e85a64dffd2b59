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
    for (const [text, line] of [
      ['name: &a [*a]\n', 1],
      ['a: &a\n  b: { c: [*a] }\n', 2],
    ] as const)
      expect(() => readSweepYaml(text)).toThrow(
        `Expected *a at line ${line} outside of the part that it stands for, or the value has no end`,
      );
  });

  it.each([
    [
      'space:\n  gamma: 1\n  gamma: 3\n',
      'Expected every key once, but got "gamma" twice, at lines 2 and 3. Keep one of them.',
    ],
    [
      '{ gamma: 1, gamma: 2 }',
      'Expected every key once, but got "gamma" twice, at line 1. Keep one of them.',
    ],
    [
      'space:\n\tgamma: 1\n',
      'Expected YAML, but at line 2, column 1: Tabs are not allowed as indentation. Indent with spaces.',
    ],
    [
      'space:\n  gamma: 1\n beta: 2\n',
      'Expected YAML, but at line 3, column 1: All mapping items must start at the same column. Indent the keys of one part by the same number of spaces.',
    ],
    [
      'name: How: strong\n',
      'Expected YAML, but at line 1, column 7: Nested mappings are not allowed in compact mappings. Put a text with a colon and a space in quotes, and the keys of a part on lines of their own.',
    ],
    [
      'name: a\nspace\nseeds: 2\n',
      'Expected YAML, but at line 2, column 1: Implicit keys need to be on a single line. Write KEY: VALUE, and list entries as "- VALUE", with a space after the colon and the dash.',
    ],
    [
      'name: a\n---\nname: b\n',
      'Expected one document, but a second one begins at line 2. Put each sweep into a file of its own.',
    ],
    ['name: a\nseeds: *s\n', 'Expected an anchor &s above line 2, where *s stands for it'],
  ])('refuses %j and says where and what to do', (text, message) => {
    expect(() => readSweepYaml(text)).toThrow(expect.objectContaining({ message }));
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
    [[0x93, 0x4e, 0], 'Expected text in UTF-8, but got a binary file. Give a sweep file in YAML or JSON.'],
    [
      [0x63, 0xe9],
      'Expected text in UTF-8, but got other bytes, such as those of Latin-1. Save it as UTF-8.',
    ],
  ])('%j are refused in a sentence', (bytes, sentence) => {
    expect(() => decodeText(Uint8Array.from(bytes))).toThrow(sentence);
  });
});
