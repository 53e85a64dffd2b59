/**
 * The answers and events of the API. Times are ISO 8601 in UTC. An infinite median distance is "Infinity" (`json.ts`); a number that does
 * not exist is null.
 */
import { z } from 'zod';
import { Lack } from './abilities.ts';
import { Diagnostic, Verdict } from './attacks/diagnostics.ts';
import { CleanCounts, EvaluationSummary } from './attacks/evaluation.ts';
import { AttackName } from './attacks.ts';
import { Position, Sha256 } from './checkpoint.ts';
import { DatasetSlug, SweepContent } from './dataset-spec.ts';
import { Problem } from './errors.ts';
import { HyperparameterValue } from './hyperparameters.ts';
import { ExtendedNumber } from './json.ts';
import { DistanceMetricName, EvaluationMetricName } from './metrics.ts';
import { WaitsBehind } from './other-sweeps.ts';
import { Plan } from './plan.ts';
import { ThreatModel } from './ranking.ts';
import { RecipeName } from './recipes.ts';
import { SearchProgress } from './search-resources.ts';
import { AttackRun } from './stages.ts';
import { StageKind, StageStatus, StoredSweepStatus, SweepStatus, TrialStatus } from './statuses.ts';
import { StoredDefinition } from './sweep.ts';
import { SweepOverview } from './sweep-overview.ts';
import { TrialVerdict } from './trial-verdict.ts';
import { Usage } from './usage.ts';
import { VersionChange } from './versions.ts';

const Time = z.iso.datetime();
const Count = z.int().min(0);

const StatusCounts = <S extends z.ZodEnum>(status: S) => z.partialRecord(status, Count);

export const Sweep = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    status: SweepStatus,
    createdAt: Time,
    finishedAt: Time.nullable(),
    trials: StatusCounts(TrialStatus),
    plan: Plan,
    /** Epochs of `plan.epochs.needed` that have been trained. */
    epochsTrained: Count,
    epochs: z.strictObject({ done: Count, total: Count }).optional().meta({
      description:
        'The epochs that the sweep needs and that were not trained before it was submitted, whichever sweep trains them. Absent in answers of older versions.',
    }),
    progress: z.number().meta({
      description:
        '0 to 1: the share of epochs and attacks with a result, whichever sweep ran them, without those that had one before, unless a sweep in progress ran them. When every trial has ended, the share of trials that completed.',
    }),
    etaSeconds: z.number().nullable().meta({
      description:
        'Seconds until the sweep has ended, at the speed so far: those of its own work, and those that workers spend on other sweeps before it and in turn with it. Null when the sweep does not run, or when no speed is known. Time in which no stage of the sweep ran does not count.',
    }),
    behind: WaitsBehind.optional().meta({
      description:
        'The sweeps of higher priority from which workers take their next stages; absent when there is none, and in answers of older versions.',
    }),
    search: SearchProgress.optional().meta({
      description: 'Set for a search that decides one configuration after the other.',
    }),
    overview: SweepOverview.optional().meta({ description: 'Absent in answers of older versions.' }),
    priority: z.int(),
    tags: z.array(z.string()).optional().meta({ description: 'Absent in answers of older versions.' }),
    action: z
      .strictObject({
        name: z.enum(['connect', 'pause', 'resume', 'cancel', 'delete', 'retry']),
        done: Count,
        total: Count,
      })
      .nullable()
      .meta({
        description:
          'The rest of an action on a large sweep, which goes on in batches: `done` of `total` stages (for a retry: stages and trials). `connect`: the new sweep is connected with stages that other sweeps have; the counts of stages contain only those that are done. Null when nothing is left.',
      }),
  })
  .meta({ id: 'Sweep' });
export type Sweep = z.infer<typeof Sweep>;

