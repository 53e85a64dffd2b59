/** The result of `funnel attack`: a JSON document, a table, and sentences. */
import {
  type AttackRun,
  attacks,
  checkLabel,
  checkRemedy,
  checksText,
  type DiagnosticsReport,
  type DistanceIntervals,
  type DistanceMetricName,
  type EvaluationSummary,
  type Examination,
  formatPower,
  type Interval,
  isBounded,
  lastConstantLimit,
  missedImagesOf,
  missedText,
  plural,
  type RobustAtEpsilon,
  reachOf,
  sizeText,
  tellingMisses,
  threatModelOf,
  threatModelText,
  type Verdict,
  wilsonInterval,
} from '@funnel/contracts';
import {
  type Column,
  formatNumber,
  formatShare,
  formatSureNumber,
  formatSureShare,
  formatTable,
} from '../output/format.ts';
import { settingsText } from '../output/trials.ts';
import { displayWidth, wrapToWidth } from '../output/width.ts';
import type { Checks } from './checks.ts';
import type { LeftOut, Outcome, Result } from './results.ts';

export type AttackReport = {
  /** The images: a data set and its split, or the user's files. */
  readonly [about: string]: unknown;
  readonly examination: Examination;
  readonly leftOut: readonly LeftOut[];
  readonly evaluations: readonly Result[];
  readonly worstCase?: NonNullable<Outcome['worstCase']>;
} & Partial<Checks>;

/** The document of `--json` and `--out`. The fields of a single attack stand beside those of the command. */
export const asDocument = ({ evaluations, ...rest }: AttackReport, isSingle: boolean): object =>
  isSingle && evaluations.length === 1 ? { ...rest, ...evaluations[0] } : { ...rest, evaluations };

/** A line of the table: an attack, or the worst case over all of them. */
type Line = {
  readonly name: string;
  readonly settings: string;
  readonly summary: EvaluationSummary;
  readonly intervals: DistanceIntervals;
  readonly robustAtEpsilon?: RobustAtEpsilon | undefined;
  /** As `sizeText` writes it. */
  readonly size: string;
};

type LeavingColumn = Column<Line> & {
  /** The order in which columns are left out on a narrow terminal; 0 stays. */
  readonly leaves: number;
};

/** The images that withstand. `within`: the ball of an attack that looks for the smallest change, which has no robust accuracy of its own. */
const robustOf = ({ summary, robustAtEpsilon: at }: Pick<Result, 'summary' | 'robustAtEpsilon'>) => {
  const { images, attempted, successes, robustAccuracy, robustInterval } = summary;
  return at
    ? {
        robust: at.robust,
        share: at.accuracy,
        interval: wilsonInterval(at.robust, images),
        within: { [at.norm]: at.epsilon },
      }
    : { robust: attempted - successes, share: robustAccuracy, interval: robustInterval };
};

/** On a narrow terminal intervals go after the less important columns, and before the success. */
const intervalsLeave = 4;

/** The columns before the settings. `left`: how many steps of leaving out the terminal needs. */
const columnsAt = (left: number): readonly LeavingColumn[] => {
  const shareText = left < intervalsLeave ? formatSureShare : formatShare;
  const distanceOf =
    (metric: DistanceMetricName) =>
    ({ summary, intervals }: Line): string =>
      left < intervalsLeave
        ? formatSureNumber(summary[metric], intervals[metric])
        : formatNumber(summary[metric]);
  const all: readonly LeavingColumn[] = [
    { title: 'attack', value: ({ name }) => name, leaves: 0 },
    {
      title: 'fooled',
      value: ({ summary }) => `${summary.successes} of ${summary.attempted}`,
      align: 'right',
      leaves: 2,
    },
    {
      title: 'success',
      value: ({ summary: { successRate, successInterval }, size }) =>
        `${shareText(successRate, successInterval)}${successRate === null ? '' : size}`,
      align: 'right',
      leaves: 5,
    },
    {
      title: 'robust',
      value: (line) => {
        const { share, interval, within } = robustOf(line);
        return `${shareText(share, interval)}${within === undefined ? '' : ` at ${threatModelText(within)}`}`;
      },
      align: 'right',
      leaves: 0,
    },
    { title: 'median L2', value: distanceOf('medianL2'), align: 'right', leaves: 0 },
    { title: 'median L∞', value: distanceOf('medianLinf'), align: 'right', leaves: 3 },
    { title: 'noise level', value: distanceOf('noiseLevel'), align: 'right', leaves: 1 },
  ];
  return all.filter(({ leaves }) => leaves === 0 || leaves > left);
};

