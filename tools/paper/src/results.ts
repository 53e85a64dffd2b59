/** What the reports read of a sweep. The API answers with it, and a file keeps it: a report needs no database then. */
import { MetricSeries, Plan, Stage, SweepDetail, TrialDetail } from '@funnel/contracts';
import { z } from 'zod';

/** These fields of an answer; all others are left out. */
const only = <Shape extends z.ZodRawShape>({ shape }: { readonly shape: Shape }) => z.object(shape);

const SweepPart = only(
  SweepDetail.pick({
    ...{ id: true, name: true, createdAt: true, finishedAt: true, epochsTrained: true, definition: true },
  }),
).extend({ plan: only(Plan.pick({ estimate: true })) });

const TrialPart = only(
  TrialDetail.pick({
    ...{ id: true, number: true, recipe: true, hyperparameters: true, seed: true, rung: true, status: true },
    ...{ cleanAccuracy: true, verdict: true, evaluations: true, worstCase: true },
  }),
).extend({ stages: z.array(only(Stage.pick({ id: true, kind: true, epochs: true, seconds: true }))) });

const TrialResult = z.object({ trial: TrialPart, series: z.array(MetricSeries) });

/** A sweep with every trial's evaluations, checks and training curves. */
export const SweepResults = z.object({ sweep: SweepPart, results: z.array(TrialResult).readonly() });

export type TrialResult = z.infer<typeof TrialResult>;
export type SweepResults = z.infer<typeof SweepResults>;

/** The text of a file that keeps the results: JSON with a line for each trial, so that a version control shows which ones differ. */
export const writeResults = (given: SweepResults): string => {
  const { sweep, results } = SweepResults.parse(given);
  const lines = results.map((result) => JSON.stringify(result)).join(',\n');
  return `{"sweep":${JSON.stringify(sweep)},"results":[\n${lines}\n]}\n`;
};

/** Reads the text that `writeResults` wrote. Throws a SyntaxError or a ZodError for other texts. */
export const readResults = (text: string): SweepResults => SweepResults.parse(JSON.parse(text));
