import { AppError } from '@funnel/contracts';
import { describe, expect, test } from 'vitest';
import { parseJson, parseYaml } from '../../src/request/bodies.ts';

const refusal = (parse: () => unknown): string => {
  try {
    return `accepted ${JSON.stringify(parse())}`;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return `${error.code}: ${error.message}`;
  }
};

describe('parseJson', () => {
  test.each([
    '{"a":1,"b":{"a":1},"c":[{"a":1},{"a":1}]}',
    String.raw`{"a\"":1,"a\\":2,"a":":","b":"\\\":"}`,
    '"text: { [ \\" }"',
    ' [ ] ',
    '3',
  ])('reads what JSON.parse reads: %s', (text) => {
    expect(parseJson(text)).toEqual(JSON.parse(text));
  });

  test.each([
    ['{"a":1,"b":2,"a":3}', /every key once, but got "a" twice/],
    [String.raw`{"space":{"gamma":1,"gam\u006da":2}}`, /every key once, but got "gamma" twice/],
    ['[{"a":1},{"x":{},"y":[{}],"x" : 1}]', /every key once, but got "x" twice/],
    ['{"a":{"__proto__":{"admin":true}}}', /plain keys, but got "__proto__"/],
    [String.raw`{"a":"\u0000"}`, /without NUL/],
    [String.raw`{"a":["\ud800"]}`, /half surrogate/],
    [String.raw`{"\ud800":1}`, /half surrogate/],
    [`${'['.repeat(40)}${']'.repeat(40)}`, /at most 32 levels/],
    [`${'['.repeat(500_000)}${']'.repeat(500_000)}`, /at most 32 levels/],
    ['{"a":NaN}', /Expected JSON/],
    ['{"a":1,}', /Expected JSON/],
    ['', /Expected JSON/],
  ])('refuses %.60s', (text, message) => {
    expect(refusal(() => parseJson(text))).toMatch(/^MALFORMED_BODY/);
    expect(refusal(() => parseJson(text))).toMatch(message);
  });
});

describe('parseYaml', () => {
  test('reads a sweep as people write it', () => {
    const text = `
name: gamma × beta   # a comment
space:
  gamma: &values [1, 5.0, 1e1]
  beta: *values
  filters: '16-32'
  latent: { min: 16, max: 64, step: 16 }
seeds: 3
description: |
  two
  lines
`;
    expect(parseYaml(text)).toEqual({
      name: 'gamma × beta',
      space: {
        gamma: [1, 5, 10],
        beta: [1, 5, 10],
        filters: '16-32',
        latent: { min: 16, max: 64, step: 16 },
      },
      seeds: 3,
      description: 'two\nlines\n',
    });
  });

  test('reads JSON, and takes `yes` for a text', () => {
    expect(parseYaml('{"a": [true, null, "x"], "b": yes}')).toEqual({ a: [true, null, 'x'], b: 'yes' });
  });

  test.each(['.nan', '.inf', '-.inf', '1e999'])('refuses %s with its path', (number) => {
    expect(refusal(() => parseYaml(`a: 1\nspace: { gamma: [1, ${number}] }`))).toBe(
      `INVALID_REQUEST: In the body, space.gamma[1]: expected a finite number, but got ${number}`,
    );
  });

  const bomb = `a: &a [1,1,1,1,1,1,1,1,1]\n${[...'bcdefgh'].map((name, i) => `${name}: &${name} [${`*${'abcdefg'[i]},`.repeat(9)}]`).join('\n')}`;
  test.each([
    ['a: 1\nb: 2\na: 3', /every key once, but got "a" twice, at lines 1 and 3\./],
    ['{a: 1, "a": 2}', /every key once, but got "a" twice/],
    [bomb, /alias/i],
    [`a: &a 1\nb: [${'*a,'.repeat(200)}]`, /alias/i],
    ['a: *nobody', /Expected an anchor &nobody above line 1/],
    ['__proto__: {admin: true}', /plain keys/],
    ['a: !!js/function "x"', /Expected YAML, but at line 1, column 4/],
    ['a: !!binary aGk=', /Expected YAML/],
    ['? [a, b]\n: 1', /Expected YAML/],
    ['a: 1\n---\nb: 2', /Expected one document, but a second one begins at line 2/],
    ['a: [1', /Expected YAML/],
    ['a:\n\t- 1', /Expected YAML/],
    ['a: "\\0"', /without NUL/],
  ])('refuses %.40s', (text, message) => {
    expect(refusal(() => parseYaml(text))).toMatch(/^MALFORMED_BODY/);
    expect(refusal(() => parseYaml(text))).toMatch(message);
  });

  // Without the checks before the parser, each of these ended the process or took longer than a request may.
  const size = 64 * 1024;
  test.each([
    ['[', '['.repeat(size)],
    ['[ ]', `${'['.repeat(size / 2)}${']'.repeat(size / 2)}`],
    ['{', '{'.repeat(size)],
    ['- -', '- '.repeat(size / 2)],
    ['? ?', '? '.repeat(size / 2)],
    ['indentation', Array.from({ length: 350 }, (_, i) => `${' '.repeat(i)}a:`).join('\n')],
    ['&a &a', '&a '.repeat(size / 3)],
    ['!', '!'.repeat(size)],
  ])('survives %s a thousand times over', (_, text) => {
    expect(refusal(() => parseYaml(text))).toMatch(/^MALFORMED_BODY/);
  });

  test('reads thousands of keys and values', () => {
    const text = Array.from({ length: 5000 }, (_, i) => `key${i}: [${i}]`).join('\n');
    expect(Object.keys(parseYaml(text) as object)).toHaveLength(5000);
  });
});
