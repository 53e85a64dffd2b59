import { curveText, type Evaluation, normTitles, type RunRecords, runsOfNorm } from '@funnel/contracts';
import { useMemo } from 'react';
import { imagesQuery, trialQuery, useAnswers } from '../data/queries.ts';
import { formatNumber, formatPercent, keyOfRun } from '../format.ts';
import { curveExtent } from '../statistics/robustness.ts';
import { useColours } from '../theme.ts';
import { curveSeries, curvesOf, type NamedCurve } from './curve-series.ts';
import { axisStyle, baseOption, EChart } from './echart.tsx';

/** Robust accuracy over ε: loads the per-image records of a few trials and draws their curves. */

/** Rounds up to one digit or half of one, so that the axis ends at a short number. */
const roundedUp = (value: number): number => {
  const unit = 10 ** Math.floor(Math.log10(value)) / 2;
  return Number((Math.ceil(value / unit - 1e-9) * unit).toPrecision(3));
};

/** Each attack with its settings once. */
const different = (evaluations: readonly Evaluation[]): readonly Evaluation[] => [
  ...new Map(evaluations.map((evaluation) => [keyOfRun(evaluation), evaluation])).values(),
];

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
  /** Which attacks the curves come from, in words; empty before the first result. */
  readonly note: string;
  /** False if no attack of the trials works in this norm: then there is no curve. */
  readonly isSearched: boolean;
};

/** The number of images behind every curve; null without curves, and where they differ. */
const commonImages = (curves: readonly Pick<NamedCurve, 'curve'>[]): number | null => {
  const [first] = curves;
  return first && curves.every(({ curve }) => curve.images === first.curve.images)
    ? first.curve.images
    : null;
};

/** The curves of a few trials, from the per-image records of their evaluations. The axis reaches to `minRadius` at least. */
export const useRobustnessCurves = (
  trials: readonly CurveTrial[],
  norm: 'linf' | 'l2',
  minRadius: number,
): Curves => {
  const details = useAnswers(trials.map(({ id }) => trialQuery(id)));
  const common = commonEvaluations(details.data.map((trial) => trial?.evaluations ?? []));
  const wanted = common.flatMap((evaluations, i) =>
    runsOfNorm(evaluations, norm).map((evaluation) => ({ trial: i, id: trials[i]!.id, evaluation })),
  );
  const isAttacked = details.data.some((trial) => trial !== undefined && trial.evaluations.length > 0);
  const images = useAnswers(wanted.map(({ id, evaluation }) => imagesQuery(id, evaluation.stage)));
  const names = trials.map(({ id, colour }) => `${id}${colour}`).join();
  // `common`, `wanted` and `trials` are functions of the details and names.
  return useMemo(() => {
    const records = trials.map((_, i): RunRecords[] =>
      wanted.flatMap(({ trial, evaluation: { attack, settings } }, k) => {
        const data = images.data[k];
        return trial === i && data ? [{ attack, settings, records: data }] : [];
      }),
    );
    const isComplete = (i: number) =>
      records[i]!.length > 0 && records[i]!.length === wanted.filter(({ trial }) => trial === i).length;
    const runs = different(common.flat());
    const found = roundedUp(Math.max(minRadius, ...records.map((own) => curveExtent(own, norm, 0))));
    const maxRadius = norm === 'linf' ? Math.min(1, found) : found;
    const curves = trials.flatMap(({ name, colour }, i) =>
      isComplete(i) ? [{ name, colour, ...curvesOf(records[i]!, norm, maxRadius) }] : [],
    );
    return {
      curves,
      loading: details.loading || images.loading,
      note: isAttacked ? curveText(runs, norm, commonImages(curves)) : '',
      isSearched: wanted.length > 0 || !isAttacked,
    };
  }, [details, images, norm, minRadius, names]);
};

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
    const maxEpsilon = Math.max(
      ...curves
        .flatMap(({ curve, points }) => [curve, ...(points ? [points] : [])])
        .map(({ epsilon }) => epsilon.at(-1) ?? 0),
      0,
    );
    const series = curves.flatMap((curve, i) => curveSeries(curve, i, colours.series[curve.colour % 6]!));
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
          const lineOf = ({ marker, seriesId, seriesName, value }: (typeof hits)[number]) => {
            const at = seriesId.startsWith('point') ? `, all attacks at ε = ${formatNumber(value[0])}` : '';
            return `${marker}${seriesName}${at}: <b>${formatPercent(value[1])}</b> [${formatPercent(value[2])}, ${formatPercent(value[3])}]`;
          };
          const rows = hits.filter((hit) => hit.seriesId.startsWith('curve'));
          const points = hits.filter((hit) => hit.seriesId.startsWith('point'));
          const head = rows.length > 0 ? [`ε = ${formatNumber(rows[0]?.value[0])}`] : [];
          return [...head, ...[...rows, ...points].map(lineOf)].join('<br/>');
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