export const Stage = z
  .strictObject({
    id: Sha256,
    chain: Sha256,
    kind: StageKind,
    recipe: RecipeName,
    status: StageStatus,
    hyperparameters: z.record(z.string(), HyperparameterValue),
    seed: z.int(),
    epochs: Count,
    /** The epoch from which the stage continued. */
    startEpoch: Count,
    position: Position.nullable(),
    parent: Sha256.nullable(),
    dependsOn: Sha256.nullable().meta({ description: 'The stage that must end first.' }),
    attack: AttackRun.nullable(),
    surrogates: z
      .array(Sha256)
      .meta({ description: 'Stages whose classifiers a transfer attack uses. They must end first, too.' }),
    attempts: Count,
    fencingToken: Count,
    workerId: z.string().nullable(),
    checkpoint: Sha256.nullable(),
    error: z.strictObject({ code: z.string(), message: z.string() }).nullable(),
    waitsFor: z.string().nullable().meta({
      description: 'For a ready stage that no live worker can run: `waits for a worker with mnist`.',
    }),
    sharedBy: Count.meta({ description: 'Number of trials that need this stage.' }),
    seconds: z.number().nullable().meta({ description: 'Wall-clock seconds of its attempts.' }),
    usage: Usage.nullable().optional().meta({
      description:
        'Cores and memory of its attempts, as far as they were measured: null if none was. Absent in answers of older versions.',
    }),
    startedAt: Time.nullable(),
    finishedAt: Time.nullable(),
  })
  .meta({ id: 'Stage' });
export type Stage = z.infer<typeof Stage>;

/** One line of the log of a stage. */
export const StageLogLine = z
  .strictObject({
    at: Time,
    attempt: Count.nullable().meta({
      description: 'Number of the attempt; null for a line about an epoch.',
    }),
    level: z.enum(['info', 'warn', 'error']),
    message: z.string(),
    detail: z.string().nullable().meta({ description: 'The stack of an error.' }),
  })
  .meta({ id: 'StageLogLine' });
export type StageLogLine = z.infer<typeof StageLogLine>;

/** One line of the log of a worker: the start or the end of an attempt. */
export const WorkerLogLine = StageLogLine.extend({ stage: z.string(), kind: StageKind }).meta({
  id: 'WorkerLogLine',
});
export type WorkerLogLine = z.infer<typeof WorkerLogLine>;

export const SweepDetail = Sweep.extend({
  definition: StoredDefinition,
  notes: z
    .string()
    .optional()
    .meta({ description: 'What people wrote about the sweep. Absent in answers of older versions.' }),
  stages: z.array(z.strictObject({ kind: StageKind, status: StageStatus, count: Count })),
  waitsFor: z.array(z.string()).meta({
    description: 'Why ready stages wait although workers are online: `waits for a worker with mnist`.',
  }),
}).meta({ id: 'SweepDetail' });
export type SweepDetail = z.infer<typeof SweepDetail>;

/** A submission that waits for others, or that takes longer than a request may. */
export const Submission = z
  .strictObject({
    id: z.string(),
    name: z.string().meta({ description: 'The name of the sweep.' }),
    status: z.enum(['waiting', 'running', 'completed', 'refused']),
    ahead: Count.meta({
      description: 'Number of unfinished submissions of the same size that came earlier.',
    }),
    sweepId: z.string().nullable().meta({ description: 'The sweep, once it is written.' }),
    problem: Problem.nullable().meta({ description: 'Why the submission was refused.' }),
    createdAt: Time,
    startedAt: Time.nullable(),
    finishedAt: Time.nullable(),
  })
  .meta({ id: 'Submission' });
export type Submission = z.infer<typeof Submission>;

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
  'In answers about whole trials, and of the metric that a list of trials was asked for.';

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
        'Of an attack that looks for the smallest change, which has no robust accuracy of its own: the robust accuracy at its setting ε, else at the ε of the trial’s other attacks in its norm. Only in answers about whole trials.',
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
        attack: AttackName,
        settings: z.record(z.string(), z.unknown()),
        summary: EvaluationSummary,
        verdict: Verdict,
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

const Older = z.array(VersionChange).optional().meta({
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

/** One metric of one stage kind over epochs: `values[i]` belongs to `epochs[i]`. */
export const MetricSeries = z
  .strictObject({
    kind: StageKind,
    name: z.string(),
    epochs: z.array(z.int()),
    values: z.array(z.number().nullable()),
  })
  .meta({ id: 'MetricSeries' });
export type MetricSeries = z.infer<typeof MetricSeries>;

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
        'For the worst case: the other attacks that are as strong as `attack`. They fooled as many images within the balls, or have the same value of a metric that counts no images. `attack` is the first of them that ranks the trial lowest by itself, else the first of the sweep. Absent if there are none.',
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
    sameAs: z.string().optional().meta({
      description:
        'The trial of an earlier row with the same attack stages and value: another sweep has submitted the same runs. Absent for that first row.',
    }),
    older: Older,
    /** The reasons for the verdict, one sentence each; empty for `ok`. */
    reasons: z.array(z.string()),
  })
  .meta({ id: 'LeaderboardRow' });
