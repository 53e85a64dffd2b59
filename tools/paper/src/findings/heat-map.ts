/** The figure of effects: a row for each value of each choice, a column for each attack, the difference of the logits as a colour. */
import { drawing, type Figure, line, text } from '@funnel/figures';
import { groupBy } from '../group.ts';
import { type Effect, isClear } from './effects.ts';

const cell = { width: 58, height: 22 };
const left = 250;
/** Room for the slanted names of the attacks. */
const top = 190;

/** The colour of the greatest effect; smaller ones are paler. A lower success rate is blue. */
const cellParts = ({ difference }: Effect, greatest: number, x: number, y: number): string[] => {
  const strength = greatest === 0 ? 0 : Math.abs(difference.mean) / greatest;
  const colour = difference.mean < 0 ? 'var(--blue)' : 'var(--orange)';
  const clear = isClear(difference);
  return [
    `<rect x="${x}" y="${y}" width="${cell.width - 2}" height="${cell.height - 2}" fill="${colour}" fill-opacity="${(0.55 * strength).toFixed(3)}"/>`,
    text(
      x + cell.width / 2 - 1,
      y + 15,
      `${difference.mean > 0 ? '+' : ''}${difference.mean.toFixed(1)}`
        .replace('-', '−')
        .replace(/^[+−]0\.0$/, '0.0'),
      `text-anchor="middle" font-size="12" ${clear ? 'font-weight="bold"' : 'fill="var(--muted)"'}`,
    ),
  ];
};

export const drawEffects = (effects: readonly Effect[], file: string): Figure => {
  const attacks = [...new Set(effects.map(({ attack }) => attack))];
  const rows = [...groupBy(effects, ({ choice, value }) => `${choice}\n${value}`).values()];
  const greatest = Math.max(...effects.map(({ difference }) => Math.abs(difference.mean)));
  const width = left + attacks.length * cell.width + 110;
  const height = top + rows.length * cell.height + 50;
  const parts = [
    ...attacks.map((attack, i) => {
      const x = left + (i + 0.5) * cell.width;
      return text(0, 0, attack, `transform="translate(${x} ${top - 8}) rotate(-40)" font-size="12"`);
    }),
    ...rows.flatMap((row, i) => {
      const y = top + i * cell.height;
      const { choice, value, configurations } = row[0]!;
      const isFirst = rows[i - 1]?.[0]?.choice !== choice;
      return [
        ...(isFirst
          ? [line([12, y - 1], [left + attacks.length * cell.width, y - 1]), text(12, y + 15, choice)]
          : []),
        text(left - 8, y + 15, `${value} (${configurations})`, 'text-anchor="end" fill="var(--muted)"'),
        ...row.flatMap((effect) =>
          cellParts(effect, greatest, left + attacks.indexOf(effect.attack) * cell.width, y),
        ),
      ];
    }),
    text(
      12,
      height - 22,
      'mean logit of the success rate with the value, minus that of all other settings; bold: the 95 % interval does not contain 0; (n): settings',
      'fill="var(--muted)" font-size="12"',
    ),
  ];
  return {
    file,
    alt: 'Effect of each value of each choice on the success rate of each attack; the strongest ones are in the table below',
    svg: drawing(width, height, 'Which choice moves which row', parts),
  };
};
