/** Warnings about trials: facts that their numbers do not show. */
import { missedText, type StageKind, type StageStatus, tellingMisses } from '@funnel/contracts';
import { int4, int8, orNull, text, texts } from '../connection/columns.ts';
import type { Tx } from '../connection/transaction.ts';
import { missedByGradients } from './missed-by-gradients.ts';

/** One kind of warning, found by one statement. */
type FindWarnings = (
  tx: Tx,
  trialIds: readonly string[],
) => Promise<readonly { readonly trial: string; readonly text: string }[]>;

const failedStages: FindWarnings = async (tx, trialIds) => {
  const rows = await tx.query(
    { trial: text(), kind: text<StageKind>(), status: text<StageStatus>(), message: orNull(text()) },
    `SELECT ts.trial_id AS trial, s.kind, s.status, s.error_message AS message
     FROM trial_stages ts JOIN stages s ON s.id = ts.stage_id
     WHERE ts.trial_id = ANY($1) AND s.status IN ('failed', 'diverged', 'collapsed') ORDER BY ts.trial_id, ts.ordinal`,
    [trialIds],
  );
  return rows.map(({ trial, kind, status, message }) => ({
    trial,
    text: `The ${kind} stage ${status}: ${message ?? 'no message'}`,
  }));
};

const unusedHinge: FindWarnings = async (tx, trialIds) => {
  const rows = await tx.query(
    { trial: text(), beta: orNull(text()), epochs: int8() },
    `SELECT ts.trial_id AS trial, s.hyperparameters ->> 'beta' AS beta, count(*) AS epochs
     FROM trial_stages ts JOIN stages s ON s.id = ts.stage_id
     JOIN chains c ON c.hash = s.chain JOIN metrics m ON m.chain_id = c.id AND m.name = 'hingeActive' AND m.epoch <= s.epochs
     WHERE ts.trial_id = ANY($1) GROUP BY ts.trial_id, ts.ordinal, s.id HAVING max(m.value) = 0 ORDER BY ts.trial_id, ts.ordinal`,
    [trialIds],
  );
  return rows.map(({ trial, beta, epochs }) => ({
    trial,
    text: `The hinge was never active in ${epochs} epochs: the defender's loss stayed above β = ${beta}, so γ had no effect. Raise β, or give it as a multiple of the floor (betaUnit: floor).`,
  }));
};

const mixedBackends: FindWarnings = async (tx, trialIds) => {
  const rows = await tx.query(
    { trial: text(), names: orNull(texts()), mismatches: int4() },
    `SELECT ts.trial_id AS trial, array_agg(DISTINCT a.backend) FILTER (WHERE a.backend IS NOT NULL AND a.epochs > 0) AS names,
       coalesce(sum(a.mismatches), 0)::int AS mismatches
     FROM trial_stages ts JOIN attempts a ON a.stage_id = ts.stage_id WHERE ts.trial_id = ANY($1) GROUP BY 1`,
    [trialIds],
  );
  return rows.flatMap(({ trial, names, mismatches }) => [
    ...(names && names.length > 1
      ? [
          {
            trial,
            text: `The trial was trained on several backends (${names.join(', ')}), whose arithmetic differs in the last bits.`,
          },
        ]
      : []),
    ...(mismatches > 0
      ? [
          {
            trial,
            text: `${mismatches} repeated epochs gave other bits: the results of this backend are not exactly reproducible.`,
          },
        ]
      : []),
  ]);
};

const missingSurrogates: FindWarnings = async (tx, trialIds) => {
  const rows = await tx.query(
    { trial: text(), attack: text(), wanted: int4(), used: int4() },
    `SELECT ts.trial_id AS trial, s.attack ->> 'attack' AS attack, cardinality(s.surrogates) AS wanted, used.n AS used
     FROM trial_stages ts JOIN stages s ON s.id = ts.stage_id AND s.surrogates <> '{}' AND s.status = 'completed'
     CROSS JOIN LATERAL (SELECT count(*)::int AS n FROM stages g WHERE g.id = ANY(s.surrogates) AND g.status = 'completed') AS used
     WHERE ts.trial_id = ANY($1) AND used.n < cardinality(s.surrogates) ORDER BY ts.trial_id, ts.ordinal`,
    [trialIds],
  );
  return rows.map(({ trial, attack, wanted, used }) => ({
    trial,
    text: `${attack} used ${used} of ${wanted} surrogates: the trials of the others diverged or collapsed.`,
  }));
};

const missedImages: FindWarnings = async (tx, trialIds) =>
  [...(await missedByGradients(tx, trialIds))].flatMap(([trial, own]) =>
    tellingMisses(own).map((one) => ({ trial, text: missedText(one) })),
  );

/** The warnings about each trial. */
export const warningsOf = async (
  tx: Tx,
  trialIds: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> => {
  const found = new Map(trialIds.map((id) => [id, [] as string[]]));
  const kinds = [failedStages, unusedHinge, mixedBackends, missingSurrogates, missedImages];
  const warnings = await Promise.all(kinds.map((find) => find(tx, trialIds)));
  for (const { trial, text } of warnings.flat()) found.get(trial)?.push(text);
  return found;
};
