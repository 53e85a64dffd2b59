/**
 * Text between people and programs. From people: which characters it may have, and how a program shows the others. A control character can
 * move a terminal's cursor or rename its window. A bidirectional control makes text read other than it is. For people: large numbers.
 */
import { z } from 'zod';

/** C0, DEL and C1 controls, bidirectional controls, and the separators of lines and paragraphs. */
const controls = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;
/** The controls that text of several lines may have: tab, line feed, carriage return. */
const layout = /[\t\n\r]/g;

const escapeOne = (character: string): string => {
  const code = character.codePointAt(0)!;
  return code < 0x100
    ? `\\x${code.toString(16).padStart(2, '0')}`
    : `\\u${code.toString(16).padStart(4, '0')}`;
};

/** The text with every control character as an escape, such as `\x1b` or `\u202e`. Also tabs and line breaks. */
export const escapeControls = (text: string): string => text.replace(controls, escapeOne);

const escapeWithin = (text: string, escapeCharacter: (character: string) => string): string =>
  text.replace(controls, (character) =>
    '\t\n'.includes(character) ? character : escapeCharacter(character),
  );

/** As `escapeControls`, but keeps tabs and line feeds. For text of several lines. */
export const escapeControlsInLines = (text: string): string => escapeWithin(text, escapeOne);

/** JSON in which no text has a raw control character. Expects JSON with or without indentation; its value stays the same. */
export const escapeControlsInJson = (json: string): string =>
  escapeWithin(json, (character) => `\\u${character.codePointAt(0)!.toString(16).padStart(4, '0')}`);

/** The first forbidden character of a text as an escape; null when there is none. */
const firstControl = (text: string): string | null => {
  const [found] = text.match(controls) ?? [];
  return found === undefined ? null : escapeOne(found);
};

/** Why a text is no line; null for a line. */
export const lineFault = (text: string): string | null => {
  const control = firstControl(text);
  return control && `Expected a text without control characters and line breaks, but got ${control}`;
};

/** White space, the characters that Unicode draws as nothing, and the blank pattern of Braille. */
const invisible = /^[\p{White_Space}\p{Default_Ignorable_Code_Point}\p{Cf}\u2800]+$/u;

/** Why a text is no name that people can see; null for a name. */
export const nameFault = (text: string): string | null =>
  lineFault(text) ??
  (invisible.test(text) ? 'Expected a text that people can see, but got only invisible characters' : null);

/** Why a text is not plain text of one or more lines; null when it is. */
export const linesFault = (text: string): string | null => {
  const control = firstControl(text.replace(layout, ''));
  return control && `Expected a text without control characters, but got ${control}`;
};

/** A title in the middle of a sentence: `Robust accuracy` → `robust accuracy`, but `L2 norm` stays. */
export const inSentence = (title: string): string =>
  title.replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase());

/** A text of one line without control characters. */
export const Line = z.string().check((context) => {
  const message = lineFault(context.value);
  if (message !== null) context.issues.push({ code: 'custom', input: context.value, message });
});

/**
 * A header of HTTP carries bytes, which programs read as Latin-1. Funnel writes the bytes of UTF-8, so every letter can travel: each
 * character of the result stands for one byte.
 */
export const encodeHeader = (text: string): string =>
  Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join('');

/** The text of a header. Bytes that are no UTF-8, which a client of another make may send, are read as Latin-1. */
export const decodeHeader = (header: string): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(
      Uint8Array.from(header, (character) => character.charCodeAt(0)),
    );
  } catch {
    return header;
  }
};

/** `1e-4`, `2.5e-7`: a number as a power of ten. `digits`: the largest number of decimals. (Default: all that it has) */
export const formatPower = (value: number, digits?: number): string =>
  value
    .toExponential(digits)
    .replace(/\.?0+e/, 'e')
    .replace('e+', 'e');

/** A value with all of its digits, as one may write it in a sweep file: `1e-4`, `0.05`, `relu`. */
export const formatExact = (value: number | string | boolean): string =>
  typeof value === 'number' && value !== 0 && Math.abs(value) < 1e-3 ? formatPower(value) : String(value);

/** `69,950`: digits in groups of three. */
export const formatAmount = (amount: number): string => amount.toLocaleString('en-US');

/** `1 sweep`, `2,000 sweeps`. */
export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${formatAmount(count)} ${count === 1 ? one : many}`;

/** Images per second with at least two digits: `0.34`, `1,235`. A slow attack has a speed, too. */
export const formatSpeed = (imagesPerSecond: number): string =>
  imagesPerSecond < 10
    ? String(Number(imagesPerSecond.toPrecision(2)))
    : formatAmount(Math.round(imagesPerSecond));

/** Of several stages together; null while none of them has a speed. */
export const totalSpeed = (
  running: readonly { readonly imagesPerSecond: number | null }[],
): number | null => {
  const speeds = running.flatMap(({ imagesPerSecond }) => imagesPerSecond ?? []);
  return speeds.length === 0 ? null : speeds.reduce((sum, speed) => sum + speed, 0);
};

const byteUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** `1.23 GiB`: at least three digits, 1 KiB is 1024 bytes. */
export const formatBytes = (bytes: number): string => {
  const amounts = byteUnits.map((unit, power) => {
    const scaled = bytes / 1024 ** power;
    return { unit, amount: scaled < 100 ? Number(scaled.toPrecision(3)) : Math.round(scaled) };
  });
  const { amount, unit } = amounts.find((each) => each.amount < 1024) ?? amounts.at(-1)!;
  return `${amount} ${unit}`;
};
