import type { Tx } from '../connection/transaction.ts';
import type { EvaluationWrite } from '../types.ts';

/** An evaluation is written once: the stage's identity says what it is. */
export const insertEvaluation = async (
  tx: Tx,
  stageId: string,
  evaluation: EvaluationWrite,
): Promise<void> => {
  const { attack, settings, summary, verdict, diagnostics, records, gallery } = evaluation;
  const { index, label, correct, predicted, success, l2, linf, l0, steps, queries } = records;
  await tx.query(
    `INSERT INTO evaluations (stage_id, attack, settings, summary, verdict, diagnostics,
       index, label, correct, predicted, success, l2, linf, l0, steps, queries,
       gallery_shape, gallery_index, gallery_original, gallery_attacked)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
     ON CONFLICT DO NOTHING`,
    [
      ...[
        stageId,
        attack,
        JSON.stringify(settings),
        JSON.stringify(summary),
        verdict,
        JSON.stringify(diagnostics),
      ],
      ...[index, label, correct, predicted, success, l2, linf, l0, steps, queries],
      ...[gallery.shape, gallery.index, Buffer.from(gallery.original), Buffer.from(gallery.attacked)],
    ],
  );
};
