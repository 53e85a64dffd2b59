import { readFileSync } from 'node:fs';
import { Exit, exitCodes } from '../exit-codes.ts';

const wrong = (text: string, why: string): Exit =>
  new Exit(
    exitCodes.usage,
    `Expected a range such as 0-99, ranges joined by commas, or a file with a JSON array of indices: ${why} (${text})`,
  );

const fromRange = (text: string): number[] => {
  const match = /^(\d+)(?:-(\d+))?$/.exec(text.trim());
  if (!match) throw wrong(text, 'this is neither');
  const first = Number(match[1]);
  const last = Number(match[2] ?? match[1]);
  if (last < first) throw wrong(text, 'the last index lies before the first');
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
};

const fromFile = (path: string): number[] => {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw wrong(path, error instanceof Error ? error.message : String(error));
  }
  if (
    !Array.isArray(content) ||
    content.length === 0 ||
    !content.every((index) => Number.isInteger(index) && index >= 0)
  )
    throw wrong(path, 'the file holds something else');
  return content;
};

/** `0-99`, `3,5,10-19`, or the path of a file with a JSON array. Each index once, in the order given. */
export const readIndices = (text: string): number[] => {
  const indices = /^[\d\s,-]+$/.test(text) ? text.split(',').flatMap(fromRange) : fromFile(text);
  return [...new Set(indices)];
};
