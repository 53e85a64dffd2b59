import { attacks } from '@funnel/contracts';
import { useMemo } from 'react';
import type { NamedCurve } from '../charts/robustness-curves.tsx';
import { curveExtent, type NamedRecords, robustnessCurve } from '../statistics/robustness-curve.ts';
import { imagesQuery, trialQuery } from './queries.ts';
import { useQueries } from './use-queries.ts';

/** To one digit, or a half of one: an axis ends at a number that one can read. */
const roundedUp = (value: number): number => {
  const unit = 10 ** Math.floor(Math.log10(value)) / 2;
  return Number((Math.ceil(value / unit - 1e-9) * unit).toPrecision(3));
};

export type CurveTrial = { readonly id: string; readonly name: string; readonly colour: number };

/** The curves of a few trials, from the per-image records of their evaluations in one norm (of any norm, where there is none). */
export const useRobustnessCurves = (
  trials: readonly CurveTrial[],
  norm: 'linf' | 'l2',
  usual: number,
): { readonly curves: readonly NamedCurve[]; readonly loading: boolean; readonly attacks: number } => {
  const details = useQueries(trials.map(({ id }) => trialQuery(id)));
  const wanted = details.flatMap(({ data }, i) => {
    const own = data?.evaluations ?? [];
    const ofNorm = own.filter(({ attack }) => attacks[attack].norm === norm);
    return (ofNorm.length > 0 ? ofNorm : own).map(({ stage, attack }) => ({
      trial: i,
      id: trials[i]!.id,
      stage,
      attack,
    }));
  });
  const images = useQueries(wanted.map(({ id, stage }) => imagesQuery(id, stage)));
  const names = trials.map(({ id, colour }) => `${id}${colour}`).join();
  // `wanted` and `trials` follow from details and names.
  return useMemo(() => {
    const records = trials.map((_, i): NamedRecords[] =>
      wanted.flatMap(({ trial, attack }, k) => {
        const data = images[k]?.data;
        return trial === i && data ? [{ attack, records: data }] : [];
      }),
    );
    const complete = (i: number) =>
      records[i]!.length > 0 && records[i]!.length === wanted.filter(({ trial }) => trial === i).length;
    const most = Math.max(usual, ...records.map((own) => curveExtent(own, norm, 0)));
    const limit = norm === 'linf' ? Math.min(1, roundedUp(most)) : roundedUp(most);
    const curves = trials.flatMap(({ name, colour }, i) =>
      complete(i) ? [{ name, colour, curve: robustnessCurve(records[i]!, norm, limit) }] : [],
    );
    const loading = details.some(({ loading }) => loading) || images.some(({ loading }) => loading);
    return { curves, loading, attacks: Math.max(0, ...records.map((own) => own.length)) };
  }, [details, images, norm, usual, names]);
};
