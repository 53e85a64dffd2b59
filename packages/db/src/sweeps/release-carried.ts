/**
 * A stage carries shorter stages of its chain: it records their final checkpoints on its way. When a sweep is cancelled, other sweeps may
 * wait for such checkpoints from one of its longer stages, which would then train epochs that no sweep needs. So the shorter stages run on
 * their own instead, from the last checkpoint of the longer one. After that no other sweep needs the longer stage, and it is cancelled with
 * its sweep.
 */
import { int4, orNull, type RowOf, text } from '../connection/columns.ts';
import type { Tx } from '../connection/transaction.ts';
import { isFree } from '../lifecycle/dependants.ts';
import { move, type StageChange } from '../lifecycle/transitions.ts';

const candidateColumns = { id: text(), chain: text(), epochs: int4(), depends_on: orNull(text()) };
type Candidate = RowOf<typeof candidateColumns>;

/** Those of the stages that have not ended, and that other live sweeps need only because their own stages depend on them. */
const indirectlyNeeded = (
  tx: Tx,
  sweepId: string,
  stageIds: readonly string[],
): Promise<readonly Candidate[]> =>
  tx.query(
    candidateColumns,
    `SELECT s.id, s.chain, s.epochs, s.depends_on FROM stages s
     JOIN sweep_stages other ON other.stage_id = s.id AND other.sweep_id <> $1
     JOIN sweeps w ON w.id = other.sweep_id AND w.status IN ('running', 'paused')
     WHERE s.id = ANY($2) AND s.status IN ('waiting', 'ready', 'running')
     GROUP BY s.id HAVING NOT bool_or(other.direct) ORDER BY s.epochs DESC`,
    [sweepId, stageIds],
  );

/** Stages of other live sweeps that wait for any of these. */
const waiting = (tx: Tx, sweepId: string, ids: readonly string[]): Promise<readonly Candidate[]> =>
  tx.query(
    candidateColumns,
    `SELECT s.id, s.chain, s.epochs, s.depends_on FROM stages s
     WHERE s.depends_on = ANY($2) AND s.status = 'waiting' AND EXISTS (
       SELECT FROM sweep_stages l JOIN sweeps w ON w.id = l.sweep_id
       WHERE l.stage_id = s.id AND w.id <> $1 AND w.status IN ('running', 'paused'))
     ORDER BY s.epochs`,
    [sweepId, ids],
  );

/** `longer` records the last epoch of `shorter` on its way. */
const carries = (longer: Candidate, shorter: Candidate): boolean =>
  longer.chain === shorter.chain && longer.epochs > shorter.epochs;

/** The new dependencies of the carried stages: the longest one replaces the carrier, and carries the others. */
const successors = (
  carrier: Candidate,
  carried: readonly Candidate[],
): readonly { id: string; depends_on: string | null }[] => {
  const longest = carried.at(-1);
  return carried.map(({ id }) => ({ id, depends_on: id === longest?.id ? carrier.depends_on : longest!.id }));
};

/** Releases what these stages of the sweep carry. Resolves to the stages that became ready. */
export const releaseCarried = async (
  tx: Tx,
  sweepId: string,
  stageIds: readonly string[],
): Promise<readonly StageChange[]> => {
  const changes: StageChange[] = [];
  for (const carrier of await indirectlyNeeded(tx, sweepId, stageIds)) {
    const dependants = await waiting(tx, sweepId, [carrier.id]);
    // A stage that continues from the end of the carrier, or starts from its result, needs the whole carrier.
    if (dependants.length === 0 || !dependants.every((one) => carries(carrier, one))) continue;
    const moves = successors(carrier, dependants);
    const ids = moves.map((one) => one.id);
    await tx.run(
      `UPDATE stages s SET depends_on = x.depends_on FROM unnest($1::text[], $2::text[]) AS x (id, depends_on) WHERE s.id = x.id`,
      [ids, moves.map((one) => one.depends_on)],
    );
    const free = `SELECT s.id FROM stages s WHERE s.id = ANY($1) AND ${isFree('s')}`;
    changes.push(...(await move(tx, 'release', free, [ids])));
    await tx.run('DELETE FROM sweep_stages WHERE stage_id = $1 AND NOT direct', [carrier.id]);
  }
  return changes;
};
