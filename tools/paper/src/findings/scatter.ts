/** The figure of a search beyond the paper: clean accuracy against the median L2. A filled mark has every check ok. */
import { drawing, type Figure, line, scaleOf, text, ticksOf, uprightText } from '@funnel/figures';
import type { Candidate } from './candidates.ts';

const [width, height] = [760, 460];
const frame = { left: 64, right: 190, top: 24, bottom: 56 };
const colours: Readonly<Record<string, string>> = {
  funn: 'var(--blue)',
  classic: 'var(--orange)',
  'adversarial-training': 'var(--purple)',
  trades: 'var(--teal)',
};
const colourOf = (recipe: string): string => colours[recipe] ?? 'var(--grey)';

/** A circle; hollow unless every check is ok, and crossed out if the verdict says that the value means nothing. */
const mark = (x: number, y: number, recipe: string, verdict: string): string => {
  const colour = colourOf(recipe);
  const at = `cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="4.5" stroke="${colour}" stroke-width="1.5"`;
  const circle = `<circle ${at} fill="${verdict === 'ok' ? colour : 'none'}"/>`;
  const crossed =
    verdict === 'ok' || verdict === 'suspect'
      ? ''
      : line([x - 6, y - 6], [x + 6, y + 6], `stroke="${colour}"`);
  return circle + crossed;
};

/** An infinite median stands above the greatest finite one, at the upper edge. */
export const drawScatter = (candidates: readonly Candidate[], file: string): Figure => {
  const finite = candidates.map(({ medianL2 }) => medianL2).filter(Number.isFinite);
  const high = 1.1 * Math.max(1e-3, ...finite);
  const accuracies = candidates.map(({ cleanAccuracy }) => cleanAccuracy);
  const low = Math.max(0, Math.min(...accuracies) - 0.02);
  const [right, bottom] = [width - frame.right, height - frame.bottom];
  const x = scaleOf([low, Math.min(1.005, Math.max(...accuracies) + 0.02)], [frame.left, right]);
  const y = scaleOf([0, high], [bottom, frame.top + 16]);
  const yOf = (value: number): number => (Number.isFinite(value) ? y(value) : frame.top);
  const recipes = [...new Set(candidates.map(({ configuration }) => configuration.recipe))];
  const verdicts = [...new Set(candidates.map(({ verdict }) => verdict))];
  const isInfinite = finite.length < candidates.length;
  const parts = [
    ...ticksOf(0, high).flatMap((value) => [
      line([frame.left, y(value)], [right, y(value)]),
      text(frame.left - 8, y(value) + 4, String(Number(value.toPrecision(3))), 'text-anchor="end"'),
    ]),
    ...(isInfinite ? [text(frame.left - 8, frame.top + 4, '∞', 'text-anchor="end"')] : []),
    ...ticksOf(low, Math.max(...accuracies) + 0.02).flatMap((share) =>
      x(share) > right
        ? []
        : [text(x(share), bottom + 20, `${Number((100 * share).toFixed(1))} %`, 'text-anchor="middle"')],
    ),
    text((frame.left + right) / 2, height - 12, 'clean accuracy', 'text-anchor="middle"'),
    uprightText(16, (frame.top + bottom) / 2, 'median of the smallest change, L2'),
    ...candidates.map(({ cleanAccuracy, medianL2, configuration, verdict }) =>
      mark(x(cleanAccuracy), yOf(medianL2), configuration.recipe, verdict),
    ),
    ...recipes.flatMap((recipe, i) => [
      mark(right + 20, frame.top + 20 * i, recipe, 'ok'),
      text(right + 32, frame.top + 4 + 20 * i, recipe),
    ]),
    ...verdicts.flatMap((verdict, i) => {
      const at = frame.top + 20 * (recipes.length + 1 + i);
      return [mark(right + 20, at, '', verdict), text(right + 32, at + 4, `verdict ${verdict}`)];
    }),
  ];
  return {
    file,
    alt: 'Clean accuracy against the median of the smallest change, for every configuration of the search and the baselines, marked by recipe and verdict',
    svg: drawing(width, height, 'Clean accuracy against the median of the smallest change', parts),
  };
};
