/** What the defences of ranked runs rejected. Asked for where a recipe rejects images at all: elsewhere there is nothing to say. */
import { type Recipe, type RecipeName, recipes } from '@funnel/contracts';
import type { Tx } from '../connection/transaction.ts';

type Rejections = { readonly rejectedClean: number; readonly rejectedAttacked: number };

type Row = { readonly trial_id: string; readonly ordinal: number; readonly recipe: RecipeName };

/** A defence that rejects images records how many clean ones. */
const rejects = (name: RecipeName): boolean => {
  const recipe: Recipe = recipes[name];
  return recipe.stages.some(({ records }) => records.includes('rejectedShare'));
};

export const rejectionsKey = (row: Pick<Row, 'trial_id' | 'ordinal'>): string =>
  `${row.trial_id} ${row.ordinal}`;

/** By `rejectionsKey`; `seeds`: the mean over all seeds of each row's configuration. */
export const rejectionsOf = async (
  tx: Tx,
  ranked: readonly Row[],
  { metric, seeds }: { readonly metric: string; readonly seeds: boolean },
): Promise<ReadonlyMap<string, Rejections>> => {
  const rows = ranked.filter(({ recipe }) => rejects(recipe));
  if (rows.length === 0) return new Map();
  const found = await tx.query<Row & { readonly clean: number | null; readonly attacked: number | null }>(
    `SELECT r.trial_id, r.ordinal, avg((e.summary ->> 'rejectedClean')::float8) AS clean,
       avg((e.summary ->> 'rejectedAttacked')::float8) AS attacked
     FROM unnest($1::text[], $2::int[]) AS r (trial_id, ordinal)
     JOIN trials t ON t.id = r.trial_id
     JOIN trials o ON o.sweep_id = t.sweep_id AND o.configuration_index = t.configuration_index AND ($4 OR o.id = t.id)
     JOIN scores s ON s.trial_id = o.id AND s.ordinal = r.ordinal AND s.metric = $3
     JOIN evaluations e ON e.stage_id = s.stage_id
     GROUP BY r.trial_id, r.ordinal`,
    [rows.map((row) => row.trial_id), rows.map((row) => row.ordinal), metric, seeds],
  );
  return new Map(
    found.flatMap((row) =>
      row.clean === null || row.attacked === null
        ? []
        : [[rejectionsKey(row), { rejectedClean: row.clean, rejectedAttacked: row.attacked }]],
    ),
  );
};
