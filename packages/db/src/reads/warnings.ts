/** What a trial's numbers do not say by themselves. */
import type { StageKind, StageStatus } from '@funnel/contracts';
import type { Tx } from '../transaction.ts';

const hinge = async (tx: Tx, trialId: string): Promise<readonly string[]> => {
  const rows = await tx.query<{ beta: string | null; epochs: number }>(
    `SELECT s.hyperparameters ->> 'beta' AS beta, count(*) AS epochs
     FROM trial_stages ts JOIN stages s ON s.id = ts.stage_id
     JOIN chains c ON c.hash = s.chain JOIN metrics m ON m.chain_id = c.id AND m.name = 'hingeActive' AND m.epoch <= s.epochs
     WHERE ts.trial_id = $1 GROUP BY s.id HAVING max(m.value) = 0`,
    [trialId],
  );
  return rows.map(
    ({ beta, epochs }) =>
      `The hinge was never active in ${epochs} epochs: the defender's loss stayed above β = ${beta}, so γ had no effect. Raise β, or give it as a multiple of the floor (betaUnit: floor).`,
  );
};

const ends = async (tx: Tx, trialId: string): Promise<readonly string[]> => {
  const rows = await tx.query<{ kind: StageKind; status: StageStatus; message: string | null }>(
    `SELECT s.kind, s.status, s.error_message AS message FROM trial_stages ts JOIN stages s ON s.id = ts.stage_id
     WHERE ts.trial_id = $1 AND s.status IN ('failed', 'diverged', 'collapsed') ORDER BY ts.position`,
    [trialId],
  );
  return rows.map(({ kind, status, message }) => `Its ${kind} stage ${status}: ${message ?? 'no message'}`);
};

const backends = async (tx: Tx, trialId: string): Promise<readonly string[]> => {
  const [row] = await tx.query<{ names: string[] | null; mismatches: number }>(
    `SELECT array_agg(DISTINCT a.backend) FILTER (WHERE a.backend IS NOT NULL AND a.epochs > 0) AS names, coalesce(sum(a.mismatches), 0)::int AS mismatches
     FROM trial_stages ts JOIN attempts a ON a.stage_id = ts.stage_id WHERE ts.trial_id = $1`,
    [trialId],
  );
  const names = row?.names ?? [];
  return [
    ...(names.length > 1
      ? [
          `It was trained on several backends (${names.join(', ')}), whose arithmetic differs in the last bits.`,
        ]
      : []),
    ...(row && row.mismatches > 0
      ? [
          `${row.mismatches} repeated epochs did not give the same bits: this backend does not repeat itself exactly.`,
        ]
      : []),
  ];
};

const surrogates = async (tx: Tx, trialId: string): Promise<readonly string[]> => {
  const rows = await tx.query<{ attack: string; asked: number; used: number }>(
    `SELECT s.attack ->> 'attack' AS attack, cardinality(s.surrogates) AS asked, used.n AS used
     FROM trial_stages ts JOIN stages s ON s.id = ts.stage_id AND s.surrogates <> '{}' AND s.status = 'completed'
     CROSS JOIN LATERAL (SELECT count(*)::int AS n FROM stages g WHERE g.id = ANY(s.surrogates) AND g.status = 'completed') AS used
     WHERE ts.trial_id = $1 AND used.n < cardinality(s.surrogates) ORDER BY ts.position`,
    [trialId],
  );
  return rows.map(
    ({ attack, asked, used }) =>
      `${attack} was made on ${used} of ${asked} networks: the trials of the others diverged or collapsed.`,
  );
};

export const warningsOf = async (tx: Tx, trialId: string): Promise<readonly string[]> =>
  (
    await Promise.all([ends(tx, trialId), hinge(tx, trialId), backends(tx, trialId), surrogates(tx, trialId)])
  ).flat();
