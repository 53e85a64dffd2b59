/** A row of the leaderboard in the answers of the API. */
import { z } from 'zod';
import { EvaluationSummary } from '../attacks/evaluation.ts';
import { AttackName } from '../attacks.ts';
import { DatasetSlug } from '../dataset-spec.ts';
import { HyperparameterValue } from '../hyperparameters.ts';
import { ExtendedNumber } from '../json.ts';
import { EvaluationMetricName } from '../metrics.ts';
import { MissedImages } from '../missed-by-gradients.ts';
import { RecipeName } from '../recipes.ts';
import { TrialVerdict } from '../trial-verdict.ts';
import { Count } from './fields.ts';
import { Older, RobustAtEpsilon, WorstCase } from './trials.ts';

/**
 * Ranked best first. Ties share a rank and are ordered by trial id. A row without a value has no rank and
 * comes after all others. A trial that is masked, untrained or has too few images ranks after all
 * others, unless the query sets `masked` to another value.
 */
export const LeaderboardRow = z
  .strictObject({
    rank: z.int().nullable().meta({ description: 'Null for a row without a value.' }),
    trialId: z.string(),
    sweepId: z.string(),
    recipe: RecipeName,
    dataset: DatasetSlug,
    rung: Count.optional().meta({
      description:
        'The rung of the row in a search with promotion. Rows of different rungs never rank together: those of the highest rung come first.',
    }),
    /** The seed of a trial, or all seeds of a configuration. */
    seeds: z.array(z.int()),
    hyperparameters: z.record(z.string(), HyperparameterValue),
    attack: AttackName,
    settings: z.record(z.string(), z.unknown()),
    within: WorstCase.shape.within.optional().meta({
      description:
        'For the worst case over all attacks: the balls inside which an adversarial counts. `attack` is then the strongest attack.',
    }),
    tied: z.array(AttackName).optional().meta({
      description:
        'For the worst case: the other attacks that are as strong as `attack`. They fooled as many images within the balls, over all seeds of the row, or have the same value of a metric that counts no images. Absent if there are none.',
    }),
    metric: EvaluationMetricName,
    value: ExtendedNumber.nullable().meta({
      description:
        'For a configuration: the mean over its seeds if all values are finite, otherwise the median. Null if a seed has no value.',
    }),
    robustAtEpsilon: RobustAtEpsilon.optional().meta({
      description:
        'Where the attack of a ranking looks for the smallest change: the robust accuracy at its setting ε, else at the ε of the other attacks of the sweep in its norm, over the images of all seeds.',
    }),
    infiniteSeeds: Count.optional().meta({
      description: 'For a configuration: the number of its seeds with the value ∞. Absent if there are none.',
    }),
    halfWidth: z.number().nullable().meta({
      description:
        'Half-width of the 95 % interval of the mean over seeds (Student’s t). Null for one seed, and if the value of a seed is infinite.',
    }),
    interval: z.tuple([ExtendedNumber, ExtendedNumber]).nullable().meta({
      description:
        'The 95 % interval of the value. Shares: Wilson, over the images of all seeds together. Medians: order statistics over the attacked images; noise level: Student’s t over the fooled images; both as the mean over the seeds. All reach at least to ±1.96 standard errors of the mean over the seeds. Null without a value, and for fewer than six images (a median) or two (the noise level).',
    }),
    seedRange: z.tuple([z.number(), z.number()]).optional().meta({
      description:
        'The smallest and the largest value of a seed, for shares over several seeds. `interval` is of their mean: a seed may lie outside. Absent in answers of older versions.',
    }),
    counts: z
      .strictObject({
        images: Count.meta({ description: 'The images of the attack.' }),
        correct: Count.meta({
          description: 'Those that are classified correctly when clean: only these are attacked.',
        }),
        fooled: Count.meta({ description: 'Those of the correct ones that the attack fooled.' }),
      })
      .meta({
        description:
          'The images behind the value, over all seeds. Attack success is fooled / correct, robust accuracy (correct − fooled) / images.',
      }),
    letters: z.string().optional().meta({
      description:
        'Rows that cannot be told apart have a letter in common: McNemar’s exact test at 5 % on the same images for shares of all images, and a z-test of the means where rows have several seeds; else overlapping 95 % intervals. Only for the first rows of a ranking, and only for those about the same data set and attacks (with the same settings) as the best row.',
    }),
    cleanAccuracy: z.number().nullable().meta({
      description: 'On all test images; the mean over the seeds.',
    }),
    cleanInterval: z.tuple([z.number(), z.number()]).nullable().meta({
      description:
        'The 95 % Wilson interval of `cleanAccuracy`, over the test images of all seeds together, or ±1.96 standard errors of the mean over the seeds where these are more.',
    }),
    /** As in the summary of an evaluation, mean over the seeds; absent without a defence that rejects images. */
    rejectedClean: EvaluationSummary.shape.rejectedClean,
    rejectedAttacked: EvaluationSummary.shape.rejectedAttacked,
    verdict: TrialVerdict,
    flaggedTrialId: z.string().optional().meta({
      description:
        'For a configuration: the trial of its first seed with `verdict`. Absent for `ok`, and if that is `trialId`.',
    }),
    sameAs: z.string().optional().meta({
      description:
        'The trial of an earlier row with the same attack stages and value: another sweep has submitted the same runs. Absent for that first row.',
    }),
    older: Older,
    /** The reasons for the verdict, one sentence each; empty for `ok`. */
    reasons: z.array(z.string()),
    missedByGradients: z.array(MissedImages).optional().meta({
      description:
        'The images that attacks without gradients fool and no gradient attack of the trial fools within the same ε, over all seeds: a sign that gradients mislead attacks, also where `verdict` is `ok`. Absent if no seed has two such images.',
    }),
  })
  .meta({ id: 'LeaderboardRow' });
export type LeaderboardRow = z.infer<typeof LeaderboardRow>;