export type LeaderboardRow = z.infer<typeof LeaderboardRow>;

export const Worker = z
  .strictObject({
    id: z.string(),
    host: z.string(),
    pid: z.int(),
    version: z.string().meta({ description: 'Version of Funnel.' }),
    schema: z.string().nullable().meta({
      description: 'The newest migration that the worker knows; null for a worker of Funnel 0.1.0.',
    }),
    backend: z.string(),
    device: z.string(),
    slots: z.int(),
    status: z.enum(['online', 'draining', 'gone']),
    startedAt: Time,
    heartbeatAt: Time,
    memoryBytes: z.number().nullable(),
    engineVersion: z.string().nullable(),
    trainerBytes: z.number().nullable().meta({ description: 'Bytes of memory that one trainer may use.' }),
    datasets: z
      .array(z.strictObject({ name: z.string(), images: Count }))
      .nullable()
      .meta({ description: 'The data sets of the machine, with the number of images of each split.' }),
    setAside: z.strictObject({ since: Time, failures: Count, probeAt: Time }).nullable().meta({
      description:
        'Set for a worker that failed several times in a row at stages that others completed. It gets no stages, except for a probe at `probeAt`.',
    }),
    refusals: z
      .array(
        z.strictObject({
          kind: StageKind.or(z.literal('')),
          method: z.string(),
          dataset: z.string(),
          lack: Lack,
          reason: z.string(),
          at: Time,
        }),
      )
      .meta({
        description:
          'Kinds of stages that the worker handed back, and does not take until it has what they need.',
      }),
    running: z.array(
      z.strictObject({
        stage: Sha256,
        kind: StageKind,
        position: Position.nullable(),
        epochs: Count,
        imagesPerSecond: z.number().nullable(),
      }),
    ),
  })
  .meta({ id: 'Worker' });
export type Worker = z.infer<typeof Worker>;

/** One change: the token that made it, the action, the changed object and the address of the client. */
export const AuditEntry = z
  .strictObject({
    id: z.int(),
    at: Time,
    actor: z.string().meta({
      description:
        'Name of the token; `local` if the API needs no token; `cli` for a command, and `environment` for a token of the environment.',
    }),
    action: z.string().meta({ description: 'Name of the route.' }),
    subject: z.string().nullable().meta({ description: 'Id of the changed sweep or token.' }),
    address: z.string().nullable(),
    details: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'AuditEntry' });
export type AuditEntry = z.infer<typeof AuditEntry>;

/** An event of the event stream. A client that reconnects with the `Last-Event-ID` that it received last misses no event. */

export const FunnelEvent = z
  .discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('sweep'),
      sweepId: z.string(),
      status: StoredSweepStatus.or(z.literal('deleted')),
    }),
    z.strictObject({
      type: z.literal('trial'),
      sweepId: z.string(),
      trialId: z.string(),
      status: TrialStatus,
    }),
    z.strictObject({
      type: z.literal('stage'),
      sweepId: z.string(),
      stage: z.string(),
      kind: StageKind,
      status: StageStatus,
    }),
    z.strictObject({
      type: z.literal('epoch'),
      sweepId: z.string(),
      stage: z.string(),
      kind: StageKind,
      position: Position,
      epochs: z.int(),
      metrics: z.record(z.string(), z.number().nullable()),
    }),
    z.strictObject({
      type: z.literal('evaluation'),
      sweepId: z.string(),
      stage: z.string(),
      attack: z.string(),
    }),
  ])
  .meta({ id: 'FunnelEvent' });
export type FunnelEvent = z.infer<typeof FunnelEvent>;
export type FunnelEventRow = { readonly id: string; readonly at: string; readonly event: FunnelEvent };
