/** Wild values: extremes that no schema of the API expects, or few. */

const levels = 10_000;

/** As JSON. JSON.stringify cannot write some of them. */
export const wildJson: readonly string[] = [
  '0',
  '-0',
  '-1',
  '1e308',
  '5e-324',
  '9007199254740992',
  '1e999',
  'null',
  'true',
  '[]',
  '{}',
  `[${'0,'.repeat(99_999)}0]`,
  '"\\u0000\\u001b[2J\\u202e"',
  `"${'x'.repeat(2 ** 20 - 400)}"`, // with the rest of a small body just within the limit of a body
  `"${'x'.repeat(2 ** 20)}"`,
  `${'['.repeat(levels)}${']'.repeat(levels)}`,
];

/** For parameters of a URL, and for headers. */
export const wildTexts: readonly string[] = [
  '',
  '0',
  '-0',
  '1e308',
  '5e-324',
  '9007199254740992',
  'Infinity',
  ' 1',
  '0x10',
  '[]',
  ','.repeat(5000),
  '\u0000\u001b[2J\u202e',
  'x'.repeat(6000),
];
