/** The figure of Table 2: for each row the printed success rates, and ours with their intervals over the images. */
import { drawing, type Figure, line, scaleOf, text, ticksOf } from '@funnel/figures';
import { type Configuration, printedOf } from '../measured.ts';

const width = 860;
const left = 270;
const right = 24;
const top = 24;
/** The height of one configuration in a row, and the space below a row. */
const lane = 13;
const gap = 10;
const margin = 14;
const colours = ['var(--grey)', 'var(--blue)', 'var(--orange)', 'var(--purple)', 'var(--teal)'] as const;

const colourOf = (index: number): string => colours[index % colours.length]!;

/** The configurations in the order of the tables: one lane each, in every row. */
const rowParts = (
  configurations: readonly Configuration[],
  row: number,
  y: number,
  x: (share: number) => number,
): string[] =>
  configurations.flatMap((configuration, i) => {
    const { printed, measured } = configuration.rows[row]!;
    const theirs = printedOf(configuration, { printed, measured });
    const middle = y + lane * (i + 0.5);
    const colour = colourOf(i);
    return [
      ...(theirs === null
        ? []
        : [
            line(
              [x(theirs.success / 100), middle - 6],
              [x(theirs.success / 100), middle + 6],
              `stroke="${colour}" stroke-width="3"`,
            ),
          ]),
      ...(measured === null
        ? []
        : [
            line(
              [x(measured.pooled[0]), middle],
              [x(measured.pooled[1]), middle],
              `stroke="${colour}" stroke-width="1.5"`,
            ),
            `<circle cx="${x(measured.success.mean).toFixed(1)}" cy="${middle.toFixed(1)}" r="4" fill="${colour}"/>`,
          ]),
    ];
  });

export const drawTable2 = (all: readonly Configuration[], file: string): Figure => {
  const configurations = all.filter(({ seeds }) => seeds.length > 0);
  const rows = configurations[0]!.rows;
  const step = lane * configurations.length + gap;
  const bottom = top + step * rows.length;
  const x = scaleOf([0, 1], [left, width - right]);
  const height = bottom + 50 + 20 * (configurations.length + 1);
  const parts = [
    ...ticksOf(0, 1).flatMap((share) => [
      line([x(share), top], [x(share), bottom]),
      text(x(share), bottom + 18, `${Math.round(100 * share)} %`, 'text-anchor="middle"'),
    ]),
    ...rows.flatMap(({ printed: { title } }, row) => [
      text(left - 12, top + step * row + (step - gap) / 2 + 4, title, 'text-anchor="end"'),
      ...rowParts(configurations, row, top + step * row, x),
    ]),
    ...configurations.flatMap(({ name }, i) => [
      `<circle cx="${margin + 4}" cy="${bottom + 42 + 20 * i}" r="4" fill="${colourOf(i)}"/>`,
      text(margin + 18, bottom + 46 + 20 * i, name),
    ]),
    text(
      margin,
      bottom + 46 + 20 * configurations.length,
      'upright mark: printed; dot and line: ours with its 95 % interval over the images',
      'fill="var(--muted)"',
    ),
  ];
  return {
    file,
    alt: `Success rates of each attack: printed, and ours with intervals, for ${configurations.map(({ name }) => name).join('; ')}`,
    svg: drawing(width, height, 'Success rates of the attacks: printed and ours', parts),
  };
};
