/** Reads attacks as callers write them. zod refuses a wrong one with its own error, which becomes an AppError here, like every other refused input. */
import {
  AppError,
  type AttackInput,
  type AttackSpec,
  attackFaults,
  attackSpec,
  expandAttacks as expand,
} from '@funnel/contracts';
import { z } from 'zod';
import { nameOf } from './options.ts';

/** `written`: an attack or a list of attacks. */
const refusing = <Result>(written: unknown, read: () => Result): Result => {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error;
    throw new AppError('ATTACK_INPUT', attackFaults(error, written).join('; '));
  }
};

/** One attack with the defaults of its settings. Errors: ATTACK_INPUT, which names the unknown attack or setting. */
export const readAttack = (input: AttackInput): AttackSpec => refusing(input, () => attackSpec(input));

/**
 * Every attack of a list once, in order, with the defaults of its settings. Presets take `budgets` (default: the usual ones of
 * `dataset`), and the settings that stand beside their name. Errors: ATTACK_INPUT, which names the unknown attack, preset or setting.
 */
export const expandAttacks = (...input: Parameters<typeof expand>): readonly AttackSpec[] => {
  const [list] = input;
  if (typeof list !== 'object' || list === null)
    throw new AppError(
      'ATTACK_INPUT',
      `Expected a list of attacks, such as ['${typeof list === 'string' ? list : 'fgsm'}'], but got ${nameOf(list)}`,
    );
  return refusing(list, () => expand(...input));
};
