/** Why trials have a verdict other than `ok`: their counts, and the checks of their evaluations that did not pass. */
import {
  checkLabel,
  countVerdicts,
  type Diagnostic,
  fewestCorrect,
  ranksBelow,
  type TrialVerdict,
  untrainedReason,
  worstFirst,
} from '@funnel/contracts';
import { jsonb, text } from '../connection/columns.ts';
import type { Tx } from '../connection/transaction.ts';
import { imagesOfSweeps, type SweepImages } from '../scores/verdicts.ts';
import type { SeedEvidence } from './evidence.ts';

/** The reason of an untrained trial, with its numbers. */
const untrainedText = (
  { clean_accuracy: clean, correct, images }: SeedEvidence,
  sweep: SweepImages | undefined,
): string => {
  if (!sweep) return countVerdicts.untrained.reason;
  const { tested, classes } = sweep;
  const counts =
    clean === null ? { correct, images } : { correct: Math.round(clean * tested), images: tested };
  return untrainedReason(counts, classes);
};

/** The sentences, each with the verdict for which it is a reason. */
export type Reasons = ReadonlyMap<string, TrialVerdict>;

/** The reasons of the counts. A trial with a worse verdict may have too few images, too. */
const countReasons = (seed: SeedEvidence, sweep: SweepImages | undefined): Map<string, TrialVerdict> => {
  const { verdict, correct } = seed;
  const isBelow = verdict !== null && ranksBelow(verdict);
  const reasons = new Map<string, TrialVerdict>();
  if (verdict === 'untrained') reasons.set(untrainedText(seed, sweep), 'untrained');
  if (verdict === 'too-few' || (isBelow && correct < fewestCorrect))
    reasons.set(countVerdicts['too-few'].reason, 'too-few');
  return reasons;
};

/** The reasons by trial. */
export const reasonsOf = async (
  tx: Tx,
  seeds: readonly SeedEvidence[],
): Promise<ReadonlyMap<string, Reasons>> => {
  const marked = seeds.filter(({ verdict }) => verdict !== null && verdict !== 'ok');
  if (marked.length === 0) return new Map();
  const untrained = marked.filter(({ verdict }) => verdict === 'untrained');
  const sweeps =
    untrained.length === 0
      ? new Map<string, SweepImages>()
      : await imagesOfSweeps(tx, [...new Set(untrained.map(({ sweep_id }) => sweep_id))]);
  const reasons = new Map(
    marked.map((seed) => [seed.trial_id, countReasons(seed, sweeps.get(seed.sweep_id))]),
  );
  const rows = await tx.query(
    { trial_id: text(), attack: text(), diagnostics: jsonb<Diagnostic[]>() },
    `SELECT ts.trial_id, e.attack, e.diagnostics FROM trial_stages ts JOIN evaluations e ON e.stage_id = ts.stage_id
     WHERE ts.trial_id = ANY($1) AND e.verdict <> 'ok' ORDER BY ts.trial_id, ts.ordinal`,
    [[...reasons.keys()]],
  );
  for (const { trial_id, attack, diagnostics: checks } of rows)
    for (const { id, verdict, detail } of checks)
      if (verdict !== 'ok') reasons.get(trial_id)!.set(`${attack}: ${checkLabel(id)}: ${detail}`, verdict);
  return reasons;
};

/** The reasons of a row, those of the worst verdict first. Those that not all of its seeds have say which seeds have them: `… (1 of 2 seeds: seed 21).` */
export const reasonsOfRow = (
  seeds: readonly Pick<SeedEvidence, 'trial_id' | 'seed'>[],
  reasons: ReadonlyMap<string, Reasons>,
): string[] => {
  const found = new Map<string, { readonly verdict: TrialVerdict; readonly own: number[] }>();
  for (const { trial_id, seed } of seeds)
    for (const [reason, verdict] of reasons.get(trial_id) ?? [])
      found.set(reason, { verdict, own: [...(found.get(reason)?.own ?? []), seed] });
  const sorted = [...found].sort(([, a], [, b]) => worstFirst(a.verdict, b.verdict)); // stable
  return sorted.map(([reason, { own }]) => {
    if (own.length === seeds.length) return reason;
    const [, words, stop] = /^(.*?)(\.?)$/s.exec(reason)!;
    const names = `${own.length === 1 ? 'seed' : 'seeds'} ${own.join(', ')}`;
    return `${words} (${own.length} of ${seeds.length} seeds: ${names})${stop}`;
  });
};
