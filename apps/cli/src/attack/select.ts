/** Which attacks run after the examination of a model, and which do not, with the reason. */
import type { AttackSpec, Examination } from '@funnel/contracts';
import { Exit, exitCodes } from '../exit.ts';
import type { LeftOut } from './results.ts';

const reasons = {
  right: null,
  unknown: null,
  wrong: 'the gradients of the model cannot be trusted',
  missing: 'the model has no gradients',
} as const satisfies Record<Examination['gradients'], string | null>;

/** Why results that need gradients cannot be trusted; null if they can. */
export const gradientFault = ({ gradients }: Examination): string | null => reasons[gradients];

/**
 * The attacks whose results can be trusted, and the others with the reason. With `force` all attacks run. Throws Exit if the examination
 * refuses the model.
 */
export const selectAttacks = async (
  examination: Examination,
  attacks: readonly AttackSpec[],
  force: boolean,
): Promise<{ readonly run: readonly AttackSpec[]; readonly leftOut: readonly LeftOut[] }> => {
  if (force) return { run: attacks, leftOut: [] };
  if (examination.status === 'refused')
    throw new Exit(
      exitCodes.unfit,
      'No attack ran. Change the options as the findings say, or give --force.',
    );
  const { splitByGradients } = await import('@funnel/attacks');
  const { run, leftOut } = splitByGradients(examination, attacks);
  const reason = gradientFault(examination) ?? '';
  return { run, leftOut: leftOut.map(({ attack }) => ({ attack, reason })) };
};
