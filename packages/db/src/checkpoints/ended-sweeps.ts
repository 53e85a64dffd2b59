import { objectiveOf, type RetentionPolicy, type SweepDefinition, usualMetricOf } from '@funnel/contracts';
import type { Db } from '../connection/db.ts';
import { reading } from '../connection/transaction.ts';

/** An empty attack is the worst case. */
export type EndedSweep = { readonly sweep: string; readonly attack: string; readonly metric: string };

/** Sweeps that may ask the same question: those of the same attacks. */
type Alike = Pick<SweepDefinition, 'attacks' | 'dataset'> & {
  readonly ids: readonly string[];
  readonly objective: SweepDefinition['objective'] | null;
};

const alike = `
  SELECT array_agg(id) AS ids, definition -> 'attacks' AS attacks, definition -> 'dataset' AS dataset, definition -> 'objective' AS objective
  FROM sweeps WHERE status IN ('completed', 'cancelled') GROUP BY 2, 3, 4`;

/** And what is best in each: as asked, or else as the sweep itself is ranked. */
export const endedSweeps = async (
  db: Db,
  { attack, metric }: Pick<RetentionPolicy, 'attack' | 'metric'>,
): Promise<readonly EndedSweep[]> => {
  const rankingOf = ({ attacks, dataset, objective }: Alike) => {
    if (attack !== undefined || metric !== undefined)
      return { attack, metric: metric ?? usualMetricOf(attack) };
    const own = objectiveOf({ attacks, dataset, objective: objective ?? undefined });
    return { attack: own.run?.attack, metric: own.metric };
  };
  return (await reading(db).query<Alike>(alike)).flatMap((sweeps) => {
    const by = rankingOf(sweeps);
    return sweeps.ids.map((sweep) => ({ sweep, attack: by.attack ?? '', metric: by.metric }));
  });
};