/** Nothing more can be left out. */
const maxLeft = 5;

const settingsColumn: Column<Line> = { title: 'settings', value: ({ settings }) => settings };

const widest = (text: string): number => Math.max(...text.split('\n').map(displayWidth));

/** The table with as much as fits into the terminal; all of it without a terminal. */
const resultTable = (lines: readonly Line[], width: number | null, left = 0): string => {
  const table = formatTable([...columnsAt(left), settingsColumn], lines, width);
  return width === null || left === maxLeft || widest(table) <= width
    ? table
    : resultTable(lines, width, left + 1);
};

const intervalText = (interval: Interval): string =>
  `95 % interval ${interval.map(formatShare).join(' to ')}`;

type Measured = Pick<NonNullable<Outcome['worstCase']>, 'balls' | 'summary'> &
  Pick<Result, 'robustAtEpsilon'>;

/** The sentence that people quote. Null without a robust accuracy: without a budget, or without attacked images. `what`: that they withstand. */
const robustSentence = (measured: Measured, what: string): string | null => {
  const { robust, share, interval, within = measured.balls } = robustOf(measured);
  if (interval === null) return null;
  return `Robust accuracy within ${threatModelText(within)}: ${formatShare(share)} (${robust} of ${plural(measured.summary.images, 'image')} withstand ${what}; ${intervalText(interval)}).`;
};

/** Null where no image was attacked. */
const successSentence = ({ summary, ...run }: Result): string | null => {
  const { attempted, successes, successRate, successInterval } = summary;
  if (successInterval === null) return null;
  return `Success of ${run.attack}${sizeText(run)}: ${formatShare(successRate)} (${successes} of ${plural(attempted, 'attacked image')}; ${intervalText(successInterval)}).`;
};

/** A single attack has no worst case, so it has these sentences. */
const singleSentences = (result: Result): readonly string[] =>
  [
    successSentence(result) ?? [],
    robustSentence({ balls: threatModelOf([result]), ...result }, 'it') ?? [],
  ].flat();

const cleanSentence = ({ images, attempted }: EvaluationSummary, backend: unknown): string =>
  `Clean accuracy: ${formatShare(images === 0 ? null : attempted / images)} (${attempted} of ${plural(images, 'image')}, ${backend}).`;

const symbols = { ok: '✓', suspect: '!', masked: '✗' } as const satisfies Record<Verdict, string>;

const verdicts = {
  ok: 'they found nothing against these results',
  suspect: 'look at these findings before you trust the results',
  masked: 'a low success rate of these attacks is an artefact',
} as const satisfies Record<Verdict, string>;

/** The verdict of the checks, how many say something, and one line for each that found something. */
const describeDiagnosis = ({ verdict, images, checks }: DiagnosticsReport): string[] => {
  return [
    `${symbols[verdict]} ${plural(checks.length, 'check')} on ${plural(images, 'image')}: ${verdicts[verdict]}. ${checksText(checks)}`,
    ...checks
      .filter((check) => check.verdict !== 'ok')
      .flatMap(({ id, verdict: found, detail }) => [
        `${symbols[found]} ${checkLabel(id)}: ${detail}`,
        `  → ${checkRemedy(id)}`,
      ]),
  ];
};

/** What the results themselves say about gradients: images that only attacks without gradients fool. */
const missedSentences = (evaluations: readonly Result[]): readonly string[] => {
  const images = Math.max(...evaluations.map(({ summary }) => summary.images));
  const missed = missedImagesOf(evaluations, ({ ball: { norm, epsilon }, gradientFree, gradient }) => {
    const fooledBy = (places: readonly number[]): ReadonlySet<number> =>
      new Set(
        places.flatMap((place) =>
          evaluations[place]!.rows.filter((row) => row.success && row[norm]! <= reachOf(epsilon)).map(
            ({ index }) => index,
          ),
        ),
      );
    const byGradient = fooledBy(gradient);
    return { images, missed: [...fooledBy(gradientFree)].filter((index) => !byGradient.has(index)).length };
  });
  return tellingMisses(missed).map((one) => `! ${missedText(one)}`);
};

/** The smallest distances of all attacks lie partly outside the balls of the worst case, so its line shows none. */
const withoutDistances = (summary: EvaluationSummary): EvaluationSummary => ({
  ...summary,
  medianL2: null,
  medianLinf: null,
  noiseLevel: null,
});

