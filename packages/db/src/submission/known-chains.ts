/** Reads the stages and checkpoints of chains, from which the planner builds a plan. */
import type {
  Known,
  KnownChain,
  OtherSweep,
  StageSpec,
  StageStatus,
  StoredSweepStatus,
} from '@funnel/contracts';
import { plainArray } from '../connection/array-literals.ts';
import { bool, int4, orNull, text } from '../connection/columns.ts';
import type { Db } from '../connection/db.ts';
import { reading, type Tx } from '../connection/transaction.ts';
import { chunks } from './submission-rows.ts';

type Mutable = {
  -readonly [K in Exclude<keyof KnownChain, 'plannedBy' | 'spans'>]: number[];
} & { readonly plannedBy: OtherSweep[]; readonly spans: NonNullable<KnownChain['spans']>[number][] };

/** A stage of a future plan. */
export type Wanted = Pick<StageSpec, 'id' | 'chain' | 'parent' | 'kind'>;

export type Found = {
  readonly known: Known;
  /** Ids of the stages of these chains in the database, of any status. */
  readonly existing: ReadonlySet<string>;
};

/** Splits stages into stages without parents in the list, their children, the children of these, … */
const generations = (stages: readonly Wanted[]): readonly (readonly Wanted[])[] => {
  const depths = new Map<string, number>();
  const levels: Wanted[][] = [];
  for (const stage of stages) {
    const depth = stage.parent === null ? 0 : (depths.get(stage.parent) ?? -1) + 1;
    depths.set(stage.id, depth);
    const level = levels[depth];
    if (level) level.push(stage);
    else levels[depth] = [stage];
  }
  return levels;
};

const stateColumns = { chain: text(), epoch: int4(), recorded: bool(), continuable: bool() };
const stageColumns = {
  id: text(),
  chain: text(),
  epochs: int4(),
  start_epoch: int4(),
  status: text<StageStatus>(),
  live: bool(),
  planned_by: orNull(text()),
};

/** Chains of training stages. An attack is the only stage of its chain; `attacksOf` gives its id. */
const chainsOf = (stages: readonly Wanted[]): readonly string[] => [
  ...new Set(stages.filter(({ kind }) => kind !== 'attack').map((stage) => stage.chain)),
];
const attacksOf = (stages: readonly Wanted[]): readonly string[] =>
  stages.filter(({ kind }) => kind === 'attack').map((stage) => stage.id);

const facts = `s.id, s.chain, s.epochs, s.start_epoch, s.status, s.planned_by,
  s.status NOT IN ('failed', 'cancelled') AND coalesce(s.skip_cause, '') NOT IN ('failed', 'cancelled')
    -- Not live: completed stages whose checkpoint garbage collection has deleted.
    AND NOT (s.status = 'completed' AND s.kind <> 'attack' AND s.checkpoint IS NULL) AS live`;

const sweepsOf = async (tx: Tx, ids: readonly string[]): Promise<ReadonlyMap<string, OtherSweep>> => {
  if (ids.length === 0) return new Map();
  const rows = await tx.query(
    { id: text(), name: text(), status: text<StoredSweepStatus>() },
    'SELECT id, name, status FROM sweeps WHERE id = ANY($1)',
    [ids],
  );
  return new Map(rows.map((row) => [row.id, row]));
};

/** Chains or attacks per query: so few that PostgreSQL uses its indexes and does not read whole tables. */
const chunk = 1_000;

/**
 * `stages`: parents before children. The database never has a stage without its parent, because a sweep that needs a stage also needs the
 * parent. So if there are many stages, the function looks for a stage only if the database has its parent, or if the parent is not in the
 * list. For a large sweep of new trials it looks for little more than the stages without parents.
 *
 * A checkpoint in the middle of an epoch counts as continuable from its last complete epoch, because the rest of its epoch will be trained
 * once. A stage that was skipped because another one diverged or collapsed would be skipped again, so it counts as known.
 */
