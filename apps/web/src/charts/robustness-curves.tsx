import { attacks, type Evaluation, isBounded, normTitles, type RobustnessCurve } from '@funnel/contracts';
import { useMemo } from 'react';
import { imagesQuery, trialQuery, useAnswers } from '../data/queries.ts';
import { formatNumber, formatPercent, keyOfRun, plural } from '../format.ts';
import { curveExtent, evenRadii, type NamedRecords, robustnessCurve } from '../statistics/robustness.ts';
import { useColours } from '../theme.ts';
import { axisStyle, baseOption, EChart } from './echart.tsx';
import { dashes } from './marks.tsx';

/** Robust accuracy over ε: loads the per-image records of a few trials and draws their curves. */

/** Rounds up to one digit or half of one, so that the axis ends at a short number. */
const roundedUp = (value: number): number => {
  const unit = 10 ** Math.floor(Math.log10(value)) / 2;
  return Number((Math.ceil(value / unit - 1e-9) * unit).toPrecision(3));
};

/** The evaluations whose attacks use this norm. If there is none, all evaluations, because every result is measured in all norms. */
const ofNorm = (evaluations: readonly Evaluation[], norm: 'linf' | 'l2'): readonly Evaluation[] => {
  const matching = evaluations.filter(({ attack }) => attacks[attack].norm === norm);
  return matching.length > 0 ? matching : evaluations;
};

/** Keeps the attacks that every measured trial has, so that the curves can be compared while some attacks still run. */
const commonEvaluations = (lists: readonly (readonly Evaluation[])[]): readonly (readonly Evaluation[])[] => {
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
  /** Which attacks the curves come from, in words. */
  readonly note: string;
};

const noteOf = (attackCount: number, fixedAt: readonly number[] | null): string => {
  const attacksText = attackCount === 0 ? 'the attacks' : plural(attackCount, 'attack');
  const gaps =
    fixedAt === null
      ? ''
      : ` The attacks ran only at ε = ${fixedAt.join(', ')}; the line joins these points.`;
  return `Worst case per image over ${attacksText}, with 95% intervals.${gaps}`;
};

/** The curves of a few trials, from the per-image records of their evaluations. The axis reaches to `minRadius` at least. */
export const useRobustnessCurves = (
  trials: readonly CurveTrial[],
  norm: 'linf' | 'l2',
  minRadius: number,
): Curves => {
  const details = useAnswers(trials.map(({ id }) => trialQuery(id)));
  const wanted = commonEvaluations(details.data.map((trial) => trial?.evaluations ?? [])).flatMap(
    (evaluations, i) =>
      ofNorm(evaluations, norm).map((evaluation) => ({ trial: i, id: trials[i]!.id, evaluation })),
  );
  const images = useAnswers(wanted.map(({ id, evaluation }) => imagesQuery(id, evaluation.stage)));
  const names = trials.map(({ id, colour }) => `${id}${colour}`).join();
  // `wanted` and `trials` are functions of the details and names.
  return useMemo(() => {
    const records = trials.map((_, i): NamedRecords[] =>
      wanted.flatMap(({ trial, evaluation }, k) => {
        const data = images.data[k];
        return trial === i && data ? [{ attack: evaluation.attack, records: data }] : [];
      }),
    );
    const isComplete = (i: number) =>
      records[i]!.length > 0 && records[i]!.length === wanted.filter(({ trial }) => trial === i).length;
    // An attack at a fixed ε gives no result for other radii.
    const fixedAt =
      wanted.length > 0 &&
      wanted.every(({ evaluation }) => isBounded(evaluation) && attacks[evaluation.attack].norm === norm)
        ? [...new Set(wanted.map(({ evaluation }) => Number(evaluation.settings.epsilon)))].sort(
            (a, b) => a - b,
          )
        : null;
    const maxRadius = roundedUp(Math.max(minRadius, ...records.map((own) => curveExtent(own, norm, 0))));
    const radii =
      fixedAt === null ? evenRadii(norm === 'linf' ? Math.min(1, maxRadius) : maxRadius) : [0, ...fixedAt];
    const curves = trials.flatMap(({ name, colour }, i) =>
      isComplete(i) ? [{ name, colour, curve: robustnessCurve(records[i]!, norm, radii) }] : [],
    );
    const attackCount = Math.max(0, ...records.map((own) => own.length));
    return { curves, loading: details.loading || images.loading, note: noteOf(attackCount, fixedAt) };
  }, [details, images, norm, minRadius, names]);
};

