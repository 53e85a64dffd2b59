/** Trials, their evaluations and their worst case in the answers of the API. */
import { z } from 'zod';
import { Diagnostic, Verdict } from '../attacks/diagnostics.ts';
import { CleanCounts, EvaluationSummary } from '../attacks/evaluation.ts';
import { AttackName } from '../attacks.ts';
import { Sha256 } from '../checkpoint.ts';
import { DatasetSlug, SweepContent } from '../dataset-spec.ts';
import { HyperparameterValue } from '../hyperparameters.ts';
import { ExtendedNumber } from '../json.ts';
import { DistanceMetricName, EvaluationMetricName } from '../metrics.ts';
import { RecipeName } from '../recipes.ts';
import { TrialStatus } from '../statuses.ts';
import { ThreatModel } from '../threat-model.ts';
import { TrialVerdict } from '../trial-verdict.ts';
import { VersionChange } from '../versions.ts';
import { Count, Time } from './fields.ts';
import { Stage } from './stages.ts';

export const RobustAtEpsilon = z
  .strictObject({
    norm: z.enum(['l2', 'linf']),
    epsilon: z.number().min(0),
    robust: Count.meta({
      description: 'Images that are classified correctly, and for which the attack found no change within ε.',
    }),
    accuracy: z.number().min(0).max(1).meta({ description: 'robust / images.' }),
  })
  .meta({ id: 'RobustAtEpsilon' });
/** Parts of the evaluations that a list of trials has only when asked. */
export const TrialExtra = z.enum(['robustAtEpsilon']);
export type TrialExtra = z.infer<typeof TrialExtra>;
export type RobustAtEpsilon = z.infer<typeof RobustAtEpsilon>;

export const DistanceIntervals = z
  .partialRecord(DistanceMetricName, z.tuple([ExtendedNumber, ExtendedNumber]).nullable())
  .meta({
    id: 'DistanceIntervals',
    description:
      'The 95 % intervals of distances. Medians: order statistics over the attacked images, null for fewer than six. Noise level: Student’s t over the fooled images, null for fewer than two. Null without a value, too.',
  });
export type DistanceIntervals = z.infer<typeof DistanceIntervals>;

const intervalsWhere =
  'In answers about whole trials, and of the metrics that a list of trials was asked for.';

export const Evaluation = z
  .strictObject({
    stage: Sha256,
    attack: AttackName,
    settings: z.record(z.string(), z.unknown()),
    summary: EvaluationSummary,
    verdict: Verdict,
    diagnostics: z.array(Diagnostic),
    robustAtEpsilon: RobustAtEpsilon.optional().meta({
      description:
        'Of an attack that looks for the smallest change, which has no robust accuracy of its own: the robust accuracy at its setting ε, else at the ε of the trial’s other attacks in its norm. In answers about whole trials, and in lists with `include=robustAtEpsilon`.',
    }),
    intervals: DistanceIntervals.optional().meta({ description: intervalsWhere }),
  })
  .meta({ id: 'Evaluation' });
export type Evaluation = z.infer<typeof Evaluation>;

/** The worst case over all attacks of a trial, image by image: see `ranking.ts`. */
export const WorstCase = z
  .strictObject({
    within: ThreatModel.meta({
      description:
        'The balls inside which an adversarial counts against robust accuracy; empty if every adversarial counts.',
    }),
    values: z.record(EvaluationMetricName, ExtendedNumber.nullable()).meta({
      description:
        'Null: no such number exists. A median is null in a norm in which no attack of the trial works (medianL2 under L∞ attacks alone, for example).',
    }),
    intervals: DistanceIntervals.optional().meta({ description: intervalsWhere }),
  })
  .meta({ id: 'WorstCase' });
export type WorstCase = z.infer<typeof WorstCase>;

export const Trial = z
  .strictObject({
    id: z.string(),
    sweepId: z.string(),
    number: Count,
    recipe: RecipeName,
    dataset: DatasetSlug,
    seed: z.int(),
    hyperparameters: z.record(z.string(), HyperparameterValue),
    decision: Count.optional().meta({
      description:
        'The number of the decision that made the trial, in a search that decides one configuration after the other.',
    }),
    rung: Count.optional().meta({ description: 'The rung of the trial, from 0; absent without promotion.' }),
    status: TrialStatus,
    cleanAccuracy: z.number().nullable(),
    verdict: TrialVerdict.nullable().meta({
      description: 'See `trial-verdict.ts`. Null before the first evaluation.',
    }),
    evaluations: z.array(
      z.strictObject({
        stage: Sha256.optional().meta({
          description:
            'The stage that ran the attack. Trials of sweeps with equal parts share it. Absent in answers of older versions.',
        }),
        attack: AttackName,
        settings: z.record(z.string(), z.unknown()),
        summary: EvaluationSummary,
        verdict: Verdict,
        robustAtEpsilon: Evaluation.shape.robustAtEpsilon,
        intervals: Evaluation.shape.intervals,
      }),
    ),
    worstCase: WorstCase.nullable().meta({
      description: 'Null until all attacks of the trial are complete.',
    }),
    createdAt: Time,
    finishedAt: Time.nullable(),
  })
  .meta({ id: 'Trial' });
export type Trial = z.infer<typeof Trial>;

/** Also a part of a row of the leaderboard. */
export const Older = z.array(VersionChange).optional().meta({
  description: 'The stages that another version of Funnel made. Absent if there are none.',
});

export const TrialDetail = Trial.extend({
  data: SweepContent.pick({ shape: true, classes: true, budgets: true }).meta({
    description:
      'The data set of the sweep: the shape of an image, the names of the classes, and the usual ε.',
  }),
  perClass: CleanCounts.nullable().meta({
    description:
      'The test images of each class, by label, and how many of them the trained classifier gets right. Null until it is trained, and for a classifier that an older version trained.',
  }),
  stages: z.array(Stage),
  evaluations: z.array(Evaluation),
  older: Older,
  /** Warnings about the meaning of a number, for example a penalty that was always zero. */
  warnings: z.array(z.string()),
}).meta({ id: 'TrialDetail' });
export type TrialDetail = z.infer<typeof TrialDetail>;
