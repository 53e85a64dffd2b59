import { attacks, type Evaluation, isBounded } from '@funnel/contracts';
import { useMemo } from 'react';
import { keyOfRun } from '../attack-label.ts';
import type { NamedCurve } from '../charts/robustness-curves.tsx';
import {
  curveExtent,
  evenRadii,
  type NamedRecords,
  robustnessCurve,
} from '../statistics/robustness-curve.ts';
import { imagesQuery, trialQuery } from './queries.ts';
import { useQueries } from './use-queries.ts';

/** To one digit, or a half of one: an axis ends at a number that one can read. */
const roundedUp = (value: number): number => {
  const unit = 10 ** Math.floor(Math.log10(value)) / 2;
  return Number((Math.ceil(value / unit - 1e-9) * unit).toPrecision(3));
};

/** Those of the norm; where there are none, those of any: all norms are measured on every result. */
const ofNorm = (evaluations: readonly Evaluation[], norm: 'linf' | 'l2'): readonly Evaluation[] => {
  const own = evaluations.filter(({ attack }) => attacks[attack].norm === norm);
  return own.length > 0 ? own : evaluations;
};

/** Curves are laid beside each other, so only attacks that every measured trial has been through count, while some are still on the way. */
const common = (lists: readonly (readonly Evaluation[])[]): readonly (readonly Evaluation[])[] => {
  const measured = lists.filter((list) => list.length > 0).map((list) => new Set(list.map(keyOfRun)));
  const shared = lists.map((list) =>
    list.filter((evaluation) => measured.every((keys) => keys.has(keyOfRun(evaluation)))),
  );
  return shared.some((list) => list.length > 0) ? shared : lists;
};

export type CurveTrial = { readonly id: string; readonly name: string; readonly colour: number };

export type Curves = {
  readonly curves: readonly NamedCurve[];
  readonly loading: boolean;
  /** What stands behind the curves, in words. */
  readonly note: string;
};

const noteOf = (attackCount: number, fixedAt: readonly number[] | null): string => {
  const over =
    attackCount === 0 ? 'the attacks' : attackCount === 1 ? 'one attack' : `${attackCount} attacks`;
  const gaps = fixedAt === null ? '' : ` Attacked only at ε = ${fixedAt.join(', ')}: the line just connects.`;
  return `Worst case per image over ${over}, with 95% intervals.${gaps}`;
};

/** The curves of a few trials, from the per-image records of their evaluations. `usual`: the radius that is shown at least. */
export const useRobustnessCurves = (
  trials: readonly CurveTrial[],
  norm: 'linf' | 'l2',
  usual: number,
): Curves => {
  const details = useQueries(trials.map(({ id }) => trialQuery(id)));
  const wanted = common(details.map(({ data }) => data?.evaluations ?? [])).flatMap((evaluations, i) =>
    ofNorm(evaluations, norm).map((evaluation) => ({ trial: i, id: trials[i]!.id, evaluation })),
  );
  const images = useQueries(wanted.map(({ id, evaluation }) => imagesQuery(id, evaluation.stage)));
  const names = trials.map(({ id, colour }) => `${id}${colour}`).join();
  // `wanted` and `trials` follow from details and names.
  return useMemo(() => {
    const records = trials.map((_, i): NamedRecords[] =>
      wanted.flatMap(({ trial, evaluation }, k) => {
        const data = images[k]?.data;
        return trial === i && data ? [{ attack: evaluation.attack, records: data }] : [];
      }),
    );
    const complete = (i: number) =>
      records[i]!.length > 0 && records[i]!.length === wanted.filter(({ trial }) => trial === i).length;
    // Attacks at a fixed ε say what happens at that ε, and nothing beyond it.
    const fixedAt =
      wanted.length > 0 &&
      wanted.every(({ evaluation }) => isBounded(evaluation) && attacks[evaluation.attack].norm === norm)
        ? [...new Set(wanted.map(({ evaluation }) => Number(evaluation.settings.epsilon)))].sort(
            (a, b) => a - b,
          )
        : null;
    const reached = roundedUp(Math.max(usual, ...records.map((own) => curveExtent(own, norm, 0))));
    const radii =
      fixedAt === null ? evenRadii(norm === 'linf' ? Math.min(1, reached) : reached) : [0, ...fixedAt];
    const curves = trials.flatMap(({ name, colour }, i) =>
      complete(i) ? [{ name, colour, curve: robustnessCurve(records[i]!, norm, radii) }] : [],
    );
    const loading = details.some(({ loading }) => loading) || images.some(({ loading }) => loading);
    const attackCount = Math.max(0, ...records.map((own) => own.length));
    return { curves, loading, note: noteOf(attackCount, fixedAt) };
  }, [details, images, norm, usual, names]);
};
