/** Runs the attacks of one command: each result is kept as soon as it exists, and what has no result is named. */
import { type AttackSpec, distanceIntervals, robustAt, searchedBall, threatModelOf } from '@funnel/contracts';
import { inFlags } from '../flags.ts';
import { createProgress } from '../output/progress.ts';
import type { Output } from '../output/terminal.ts';
import type { Append } from './adversarials.ts';
import { type Outcome, rowsOf } from './results.ts';
import type { Subject } from './subject.ts';

/** Why there is no result, in one line. */
export const reasonOf = (error: unknown, signal: AbortSignal): string => {
  if (signal.aborted && error === signal.reason) return 'interrupted';
  return error instanceof Error ? inFlags(error.message.split('\n')[0]!) : String(error);
};

type RunOptions = {
  readonly attacks: readonly AttackSpec[];
  /** Each attack gets only the images that still stand. */
  readonly standing: boolean;
  readonly seed: number;
  /** Attack a model that its examination refuses. */
  readonly force: boolean;
  readonly output: Output;
  readonly signal: AbortSignal;
  /** Keeps the adversarials of an evaluation. */
  readonly append: Append;
};

/** Runs the attacks, and calls `keep` after each. A failing attack or Ctrl-C loses nothing that was finished. */
export const runAttacks = async (
  { classifier, given, source, backend }: Subject,
  { attacks, standing, seed, force, output, signal, append }: RunOptions,
  keep: (outcome: Outcome) => void,
): Promise<Outcome> => {
  const { evaluateAttacks } = await import('@funnel/attacks');
  let outcome: Outcome = { results: [], leftOut: [], worstCase: null };
  const progress = createProgress(output, 'images');
  const radii = threatModelOf(attacks);
  const evaluations = evaluateAttacks({
    model: classifier,
    ...given,
    indices: source.indices,
    attacks,
    standing,
    seed,
    force,
    signal,
    onProgress: ({ attack, ...at }) => progress.draw(attack.attack, at),
  });
  for await (const one of evaluations) {
    const time = progress.end();
    if (one.kind === 'evaluation') {
      const rows = rowsOf(one.records, source.fileOf, append(one));
      const ball = one.summary.attempted === 0 ? null : searchedBall(one.attack, radii);
      const result = {
        ...one.attack,
        summary: one.summary,
        intervals: distanceIntervals(one),
        ...(ball && { robustAtEpsilon: robustAt(one, ball) }),
        rows,
      };
      outcome = { ...outcome, results: [...outcome.results, result] };
      const stand = standing ? ` · ${one.standing} of ${given.labels.length} images still stand` : '';
      output.note(`${one.attack.attack}: ${time} on ${backend}${stand}`);
    } else if (one.kind === 'failure') {
      const leftOut = { attack: one.attack.attack, reason: reasonOf(one.error, signal) };
      outcome = { ...outcome, leftOut: [...outcome.leftOut, leftOut] };
    } else if (outcome.results.length > 1 && one.evaluation !== null) {
      const { records, summary } = one.evaluation;
      const intervals = distanceIntervals(one.evaluation);
      const rows = rowsOf(records, source.fileOf);
      outcome = { ...outcome, worstCase: { balls: one.balls, summary, intervals, rows } };
    }
    keep(outcome);
  }
  return outcome;
};
