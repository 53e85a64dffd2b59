import type { Trial } from '@funnel/contracts';
import { differingHyperparameters } from './differing-hyperparameters.ts';
import { formatShare } from './number.ts';
import { formatTable } from './table.ts';

/** Trials of one sweep: what tells them apart, and how far each is. */
export const describeTrials = (trials: readonly Trial[]): string =>
  trials.length === 0
    ? 'No such trial.'
    : formatTable<Trial>(
        [
          { title: '#', value: ({ number }) => String(number), align: 'right' },
          { title: 'trial', value: ({ id }) => id },
          { title: 'recipe', value: ({ recipe }) => recipe },
          ...differingHyperparameters(trials),
          { title: 'seed', value: ({ seed }) => String(seed), align: 'right' },
          { title: 'status', value: ({ status }) => status },
          { title: 'clean', value: ({ cleanAccuracy }) => formatShare(cleanAccuracy), align: 'right' },
          { title: 'attacks', value: ({ evaluations }) => String(evaluations.length), align: 'right' },
          { title: 'verdict', value: ({ verdict }) => verdict ?? '–' },
        ],
        trials,
      );
