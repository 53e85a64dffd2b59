/** What callers give as the options of a function. TypeScript refuses wrong ones in literals, but JavaScript ignores them. */
import { AppError, didYouMean, isRecord } from '@funnel/contracts';

/** What a program without types has given, in a word: `undefined`, `5`, `Promise`, `Sequential`, `Array`. */
export const nameOf = (value: unknown): string => {
  if (typeof value === 'string') return `the text ${JSON.stringify(value.slice(0, 40))}`;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return value?.constructor?.name ?? String(value);
};

/** What is expected, in words, and whether a value is that. */
type Check = { readonly expected: string; readonly isRight: (value: unknown) => boolean };

/** The function itself checks the value, and says more about it. */
export const ownCheck: Check = { expected: 'a value', isRight: () => true };
export const flag: Check = { expected: 'true or false', isRight: (value) => typeof value === 'boolean' };
export const text: Check = { expected: 'a text', isRight: (value) => typeof value === 'string' };
export const object: Check = { expected: 'an object', isRight: isRecord };
export const callback: Check = { expected: 'a function', isRight: (value) => typeof value === 'function' };
export const numbers: Check = {
  expected: 'an array of numbers',
  isRight: (value) =>
    (Array.isArray(value) || ArrayBuffer.isView(value)) &&
    Array.prototype.every.call(value, (item: unknown) => typeof item === 'number'),
};
export const signal: Check = {
  expected: 'an AbortSignal',
  isRight: (value) => isRecord(value) && 'throwIfAborted' in (value as object),
};
export const oneOf = (words: readonly string[]): Check => ({
  expected: `one of ${words.join(', ')}`,
  isRight: (value) => words.includes(value as string),
});
export const wholeFrom = (min: number): Check => ({
  expected: `a whole number of at least ${min}`,
  isRight: (value) => Number.isSafeInteger(value) && (value as number) >= min,
});

/** The check of every option of a function. The code does not compile if one is missing. */
export type OptionChecks<Options> = Readonly<Record<keyof Required<Options>, Check>>;

/** Settings of an attack are the usual unknown options. */
export const settingsHint =
  "Settings of an attack stand beside its name: { attack: { attack: 'pgd-linf', epsilon: 0.1 } }";

/** Throws ATTACK_INPUT. */
export const refuse = (message: string): never => {
  throw new AppError('ATTACK_INPUT', message);
};

/**
 * Throws ATTACK_INPUT for options that are no object, for an unknown option, since the caller would get the result of other options, and for
 * a wrong value. An option that is undefined counts as absent.
 */
export const checkOptions = <Options extends object>(
  given: Options,
  checks: OptionChecks<Options>,
  hint = '',
): void => {
  if (!isRecord(given)) refuse(`Expected options as an object, but got ${nameOf(given)}`);
  const names = Object.keys(checks);
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(checks, name)) {
      const advice = [didYouMean(name, names), hint].filter(Boolean).join(' ');
      refuse(`Expected only the options ${names.join(', ')}, but got ${name}${advice && `: ${advice}`}`);
    }
    const { expected, isRight } = checks[name as keyof Options];
    if (value !== undefined && !isRight(value))
      refuse(`Expected ${name} as ${expected}, but got ${nameOf(value)}`);
  }
};
