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

type Evaluations = TrialResult['trial']['evaluations'];

/** Attacks on one network mostly have the same checks. A file names the first evaluation with them in place of a copy: this saves two thirds of it. */
const shareChecks = (evaluations: Evaluations): readonly object[] => {
  const first = new Map<string, number>();
  return evaluations.map((evaluation, i) => {
    const key = JSON.stringify(evaluation.diagnostics);
    const earlier = first.get(key);
    if (earlier !== undefined) return { ...evaluation, diagnostics: earlier };
    first.set(key, i);
    return evaluation;
  });
};

const Kept = z.looseObject({
  trial: z.looseObject({
    evaluations: z.array(z.looseObject({ diagnostics: z.union([z.int(), z.array(z.unknown())]) })),
  }),
});

/** The results as the API gives them, of results in which evaluations name the checks of others. */
const copyChecks = (given: unknown): unknown => {
  const { trial, ...rest } = Kept.parse(given);
  const { evaluations } = trial;
  const checksOf = (given: number | readonly unknown[]) =>
    typeof given === 'number' ? evaluations[given]?.diagnostics : given;
  return {
    ...rest,
    trial: {
      ...trial,
      evaluations: evaluations.map((one) => ({ ...one, diagnostics: checksOf(one.diagnostics) })),
    },
  };
};

/** The text of a file that keeps the results: JSON with a line for each trial, so that a version control shows which ones differ. */
export const writeResults = (given: SweepResults): string => {
  const { sweep, results } = SweepResults.parse(given);
  const lines = results.map(({ trial, series }) =>
    JSON.stringify({ trial: { ...trial, evaluations: shareChecks(trial.evaluations) }, series }),
  );
  return `{"sweep":${JSON.stringify(sweep)},"results":[\n${lines.join(',\n')}\n]}\n`;
};

const File = z.looseObject({ results: z.array(z.unknown().transform(copyChecks)) });

/** Reads the text that `writeResults` wrote. Throws a SyntaxError or a ZodError for other texts. */
export const readResults = (text: string): SweepResults => SweepResults.parse(File.parse(JSON.parse(text)));
