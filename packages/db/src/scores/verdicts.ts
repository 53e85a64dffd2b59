/** The verdicts of trials. The rule is `trialVerdict` of the contracts; here are the counts that it reads. */
import {
  datasets,
  isBuiltIn,
  ranksBelow,
  type SweepDataset,
  type TrialVerdict,
  trialVerdict,
  type Verdict,
} from '@funnel/contracts';
import { float8, int4, jsonb, orNull, text, texts } from '../connection/columns.ts';
import type { Tx } from '../connection/transaction.ts';

export type SweepImages = { readonly tested: number; readonly classes: number };

/** How many test images and classes the data set of each sweep has. */
export const imagesOfSweeps = async (
  tx: Tx,
  sweepIds: readonly string[],
): Promise<ReadonlyMap<string, SweepImages>> => {
  const rows = await tx.query(
    { id: text(), dataset: jsonb<SweepDataset>() },
    `SELECT id, definition -> 'dataset' AS dataset FROM sweeps WHERE id = ANY($1)`,
    [sweepIds],
  );
  return new Map(
    rows.map(({ id, dataset: { name, test, content } }) => {
      const { classes } = content ?? datasets[isBuiltIn(name) ? name : 'mnist'];
      return [id, { tested: test, classes: classes.length }];
    }),
  );
};

const judgedColumns = {
  id: text(),
  sweep_id: text(),
  verdict: orNull(text<TrialVerdict>()),
  clean_accuracy: orNull(float8()),
  verdicts: texts<Verdict>(),
  correct: int4(),
  images: int4(),
};

/** All attacks of a trial attack the same images. */
const evaluated = `
  SELECT t.id, t.sweep_id, t.verdict, t.clean_accuracy, array_agg(DISTINCT e.verdict) AS verdicts,
    max((e.summary ->> 'attempted')::int) AS correct, max((e.summary ->> 'images')::int) AS images
  FROM trials t JOIN trial_stages ts ON ts.trial_id = t.id JOIN evaluations e ON e.stage_id = ts.stage_id
  WHERE t.id = ANY($1) GROUP BY t.id`;

/** Gives these trials, which the caller has locked, their verdicts, and puts those that say nothing below all others in every ranking. */
export const updateVerdicts = async (tx: Tx, trialIds: readonly string[]): Promise<void> => {
  const rows = await tx.query(judgedColumns, evaluated, [trialIds]);
  if (rows.length === 0) return;
  const sweeps = await imagesOfSweeps(tx, [...new Set(rows.map(({ sweep_id }) => sweep_id))]);
  const judged = rows.map(({ id, sweep_id, verdict: before, clean_accuracy, verdicts, correct, images }) => {
    const { tested, classes } = sweeps.get(sweep_id)!;
    const verdict = trialVerdict({
      verdicts,
      attacked: { correct, images },
      tested:
        clean_accuracy === null ? null : { correct: Math.round(clean_accuracy * tested), images: tested },
      classes,
    });
    return { id, before, verdict };
  });
  const changed = judged.filter(({ before, verdict }) => verdict !== before);
  if (changed.length > 0)
    await tx.run(
      `UPDATE trials t SET verdict = n.verdict FROM unnest($1::text[], $2::text[]) AS n (id, verdict) WHERE t.id = n.id`,
      [changed.map(({ id }) => id), changed.map(({ verdict }) => verdict)],
    );
  const below = judged.filter(({ verdict }) => ranksBelow(verdict)).map(({ id }) => id);
  if (below.length > 0)
    await tx.run('UPDATE scores SET below = true WHERE trial_id = ANY($1) AND NOT below', [below]);
};
