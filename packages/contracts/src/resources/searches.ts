/** What the API says about the search of a sweep: its state, and its decisions. */
import { z } from 'zod';
import { ExtendedNumber } from '../json.ts';
import { EvaluationMetricName } from '../metrics.ts';
import { SearchPoint } from '../search.ts';
import { TrialVerdict } from '../trial-verdict.ts';
import { Count, Time } from './fields.ts';

/**
 * Why a search ended. `trials`: it has all of its configurations. `exhausted`: its space has no new point. `stopped`: a rule of `stop`
 * holds.
 */
export const SearchEnd = z.enum(['trials', 'exhausted', 'stopped']);
export type SearchEnd = z.infer<typeof SearchEnd>;

/** Where the point of a proposal comes from. `start`: one of the first points, which need no outcome. `hand`: a user asked for it. */
export const DecisionSource = z.enum(['start', 'strategy', 'try', 'hand', 'promotion', 'empty']);
export type DecisionSource = z.infer<typeof DecisionSource>;

export const SearchOutcome = z
  .strictObject({
    status: z.enum(['pending', 'bad', 'measured']),
    values: z.array(ExtendedNumber.nullable()).meta({
      description:
        'The value of each objective, mean over the seeds; empty while pending, null where a bad unit has no value.',
    }),
    reason: z.string().nullable().meta({ description: 'Why the unit is bad.' }),
  })
  .meta({ id: 'SearchOutcome' });
export type SearchOutcome = z.infer<typeof SearchOutcome>;

/** One decision of a search, and the unit that it made: the trials of a configuration at a rung, one for each seed. */
export const SearchDecision = z
  .strictObject({
    number: Count,
    source: DecisionSource,
    configuration: Count.nullable().meta({
      description:
        'The number of the decision that proposed the configuration; null for an empty place of a bracket.',
    }),
    point: SearchPoint.nullable(),
    rung: Count.nullable().meta({ description: '0 for the shortest training; null for an empty place.' }),
    epochs: Count.nullable().meta({
      description: 'The value of the fidelity; null in a search without promotion.',
    }),
    trials: z.array(z.string()).meta({ description: 'Ids of the trials of the unit, by seed.' }),
    outcome: SearchOutcome,
    promoted: z.boolean().nullable().meta({
      description:
        'Whether the configuration went on to the next rung; null at the highest rung, and while this is open.',
    }),
    note: z.string().nullable().meta({
      description:
        'Why the configuration was proposed, promoted or not, in a sentence: `7th of 27 at rung 1; the best 9 went on`.',
    }),
    decidedAt: Time,
  })
  .meta({ id: 'SearchDecision' });
export type SearchDecision = z.infer<typeof SearchDecision>;

/** The best of a search so far. */
const Best = z.strictObject({
  decision: Count,
  values: z.array(ExtendedNumber),
  evidence: z
    .array(
      z.strictObject({
        interval: z.tuple([ExtendedNumber, ExtendedNumber]).nullable(),
        images: Count,
        seeds: Count,
      }),
    )
    .optional()
    .meta({
      description:
        'Of each value: the 95 % interval as on the leaderboard (null where that has none), the images over all seeds, and the seeds. Absent in answers of older versions.',
    }),
  verdict: TrialVerdict.nullable().optional().meta({
    description: 'The worst of the seeds. Null before the first evaluation.',
  }),
});

export const SearchState = z
  .strictObject({
    sweepId: z.string(),
    ended: SearchEnd.nullable(),
    configurations: Count.meta({ description: 'The number of configurations that the search may propose.' }),
    proposed: Count,
    decisions: Count,
    rungs: z.array(z.strictObject({ epochs: Count, units: Count, ended: Count })).meta({
      description: 'The rungs, shortest first; empty in a search without promotion.',
    }),
    objectives: z
      .array(
        z.strictObject({
          title: z.string(),
          attack: z.string().nullable(),
          metric: EvaluationMetricName,
          direction: z.enum(['max', 'min']),
        }),
      )
      .min(1),
    earlier: Count.meta({ description: 'Outcomes of other sweeps that the search learns from.' }),
    waitingPoints: z
      .array(SearchPoint)
      .meta({ description: 'Points that users asked for and that the next proposals take.' }),
    best: Best.nullable().meta({
      description: 'With one objective: the best unit at the highest rung that has one.',
    }),
    front: z
      .array(Best)
      .meta({ description: 'With several objectives: the Pareto front at the highest rung that has units.' }),
    hypervolume: z
      .strictObject({
        reference: z.array(z.number()),
        overDecisions: z.array(z.strictObject({ decision: Count, value: z.number() })),
      })
      .nullable()
      .meta({
        description:
          'With several objectives: the volume that the front dominates, up to the worst finite value of each objective, after each decision that enlarged it. Null before the first value, and for three or more objectives with more than 1,000 values.',
      }),
  })
  .meta({ id: 'SearchState' });
export type SearchState = z.infer<typeof SearchState>;

/** The search of a sweep in lists of sweeps and in its progress. */
export const SearchProgress = z
  .strictObject({
    ended: SearchEnd.nullable(),
    configurations: Count,
    proposed: Count,
    trialsToCome: Count.meta({ description: 'Trials that the search will still decide, at most.' }),
  })
  .meta({ id: 'SearchProgress' });
export type SearchProgress = z.infer<typeof SearchProgress>;

/** What a plan can say about a search beforehand. The points are not known yet, so other counts of the plan are those of random points. */
export const PlannedSearch = z
  .strictObject({
    configurations: Count,
    decisions: Count,
    rungs: z
      .array(z.strictObject({ epochs: Count, units: Count }))
      .meta({ description: 'Empty without promotion.' }),
    epochsAtMost: Count,
    epochsWithoutPromotion: Count.nullable().meta({
      description:
        'Epochs if every configuration were trained as long as at the highest rung; null without promotion.',
    }),
    notes: z
      .array(z.string())
      .meta({ description: 'For example: the last bracket is cut short, so it promotes nothing.' }),
  })
  .meta({ id: 'PlannedSearch' });
export type PlannedSearch = z.infer<typeof PlannedSearch>;

export const ExtendSearch = z
  .strictObject({ trials: z.int().min(1).max(10_000).meta({ description: 'Configurations to add.' }) })
  .meta({ id: 'ExtendSearch' });
export type ExtendSearch = z.infer<typeof ExtendSearch>;
export const TryPoint = z.strictObject({ point: SearchPoint }).meta({ id: 'TryPoint' });
export type TryPoint = z.infer<typeof TryPoint>;