/** The mark that a result of a marked model carries; null for a model without a mark. */
const markSentence = ({ findings }: Examination): string | null => {
  const marked = findings.filter(({ status }) => status !== 'ok').map(({ name }) => name);
  return marked.length === 0
    ? null
    : `! The examination marks this model (${marked.join(', ')}): it may look more robust than it is. \`npx funnel examine\` says why.`;
};

/** An attack of an ensemble gets only the images that still stand, so that its medians are of these. */
const standingText =
  'Each attack got only the images that the attacks before it had not fooled: its robust accuracy is that of all of them together, and its median distances and noise level are of those images alone.';

/** The table, the accuracy with and without attacks, and the checks. `width`: the columns of the terminal. */
export const describeReport = (report: AttackReport, width: number | null): string => {
  const { evaluations, worstCase, diagnosis } = report;
  const [first] = evaluations;
  const lines = evaluations.map((result) => ({
    name: result.attack,
    settings: settingsText(result),
    summary: result.summary,
    intervals: result.intervals,
    robustAtEpsilon: result.robustAtEpsilon,
    size: sizeText(result),
  }));
  const within = worstCase ? threatModelText(worstCase.balls) : '';
  const worstLine = worstCase && {
    name: 'worst case',
    settings: within && `within ${within}`,
    size: within === '' ? ' at any size' : '',
    intervals: worstCase.intervals,
    summary: within === '' ? worstCase.summary : withoutDistances(worstCase.summary),
  };
  const mark = first ? markSentence(report.examination) : null;
  const sentences = [
    ...(mark === null ? [] : [mark]),
    ...(first ? [cleanSentence(first.summary, report.backend)] : []),
    ...(first && evaluations.length === 1 ? singleSentences(first) : []),
    ...(worstCase ? [robustSentence(worstCase, 'every attack') ?? []].flat() : []),
    ...(report.standing && evaluations.length > 1 ? [standingText] : []),
    ...(diagnosis ? describeDiagnosis(diagnosis) : []),
    ...missedSentences(evaluations),
  ];
  return [
    lines.length === 0
      ? 'No attack has a result.'
      : resultTable(worstLine ? [...lines, worstLine] : lines, width),
    ...(sentences.length > 0 ? ['', ...sentences.map((sentence) => wrapToWidth(sentence, width))] : []),
  ].join('\n');
};

/** An attack that may go to any distance fools nearly every image of every model, or it has stalled. */
const expectedSuccess = 0.95;

/** True for an attack that searches up to an ε that the user has set. */
const isLimited = ({ attack, settings }: Pick<AttackRun, 'attack' | 'settings'>): boolean => {
  const standard: object = attacks[attack].settings.parse({});
  if (typeof settings.epsilon !== 'number') return false;
  return !('epsilon' in standard) || settings.epsilon < Number(standard.epsilon);
};

const hasStalled = (result: Result): boolean => {
  const { family, norm } = attacks[result.attack];
  const { successRate } = result.summary;
  return (
    family === 'minimisation' &&
    norm !== 'l0' &&
    !isBounded(result) &&
    !isLimited(result) &&
    successRate !== null &&
    successRate < expectedSuccess
  );
};

/** What the table does not show, for stderr. */
export const notesOf = ({ leftOut, evaluations, noDiagnosis }: AttackReport): readonly string[] => [
  ...leftOut.map(({ attack, reason }) => `${attack}: left out, because ${reason}`),
  ...(noDiagnosis === undefined ? [] : [`checks: left out, because ${noDiagnosis}`]),
  ...evaluations.flatMap(({ attack, summary: { invalidAnswers } }) =>
    invalidAnswers === undefined
      ? []
      : [
          `${attack}: ${plural(invalidAnswers, 'answer')} of the model named no class (a logit was NaN, for example). None counts as a success.`,
        ],
  ),
  ...evaluations.flatMap((result) =>
    result.attack !== 'cw-l2' || result.summary.cappedSearches === undefined
      ? []
      : [
          `${result.attack}: ${plural(result.summary.cappedSearches, 'image')} ended at the largest constant ${formatPower(lastConstantLimit(result.settings))}: the attack tries no larger one.`,
        ],
  ),
  ...evaluations
    .filter(hasStalled)
    .map(
      ({ attack, summary: { successRate } }) =>
        `${attack}: it may go to any distance, but fools only ${formatShare(successRate)}. So it stalled, and its distances say nothing about robustness. Give it more steps, or try another attack, such as fmn-l2.`,
    ),
  ...(evaluations[0]?.summary.attempted === 0
    ? [
        'No image was attacked, because the model classifies none of them correctly. So there is no success rate.',
      ]
    : []),
];
