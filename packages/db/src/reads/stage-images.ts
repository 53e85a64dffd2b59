/** The attack stages of trials, and which images each of them fooled. */
import type { AttackName } from '@funnel/contracts';
import { int4, jsonb, type RowOf, text } from '../connection/columns.ts';
import type { Tx } from '../connection/transaction.ts';

const stageColumns = {
  trial_id: text(),
  stage_id: text(),
  attack: text<AttackName>(),
  settings: jsonb<Readonly<Record<string, unknown>>>(),
};

export type AttackStage = RowOf<typeof stageColumns>;

/** The attack stages of trials, by trial, in order. */
export const attackStages = async (
  tx: Tx,
  trialIds: readonly string[],
): Promise<ReadonlyMap<string, readonly AttackStage[]>> => {
  const found = new Map(trialIds.map((id) => [id, [] as AttackStage[]]));
  if (trialIds.length === 0) return found;
  const rows = await tx.query(
    stageColumns,
    `SELECT ts.trial_id, e.stage_id, e.attack, e.settings FROM trial_stages ts JOIN evaluations e ON e.stage_id = ts.stage_id
     WHERE ts.trial_id = ANY($1) ORDER BY ts.trial_id, ts.ordinal`,
    [trialIds],
  );
  for (const row of rows) found.get(row.trial_id)!.push(row);
  return found;
};

/** As text, a letter for each image: `t` or `f`. `which`: a hash of the images. */
const imageColumns = { place: int4(), which: text(), correct: text(), fooled: text() };

/** $1–$4: the stages, whether all adversarials count, and the radii within which one counts. */
const imagesOfStages = `
  SELECT (r.place - 1)::int AS place, md5(e.index::text) AS which, translate(e.correct::text, '{,}', '') AS correct,
    CASE WHEN r.counts_fully THEN translate(e.success::text, '{,}', '') ELSE (
      SELECT string_agg(CASE WHEN x.success AND (x.l2 <= r.l2 OR x.linf <= r.linf) THEN 't' ELSE 'f' END, '' ORDER BY x.n)
      FROM unnest(e.success, e.l2, e.linf) WITH ORDINALITY AS x (success, l2, linf, n)) END AS fooled
  FROM unnest($1::text[], $2::boolean[], $3::float8[], $4::float8[]) WITH ORDINALITY AS r (stage_id, counts_fully, l2, linf, place)
  JOIN evaluations e ON e.stage_id = r.stage_id ORDER BY r.place`;

/** A stage, whether all of its adversarials count, and else the distances within which one counts. */
export type StageReach = {
  readonly stage: string;
  readonly countsFully: boolean;
  readonly l2: number | null;
  readonly linf: number | null;
};

/** The images of each stage, with its place in `stages`. A stage without an evaluation has none. */
export const readStageImages = async (
  tx: Tx,
  stages: readonly StageReach[],
): Promise<readonly RowOf<typeof imageColumns>[]> =>
  stages.length === 0
    ? []
    : tx.query(imageColumns, imagesOfStages, [
        stages.map(({ stage }) => stage),
        stages.map(({ countsFully }) => countsFully),
        stages.map(({ l2 }) => l2),
        stages.map(({ linf }) => linf),
      ]);
