/** Parsers for the values of options. Commander calls them before the command runs. They throw InvalidArgumentError. */
import { nameFault, SweepTag } from '@funnel/contracts';
import { InvalidArgumentError } from 'commander';

/** How the help says that a command finds a sweep, and a trial (`requests.ts`). */
export const sweepWords = 'its id or the start of it, its name, or latest';
export const trialWords = 'its id, or SWEEP-NUMBER such as latest-0';

/** A whole number in digits, from `min` to `max`. */
export const readWhole =
  (min: number, max: number = Number.MAX_SAFE_INTEGER) =>
  (text: string): number => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    const bounds = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
    throw new InvalidArgumentError(`Expected a whole number ${bounds}.`);
  };

/** A number from 0 to `max`, such as 0.5 days. */
export const readAmount =
  (max: number) =>
  (text: string): number => {
    const value = Number(text);
    if (text.trim() !== '' && value >= 0 && value <= max) return value;
    throw new InvalidArgumentError(`Expected a number from 0 to ${max}.`);
  };

/** Characters of a name or a key. The names of sweeps have the same limit. */
const maxLine = 200;

/** A text of one line that people can see, such as a name or a key. */
export const readLine = (text: string): string => {
  const fault =
    text === ''
      ? 'Expected a text, but got an empty one'
      : text.length > maxLine
        ? `Expected at most ${maxLine} characters, but got ${text.length}`
        : nameFault(text);
  if (fault !== null) throw new InvalidArgumentError(`${fault}.`);
  return text;
};

/** For an option that may be given several times: all of its values in order. */
export const collect = (value: string, earlier: readonly string[] = []): readonly string[] => [
  ...earlier,
  value,
];

/** As `collect`, for tags of sweeps. */
export const readTag = (text: string, earlier: readonly string[] = []): string[] => {
  const { data: tag, error } = SweepTag.safeParse(text);
  if (tag === undefined) throw new InvalidArgumentError(`${error?.issues[0]?.message}.`);
  return [...earlier, tag];
};
