/** What the chart of robust accuracy over ε draws: a band where every ε was measured, and bars where only some were. */
import {
  fixedRadii,
  namedRadii,
  type RobustnessCurve,
  type RunRecords,
  robustnessCurve,
  searchesSmallest,
} from '@funnel/contracts';
import { radiiWith } from '../statistics/robustness.ts';
import { dashes } from './marks.tsx';

export type NamedCurve = {
  readonly name: string;
  readonly colour: number;
  readonly curve: RobustnessCurve;
  /** True if all attacks ran at a fixed ε: the line joins the values of the curve, and nothing was measured between them. */
  readonly joined: boolean;
  /** At the ε at which all attacks count; null if the curve itself has them, and without such an ε. */
  readonly points: RobustnessCurve | null;
};

/** The line rests on the attacks that search for the smallest change. Where there are others too, they have points at their ε. */
export const curvesOf = (
  evaluations: readonly RunRecords[],
  norm: 'linf' | 'l2',
  maxRadius: number,
): Pick<NamedCurve, 'curve' | 'joined' | 'points'> => {
  const fixed = fixedRadii(evaluations, norm);
  const searching = evaluations.filter(searchesSmallest);
  if (searching.length === 0)
    return { curve: robustnessCurve(evaluations, norm, [0, ...fixed]), joined: true, points: null };
  return {
    curve: robustnessCurve(searching, norm, radiiWith(namedRadii(evaluations, norm), maxRadius)),
    joined: false,
    points: fixed.length > 0 ? robustnessCurve(evaluations, norm, fixed) : null,
  };
};

/** Vertical lines for the intervals of points; null between two of them. */
const intervalLines = ({ epsilon, low, high }: RobustnessCurve) =>
  epsilon.flatMap((e, k) => [
    [e, low[k]],
    [e, high[k]],
    [e, null],
  ]);

const valuesOf = ({ epsilon, accuracy, low, high }: RobustnessCurve) =>
  epsilon.map((e, k) => [e, accuracy[k], low[k], high[k]]);

/** The series of the chart for the curve in place `i`. `tone`: its colour. */
export const curveSeries = ({ name, colour, curve, joined, points }: NamedCurve, i: number, tone: string) => {
  const silent = { type: 'line', symbol: 'none', silent: true, tooltip: { show: false } };
  const band = { ...silent, stack: `band${i}`, lineStyle: { opacity: 0 } };
  const measured = joined ? curve : points;
  return [
    ...(joined
      ? []
      : [
          { ...band, id: `low${i}`, data: curve.epsilon.map((e, k) => [e, curve.low[k]]) },
          {
            ...band,
            id: `high${i}`,
            data: curve.epsilon.map((e, k) => [e, (curve.high[k] ?? 0) - (curve.low[k] ?? 0)]),
            areaStyle: { color: tone, opacity: 0.13 },
          },
        ]),
    {
      id: `curve${i}`,
      name,
      type: 'line',
      symbol: 'circle',
      symbolSize: 7,
      showSymbol: joined,
      data: valuesOf(curve),
      lineStyle: {
        color: tone,
        width: 2,
        type: dashes[colour % 6]!.length === 0 ? 'solid' : [...dashes[colour % 6]!],
      },
      itemStyle: { color: tone },
    },
    ...(measured
      ? [
          {
            ...silent,
            id: `interval${i}`,
            clip: false, // else a bar at an end of the axis loses half of its width
            lineStyle: { color: tone, width: 2 },
            data: intervalLines(measured),
          },
        ]
      : []),
    ...(points
      ? [
          {
            id: `point${i}`,
            name,
            type: 'scatter',
            symbol: 'diamond',
            symbolSize: 11,
            itemStyle: { color: tone },
            data: valuesOf(points),
          },
        ]
      : []),
  ];
};
