import { FunnelError } from '@funnel/client';
import { Exit, exitCodes } from './exit-codes.ts';

/** An id says nothing of what it names: each kind of thing is asked for in turn. Throws Exit where it is none of them. */
export const firstFound = async <T>(
  id: string,
  kinds: Readonly<Record<string, () => Promise<T>>>,
): Promise<T> => {
  for (const ask of Object.values(kinds))
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof FunnelError && error.code === 'NOT_FOUND')) throw error;
    }
  throw new Exit(
    exitCodes.refused,
    `There is neither a ${Object.keys(kinds).join(' nor a ')} with the id ${id}.\n→ funnel ls and funnel trials SWEEP list ids.`,
  );
};
