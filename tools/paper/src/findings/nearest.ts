/** The tables of the nearest settings: their values, and row by row the printed rate beside ours. */

import { choicesOf, valueText } from '../choices.ts';
import { percent, percentage, table } from '../format.ts';
import { printedShare } from '../printed.ts';
import { agreements, type Setting } from './settings.ts';

const nearnessText = ({ nearness: { value } }: Setting): string => (value === null ? '–' : value.toFixed(2));

export const agreementText = (setting: Setting): string =>
  `${agreements(setting)} of ${setting.nearness.rows.length}`;

/** A column for each setting. `of`: all settings of the sweep, which say what differs. */
const valuesTable = (nearest: readonly Setting[], of: readonly Setting[]): string => {
  const choices = choicesOf(of.map(({ configuration }) => configuration));
  const row = (title: string, cell: (setting: Setting) => string) => [title, ...nearest.map(cell)];
  return table(
    ['setting', ...nearest.map(({ number }) => String(number))],
    [
      row('nearness', nearnessText),
      row('rows that agree', agreementText),
      row('clean accuracy', ({ configuration: { cleanAccuracy } }) =>
        cleanAccuracy === null ? '–' : percent(cleanAccuracy.mean),
      ),
      row('hinge active', ({ configuration: { hinge } }) => (hinge === null ? '–' : percent(hinge.mean))),
      row('verdict', ({ configuration: { verdict } }) => verdict ?? 'not examined'),
      ...choices.map(({ name, title }) =>
        row(title, ({ configuration: { hyperparameters } }) => valueText(name, hyperparameters)),
      ),
    ],
    nearest.map((_, i) => i + 1),
  );
};

const shareCell = ({ nearness }: Setting, index: number): string => {
  const { row, agrees } = nearness.rows[index]!;
  if (row?.measured == null) return '–';
  const { success, pooled } = row.measured;
  const text = `${percent(success.mean)} [${(100 * pooled[0]).toFixed(1)}, ${(100 * pooled[1]).toFixed(1)}]`;
  return agrees ? `**${text}**` : text;
};

const rowsTable = (nearest: readonly Setting[]): string =>
  table(
    ['row', 'printed', ...nearest.map(({ number }) => String(number))],
    nearest[0]!.nearness.rows.map(({ name, printed }, i) => [
      name,
      printedShare(printed),
      ...nearest.map((setting) => shareCell(setting, i)),
    ]),
    [1, ...nearest.map((_, i) => i + 2)],
  );

export const describeNearest = (nearest: readonly Setting[], of: readonly Setting[]): string =>
  [
    valuesTable(nearest, of),
    '',
    `Their first trials, for \`npx funnel show ID\`: ${nearest.map(({ number, configuration }) => `${number} \`${configuration.trials[0]}\``).join(', ')}.`,
    '',
    'Success rates with the 95 % Wilson interval over the images; bold where the printed rate lies inside, or inside the interval over seeds (“near 100 %”: at least 95 %). Where the paper leaves open which attack it ran, the number is that of our nearer one, and one that agrees is enough.',
    '',
    rowsTable(nearest),
  ].join('\n');

/** The settings of the full size beside the same settings at the small size. */
export const describeFullSize = (full: readonly Setting[], small: readonly Setting[]): string => {
  const key = ({ configuration: { hyperparameters } }: Setting): string =>
    JSON.stringify(Object.entries(hyperparameters).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  const found = new Map(small.map((setting) => [key(setting), setting]));
  const clean = ({ configuration: { cleanAccuracy } }: Setting): string =>
    cleanAccuracy === null ? '–' : percentage(cleanAccuracy);
  const pairs = full.map((large) => ({ large, before: found.get(key(large)) }));
  return table(
    [
      ...['setting at the full size', 'setting at the small size', 'nearness, small', 'nearness, full'],
      ...['rows that agree, small', 'full', 'clean accuracy, small', 'full', 'verdict, small', 'full'],
    ],
    pairs.map(({ large, before }) => [
      String(large.number),
      before ? String(before.number) : 'not in the small sweep',
      before ? nearnessText(before) : '–',
      nearnessText(large),
      before ? agreementText(before) : '–',
      agreementText(large),
      before ? clean(before) : '–',
      clean(large),
      before?.configuration.verdict ?? '–',
      large.configuration.verdict ?? '–',
    ]),
    [0, 1, 2, 3, 4, 5, 6, 7],
  );
};