export const readKnown = async (tx: Tx, stages: readonly Wanted[]): Promise<Found> => {
  const known = new Map<string, Mutable>();
  const existing = new Set<string>();
  /** The sweeps that planned the pending stages of each chain. */
  const planners = new Map<string, Set<string>>();
  const of = (chain: string): Mutable => {
    const found = known.get(chain) ?? {
      recorded: [],
      continuable: [],
      stages: [],
      pending: [],
      plannedBy: [],
      spans: [],
    };
    known.set(chain, found);
    return found;
  };
  const ask = async (chains: readonly string[], attacks: readonly string[]): Promise<void> => {
    const rows = await tx.query(
      stageColumns,
      `SELECT ${facts} FROM unnest($1::text[]) AS k (chain) JOIN stages s ON s.kind <> 'attack' AND s.chain = k.chain
       UNION ALL SELECT ${facts} FROM unnest($2::text[]) AS k (id) JOIN stages s ON s.id = k.id
       ORDER BY chain, epochs`,
      [plainArray(chains), plainArray(attacks)],
    );
    for (const { id, chain, epochs, start_epoch: from, status, live, planned_by } of rows) {
      existing.add(id);
      if (!live) continue;
      of(chain).stages.push(epochs);
      if (planned_by !== null) of(chain).spans.push({ sweep: planned_by, from, to: epochs });
      if (status !== 'waiting' && status !== 'ready' && status !== 'running') continue;
      of(chain).pending.push(epochs);
      if (planned_by !== null) planners.set(chain, (planners.get(chain) ?? new Set()).add(planned_by));
    }
    if (rows.length === 0) return; // a chain without stages has no states
    const states = await tx.query(
      stateColumns,
      `SELECT c.hash AS chain, p.epoch, bool_or(p.step = 0) AS recorded, bool_or(p.continuable) AS continuable
       FROM unnest($1::text[]) AS k (chain) JOIN chains c ON c.hash = k.chain JOIN checkpoints p ON p.chain_id = c.id
       GROUP BY 1, 2 ORDER BY 1, 2`,
      [plainArray([...new Set(rows.map((row) => row.chain))])],
    );
    for (const { chain, epoch, recorded, continuable } of states) {
      if (recorded) of(chain).recorded.push(epoch);
      if (continuable) of(chain).continuable.push(epoch);
    }
  };
  if (stages.length <= chunk) await ask(chainsOf(stages), attacksOf(stages));
  else
    for (const [depth, level] of generations(stages).entries()) {
      const candidates = depth === 0 ? level : level.filter(({ parent }) => existing.has(parent!));
      for (const part of chunks(chainsOf(candidates), chunk)) await ask(part, []);
      for (const part of chunks(attacksOf(candidates), chunk)) await ask([], part);
    }
  const sweeps = await sweepsOf(tx, [...new Set([...planners.values()].flatMap((ids) => [...ids]))]);
  for (const [chain, ids] of planners)
    for (const id of ids) {
      const sweep = sweeps.get(id);
      if (sweep) of(chain).plannedBy.push(sweep);
    }
  return { known, existing };
};

/** The statuses of those of these stages that the database has. */
export const statusesOf = async (
  db: Db,
  ids: readonly string[],
): Promise<ReadonlyMap<string, StageStatus>> => {
  const found = new Map<string, StageStatus>();
  for (const part of chunks([...ids], chunk)) {
    const rows = await reading(db).query(
      { id: text(), status: text<StageStatus>() },
      'SELECT s.id, s.status FROM unnest($1::text[]) AS k (id) JOIN stages s ON s.id = k.id',
      [plainArray(part)],
    );
    for (const { id, status } of rows) found.set(id, status);
  }
  return found;
};

export const knownChains = (db: Db, stages: readonly Wanted[]): Promise<Found> =>
  readKnown(reading(db), stages);
