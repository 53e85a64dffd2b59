/** Options that a function does not have. TypeScript refuses them in literals, but JavaScript ignores them. */
import { AppError, didYouMean } from '@funnel/contracts';

/** The names of all options of a function. The code does not compile if one is missing. */
export type OptionNames<Options> = Readonly<Record<keyof Required<Options>, true>>;

/** Settings of an attack are the usual unknown options. */
export const settingsHint =
  "Settings of an attack stand beside its name: { attack: { attack: 'pgd-linf', epsilon: 0.1 } }";

/** Throws ATTACK_INPUT for an unknown option: without it, the caller would get the result of other options. */
export const refuseUnknownOptions = <Options extends object>(
  given: Options,
  known: OptionNames<Options>,
  hint = '',
): void => {
  const names = Object.keys(known);
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(known, name));
  if (unknown === undefined) return;
  const advice = [didYouMean(unknown, names), hint].filter(Boolean).join(' ');
  throw new AppError(
    'ATTACK_INPUT',
    `Expected only the options ${names.join(', ')}, but got ${unknown}${advice && `: ${advice}`}`,
  );
};
