/** The width of text on a terminal: a letter of Chinese, Japanese or Korean and an emoji take two columns, a combining mark none. */
import stringWidth from 'string-width';

export const displayWidth = (text: string): number => stringWidth(text);

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** The text, or its start and `…` when it takes more than `width` columns. */
export const cutToWidth = (text: string, width: number): string => {
  if (displayWidth(text) <= width) return text;
  let start = '';
  let used = 1; // for the `…`
  for (const { segment } of graphemes.segment(text)) {
    used += displayWidth(segment);
    if (used > width) break;
    start += segment;
  }
  return `${start}…`;
};

/**
 * The text in lines of at most `width` columns, broken at spaces, but not between a number and its %; all lines but the first are indented. As
 * it is without a width.
 */
export const wrapToWidth = (text: string, width: number | null, indent = '  '): string => {
  if (width === null) return text;
  const lines: string[] = [];
  for (const word of text.split(/ (?!%)/)) {
    const last = lines.at(-1);
    const longer = `${last} ${word}`;
    if (last !== undefined && displayWidth(longer) <= width) lines[lines.length - 1] = longer;
    else lines.push(last === undefined ? word : `${indent}${word}`);
  }
  return lines.join('\n');
};
