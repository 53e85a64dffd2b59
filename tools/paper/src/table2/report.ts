/** The report, `docs/table2.md`. The same sweep always gives the same text. */
import { besidePaper, ran } from '../conditions.ts';
import { bullets, distance, number, percent, percentage, picture, table } from '../format.ts';
import { agrees, type Configuration, configurationsOf, printedOf } from '../measured.ts';
import { printedFaults, printedShare } from '../printed.ts';
import type { Report } from '../report.ts';
import type { SweepResults } from '../results.ts';
import { drawTable2 } from './figure.ts';
import { comparisonsOf, describeComparison, findings } from './sentences.ts';

const overview = (configurations: readonly Configuration[]): string =>
  table(
    ['configuration', 'seeds', 'clean accuracy', 'loss after initialise', 'hinge active', 'verdict'],
    configurations.map(({ name, seeds, missing, cleanAccuracy, floor, hinge, verdict }) => [
      `\`${name}\``,
      [String(seeds.length), ...missing.map(({ seed, status }) => `seed ${seed} ${status}`)].join('; '),
      cleanAccuracy === null ? '–' : percentage(cleanAccuracy),
      number(floor),
      hinge === null ? '–' : percentage(hinge),
      verdict ?? 'not examined',
    ]),
    [1, 2, 3, 4],
  );

const rowsOf = (configuration: Configuration): (readonly string[])[] =>
  configuration.rows.map((row) => {
    const printed = printedOf(configuration, row);
    const { measured } = row;
    const theirs = [
      printed === null ? '–' : printedShare(printed),
      printed === null || printed.noise === null ? '–' : String(printed.noise),
    ] as const;
    if (measured === null) return [row.printed.title, theirs[0], '–', '–', '', theirs[1], '–', '–', '–'];
    return [
      row.printed.title,
      theirs[0],
      percentage(measured.success),
      `${percent(measured.pooled[0])} … ${percent(measured.pooled[1])}`,
      printed === null ? '' : agrees(printed, measured) ? 'yes' : 'no',
      theirs[1],
      number(measured.noise),
      number(measured.noiseAll),
      distance(measured.medianL2),
    ];
  });

const titles = [
  'attack',
  'success, printed',
  'success',
  'of the images',
  'agrees',
  'noise level, printed',
  'noise level',
  'failures as 0',
  'median L2',
];

const resultsOf = (configuration: Configuration): string =>
  [`### \`${configuration.name}\``, '', table(titles, rowsOf(configuration), [1, 2, 3, 5, 6, 7, 8])].join(
    '\n',
  );

const legend = [
  '- *success*: the share of the correctly classified images on which the attack succeeded. Mean over seeds with its 95 % interval (Student’s t; no interval where all seeds give the same).',
  '- *of the images*: 95 % Wilson interval of all seeds’ images together. *agrees*: the printed rate lies within one of the two intervals; “near 100 %”: ours is at least 95 %.',
  '- *noise level*: the mean L2 norm over the successes, as in the paper; the mean over the seeds that had a success, ± half of its interval. *failures as 0*: the mean L2 norm over all attacked images.',
  '- *median L2*: the median over the attacked images, where a failure counts as infinity, then the median over seeds; ∞ where half of the images withstand.',
  '- *verdict*: the worst verdict over seeds of the checks in [docs/attacks.md](attacks.md).',
].join('\n');

/** The columns of the printed table; other recipes come behind them. */
const columns: readonly string[] = ['classic', 'magnet', 'funn'];

const columnOf = ({ recipe }: Configuration): number =>
  columns.includes(recipe) ? columns.indexOf(recipe) : columns.length;

/** The sweeps have the same data set; each trial is in one of them. `figures` stand beside the document, in `img/`. */
export const renderTable2 = (sweeps: readonly [SweepResults, ...SweepResults[]]): Report => {
  const [data] = sweeps;
  const configurations = configurationsOf(sweeps.flatMap(({ results }) => results)).toSorted(
    (a, b) => columnOf(a) - columnOf(b),
  );
  const comparisons = comparisonsOf(configurations);
  const figure = drawTable2(configurations, 'img/table2.svg');
  const text = `${[
    '# Table 2: our numbers beside the printed ones',
    '`npx funnel report table2 --sweep RESULTS` writes this page from the results of sweeps such as `examples/table2.yaml`. Every number of ours comes from them, and so does every sentence about such a number.',
    '## What was run',
    ...sweeps.map((sweep) => ran(sweep, 'examples/table2.yaml')),
    besidePaper(data, configurations),
    overview(configurations),
    '*loss after initialise*: the defender’s reconstruction loss at the end of that stage. For `classic`, this stage is the whole training of the auto-encoder.',
    '## Row by row',
    picture(figure),
    legend,
    ...configurations.map(resultsOf),
    ...(comparisons.length > 0
      ? ['## FUNN against the plain auto-encoder', ...comparisons.map(describeComparison)]
      : []),
    '## What reproduces, what does not, and why',
    bullets(findings(data, configurations)),
    '## What the printed table says about itself',
    bullets(printedFaults()),
  ].join('\n\n')}\n`;
  return { text, figures: [figure] };
};
