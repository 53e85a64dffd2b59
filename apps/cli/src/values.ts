import { InvalidArgumentError } from 'commander';

const bounds = (least: number, most: number): string =>
  most === Number.MAX_SAFE_INTEGER ? `from ${least} on` : `from ${least} to ${most}`;

/** Reads an option that counts: digits, within its bounds. What is none is a mistake of the command line, said before anything is done. */
export const readWhole =
  (least: number, most: number = Number.MAX_SAFE_INTEGER) =>
  (text: string): number => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`Expected a whole number ${bounds(least, most)}.`);
  };

/** The same for what need not be whole, such as days. */
export const readAmount = (text: string): number => {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value) && value >= 0) return value;
  throw new InvalidArgumentError('Expected a number from 0 on.');
};
