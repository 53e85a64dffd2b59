/** Control characters, and text in headers. */
import { describe, expect, it } from 'vitest';
import {
  decodeHeader,
  encodeHeader,
  escapeControls,
  escapeControlsInJson,
  escapeControlsInLines,
  plural,
  StoredDefinition,
  SweepDefinition,
} from '../src/index.ts';

const hostile = '\x1b[2J\x1b]0;owned\x07a\nb\tc\r\x7f\x9b\u202ed\u2066\u2028';

describe('control characters', () => {
  it('become escapes that a terminal prints', () => {
    expect(escapeControls(hostile)).toBe(
      '\\x1b[2J\\x1b]0;owned\\x07a\\x0ab\\x09c\\x0d\\x7f\\x9b\\u202ed\\u2066\\u2028',
    );
    expect(escapeControlsInLines(hostile)).toBe(
      '\\x1b[2J\\x1b]0;owned\\x07a\nb\tc\\x0d\\x7f\\x9b\\u202ed\\u2066\\u2028',
    );
  });

  it('leave other text as it is', () => {
    const text = 'γ against β, 実験, 👩‍🔬, e\u0301, “quoted”, \\x1b';
    expect(escapeControls(text)).toBe(text);
  });

  it('are escaped in JSON, and the value stays the same', () => {
    const json = JSON.stringify({ name: hostile }, null, 2);
    const escaped = escapeControlsInJson(json);
    expect(escaped).not.toMatch(/[^\P{Cc}\n]|\p{Bidi_Control}|\u2028/u); // JSON.stringify leaves these raw
    expect(JSON.parse(escaped)).toEqual({ name: hostile });
  });
});

describe('the name of a sweep', () => {
  const sweep = (texts: object) => ({ name: 'x', dataset: { name: 'glyphs' }, ...texts });
  const faults = (texts: object) =>
    SweepDefinition.safeParse(sweep(texts)).error?.issues.map(
      ({ path, message }) => `${path.join('.')}: ${message}`,
    );

  it.each([
    ['a\x1b[2Jb', '\\x1b'],
    ['a\nb', '\\x0a'],
    ['a\u202eb', '\\u202e'],
    ['a\x9bb', '\\x9b'],
  ])('%j is refused', (name, shown) => {
    expect(faults({ name })).toEqual([
      `name: Expected a text without control characters and line breaks, but got ${shown}`,
    ]);
  });

  it.each(['\u200b', '\u2060\u3164', '\u200d \u200b', '\u2800'])('%j is refused: nobody sees it', (name) => {
    expect(faults({ name })).toEqual([
      'name: Expected a text that people can see, but got only invisible characters',
    ]);
  });

  it('may have every letter, and a description several lines', () => {
    expect(faults({ name: 'γ 実験 👩‍🔬', description: 'one\n\ttwo\r\nthree' })).toBeUndefined();
    expect(faults({ description: 'one\x1b[2J' })).toEqual([
      'description: Expected a text without control characters, but got \\x1b',
    ]);
  });

  it('stays readable where an older version stored it', () => {
    const dataset = { name: 'glyphs', train: 60_000, test: 10_000, attack: 1000 };
    expect(StoredDefinition.parse(sweep({ name: 'a\x1bb', dataset })).name).toBe('a\x1bb');
  });
});

describe('text in a header', () => {
  it.each(['plain', 'γ against β', '“abc”', '👩‍🔬'])('%s comes back', (text) => {
    const header = encodeHeader(text);
    expect(header).toMatch(/^[ -~\u0080-\u00ff]*$/);
    expect(Buffer.from(header, 'latin1').toString('utf8')).toBe(text);
    expect(decodeHeader(header)).toBe(text);
  });

  it('is Latin-1 when its bytes are no UTF-8', () => {
    expect(decodeHeader('caf\xe9')).toBe('café');
  });
});

describe('a number of things', () => {
  it.each([
    [0, '0 sweeps'],
    [1, '1 sweep'],
    [2000, '2,000 sweeps'],
  ])('%i is "%s"', (count, text) => {
    expect(plural(count, 'sweep')).toBe(text);
  });

  it('may have a plural of its own', () => {
    expect([1, 2].map((count) => plural(count, 'class', 'classes'))).toEqual(['1 class', '2 classes']);
  });
});
