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