type NamedCurve = { readonly name: string; readonly colour: number; readonly curve: RobustnessCurve };

export const RobustnessCurves = ({
  curves,
  height = 340,
}: {
  readonly curves: readonly NamedCurve[];
  readonly height?: number;
}) => {
  const colours = useColours();
  const norm = curves[0]?.curve.norm ?? 'linf';
  const option = useMemo(() => {
    const axis = axisStyle(colours);
    const maxEpsilon = Math.max(...curves.map(({ curve }) => curve.epsilon.at(-1) ?? 0), 0);
    const series = curves.flatMap(({ name, colour, curve }, i) => {
      const tone = colours.series[colour % 6]!;
      const band = {
        type: 'line',
        stack: `band${i}`,
        symbol: 'none',
        silent: true,
        lineStyle: { opacity: 0 },
        tooltip: { show: false },
      };
      return [
        { ...band, id: `low${i}`, data: curve.epsilon.map((e, k) => [e, curve.low[k]]) },
        {
          ...band,
          id: `high${i}`,
          data: curve.epsilon.map((e, k) => [e, curve.high[k]! - curve.low[k]!]),
          areaStyle: { color: tone, opacity: 0.13 },
        },
        {
          id: `curve${i}`,
          name,
          type: 'line',
          symbol: 'circle',
          symbolSize: 7,
          showSymbol: curve.epsilon.length <= 8,
          data: curve.epsilon.map((e, k) => [e, curve.accuracy[k], curve.low[k], curve.high[k]]),
          lineStyle: {
            color: tone,
            width: 2,
            type: dashes[colour % 6]!.length === 0 ? 'solid' : [...dashes[colour % 6]!],
          },
          itemStyle: { color: tone },
        },
      ];
    });
    return {
      ...baseOption(colours),
      grid: { left: 48, right: 18, top: 14, bottom: 44 },
      tooltip: {
        ...baseOption(colours).tooltip,
        trigger: 'axis',
        axisPointer: { lineStyle: { color: colours.lineStrong } },
        formatter: (
          hits: readonly { seriesId: string; seriesName: string; marker: string; value: number[] }[],
        ) => {
          const rows = hits.filter((hit) => hit.seriesId.startsWith('curve'));
          const lines = rows.map(
            ({ marker, seriesName, value }) =>
              `${marker}${seriesName}: <b>${formatPercent(value[1])}</b> [${formatPercent(value[2])}, ${formatPercent(value[3])}]`,
          );
          return [`ε = ${formatNumber(rows[0]?.value[0])}`, ...lines].join('<br/>');
        },
      },
      xAxis: {
        type: 'value',
        min: 0,
        max: maxEpsilon,
        name: `ε (${normTitles[norm]})`,
        nameLocation: 'middle',
        nameGap: 28,
        ...axis,
      },
      yAxis: {
        type: 'value',
        min: 0,
        max: 1,
        ...axis,
        axisLabel: { ...axis.axisLabel, formatter: (v: number) => `${Math.round(100 * v)}%` },
      },
      series,
    };
  }, [curves, colours, norm]);
  return (
    <EChart
      height={height}
      option={option}
      label={`Robust accuracy over ε (${normTitles[norm]}) of ${curves.map(({ name }) => name).join(', ')}`}
    />
  );
};
