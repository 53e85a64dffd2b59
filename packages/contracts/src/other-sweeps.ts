/** Other sweeps that a plan or a sweep names: those that do a part of its work, and those that workers run before it. */
import { z } from 'zod';
import { formatRoughDuration } from './durations.ts';
import { StoredSweepStatus } from './statuses.ts';

/** Another sweep, as it was when the plan was made or the sweep was read. */
export const OtherSweep = z
  .strictObject({ id: z.string(), name: z.string(), status: StoredSweepStatus })
  .meta({ id: 'OtherSweep' });
export type OtherSweep = z.infer<typeof OtherSweep>;

/** What workers run before a sweep: the sweeps of higher priority. */
export const WaitsBehind = z
  .strictObject({
    sweeps: z.array(OtherSweep).min(1).meta({ description: 'The one with the highest priority first.' }),
    seconds: z.number().nullable().meta({
      description: 'The time until these sweeps have ended; null when no speed of one of them is known.',
    }),
  })
  .meta({ id: 'WaitsBehind' });
export type WaitsBehind = z.infer<typeof WaitsBehind>;

/** `waits behind A, B and 2 more (about 12 min)` */
export const describeBehind = ({ sweeps, seconds }: WaitsBehind): string => {
  const names = sweeps.slice(0, 2).map(({ name }) => name);
  const more = sweeps.length > names.length ? ` and ${sweeps.length - names.length} more` : '';
  return `waits behind ${names.join(', ')}${more}${seconds === null ? '' : ` (about ${formatRoughDuration(seconds)})`}`;
};
