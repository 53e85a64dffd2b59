/** The leaderboard as text: the metric that ranks, warnings about rows that cannot be compared, and the rows. */

import {
  type AttackName,
  betterText,
  distanceMetric,
  type EvaluationMetricName,
  inSentence,
  type LeaderboardRow,
  lettersText,
  missedMark,
  missedNote,
  missingText,
  notShownText,
  type RankingNotes,
  rankedTitle,
  rankTexts,
  readExtended,
  seedSpread,
  singleStepText,
  strongestText,
  tellsByDistance,
  threatModelText,
  verdictText,
  versionText,
  withinText,
} from '@funnel/contracts';
import { describeOlder, describeRemedies, describeTies, describeWarmups } from './below-leaderboard.ts';
import { countColumns } from './count-columns.ts';
import { type Column, formatShare, formatSureShare, formatTable } from './format.ts';
import { endsText, metricText, titleOf } from './metrics.ts';
import { describeBelow, describeCertainty, describeRungs } from './row-order.ts';
import { differingHyperparameters, settingsText } from './trials.ts';

/** The title of a metric in a sentence about a ranking. */
const rankedTitleOf = (metric: EvaluationMetricName): string => inSentence(rankedTitle(metric));

/** Returns true when there are several rows and all have the same value. */
export const allTie = (rows: readonly LeaderboardRow[]): boolean =>
  rows.length > 1 && rows.every(({ value }) => value === rows[0]!.value);

/**
 * If the attacks fool every model on every image, all robust accuracies are 0; if no attack has a fixed ε, there is none. Then the median
 * distance of the attacks ranks the models. Null otherwise, and where this distance is ε for every model.
 */
export const distanceInstead = (rows: readonly LeaderboardRow[]): EvaluationMetricName | null => {
  const [top] = rows;
  const saysNothing = top?.metric === 'robustAccuracy' && rows.every(({ value }) => !value);
  const hasDistance = rows.some((row) => row.within !== undefined || tellsByDistance(row));
  return saysNothing && hasDistance ? distanceMetric(top.attack) : null;
};

/** Why `distance` ranks the rows instead of the robust accuracies in `asked`. */
export const insteadText = (asked: readonly LeaderboardRow[], distance: EvaluationMetricName): string =>
  `${asked.some(({ value }) => value === 0) ? 'No run has a robust accuracy above 0' : 'No run has a robust accuracy'}, so they are ranked by ${titleOf(distance)} instead.`;

/** Rows whose attacks had different settings cannot be compared. Then every row shows its settings. */
export const sameSettings = (rows: readonly LeaderboardRow[]): boolean =>
  new Set(rows.map((row) => `${row.attack} ${settingsText(row)}`)).size === 1;

/** The norm balls that the attacks of a worst-case row stay in, or a dash when they have none. */
export const budgetText = ({ within = {} }: LeaderboardRow): string => threatModelText(within) || '–';

export const sameBudget = (rows: readonly LeaderboardRow[]): boolean =>
  new Set(rows.map(budgetText)).size === 1;

const attackText = (rows: readonly LeaderboardRow[], attack: AttackName | undefined): string => {
  if (attack === undefined) {
    const within = sameBudget(rows) ? withinText(rows[0]!.within ?? {}, rows[0]!.metric) : '';
    return `in the worst case over the attacks of each${within}`;
  }
  const settings = sameSettings(rows) ? settingsText(rows[0]!) : '';
  return `under ${attack}${settings === '' ? '' : ` (${settings})`}`;
};

/** `tellsApart`: a ranking in which the values of these rows differ. */
const describeTie = ({ value }: LeaderboardRow, tellsApart: RankingNotes['tellsApart']): string => {
  const reason = value === null ? 'No run has a value' : 'All runs have the same value';
  if (!tellsApart) return `${reason}, so they cannot be told apart.`;
  const { attack, metric } = tellsApart;
  const under = attack === undefined ? 'in the worst case' : `under ${attack}`;
  return `${reason}. Their ${titleOf(metric)} ${under} differs: \`--attack ${attack ?? 'worst'} --metric ${metric}\` ranks by it.`;
};

/** Warnings about rows of one table that cannot be compared. */
const incomparable = (rows: readonly LeaderboardRow[], attack: AttackName | undefined): readonly string[] => {
  const datasets = new Set(rows.map(({ dataset }) => dataset));
  return [
    ...(datasets.size > 1 ? [`The data sets differ: --dataset ${[...datasets][0]} keeps one of them.`] : []),
    ...(attack !== undefined && !sameSettings(rows)
      ? ['The attack settings differ: only rows with the same settings can be compared.']
      : []),
    ...(attack === undefined && !sameBudget(rows)
      ? [
          'The attack budgets differ: only rows with the same budget can be compared. --sweep ID keeps one sweep.',
        ]
      : []),
    ...(attack === undefined && new Set(rows.map(({ sweepId }) => sweepId)).size > 1
      ? [
          'Sweeps may have different attacks: a run that met fewer of them looks more robust. --sweep ID keeps one sweep.',
        ]
      : []),
  ];
};

/** The sentences above the table. `attack`: the attack that ranks the rows; undefined: the worst case over all attacks. */
const describeRanking = (
  rows: readonly LeaderboardRow[],
  attack: AttackName | undefined,
  tellsApart: RankingNotes['tellsApart'],
): readonly string[] => {
  const [top] = rows;
  if (!top) return [];
  return [
    `Ranked by ${rankedTitleOf(top.metric)} ${attackText(rows, attack)}; ${betterText(top.metric)}.`,
    ...(allTie(rows) ? [describeTie(top, tellsApart)] : incomparable(rows, attack)),
    ...(allTie(rows) ? [] : describeCertainty(rows)),
  ];
};

/** `fgsm, bim and 6 more attacks` for more than `max` names. */
const nameAttacks = (names: readonly string[], max: number): string =>
  names.length > max
    ? `${names.slice(0, max - 1).join(', ')} and ${names.length - max + 1} more attacks`
    : names.join(', ');

/**
 * Names the same reason once, with its attacks: `fgsm: why.` and `pgd-linf: why.` become `fgsm, pgd-linf: why`. `maxAttacks`: more are counted.
 * (Default: all are named)
 */
export const joinReasons = (
  reasons: readonly string[],
  maxAttacks: number = Number.POSITIVE_INFINITY,
): string => {
  const attacks = new Map<string, string[]>();
  for (const reason of reasons) {
    const [, attack, why] = /^([\w-]+): (.*)$/s.exec(reason) ?? [reason, '', reason];
    const words = why!.replace(/\.$/, '');
    attacks.set(words, [...(attacks.get(words) ?? []), ...(attack ? [attack] : [])]);
  }
  return [...attacks]
    .map(([why, names]) => [nameAttacks(names, maxAttacks), why].filter(Boolean).join(': '))
    .join('; ');
};

/** A value over seeds is a mean, unless some seeds are infinite: ` (2 of 3 seeds: ∞)`. */
const infiniteText = ({ seeds, infiniteSeeds = 0 }: LeaderboardRow): string =>
  infiniteSeeds > 0 && seeds.length > 1 ? ` (${infiniteSeeds} of ${seeds.length} seeds: ∞)` : '';

/** ` (40.2–53.9)` for a share in percent, ` (0.91–∞)` for a distance; ` (29.4–48.5; seeds 14.6–62.5)` where seeds differ by more. */
const intervalText = (row: LeaderboardRow): string => {
  if (row.interval === null) return '';
  const spread = seedSpread(row);
  return ` (${endsText(row.metric, row.interval)}${spread === null ? '' : `; seeds ${endsText(row.metric, spread)}`})`;
};

const valueText = (row: LeaderboardRow): string =>
  `${metricText(row.metric, readExtended(row.value))}${intervalText(row)}${infiniteText(row)}`;

/** `4f00-00003 +2`: the trial of the first seed. The trials of two more seeds are behind the row. */
const trialText = ({ trialId, seeds }: LeaderboardRow): string =>
  seeds.length > 1 ? `${trialId} +${seeds.length - 1}` : trialId;

const letterColumn: Column<LeaderboardRow> = {
  title: 'letters',
  value: ({ letters = '' }) => lettersText(letters),
};

/** The row with the same stages, which another sweep has submitted too: `= 1a22…-00000`. */
const sameColumn: Column<LeaderboardRow> = {
  title: 'same stages as',
  value: ({ sameAs }) => (sameAs === undefined ? '' : `= ${sameAs}`),
};

/** For defences that reject images: the share of clean images, and of images under the attack of the row. */
const rejectionColumns: readonly Column<LeaderboardRow>[] = [
  { title: 'rejected clean', value: (row) => formatShare(row.rejectedClean), align: 'right' },
  { title: 'attacked', value: (row) => formatShare(row.rejectedAttacked), align: 'right' },
];

const rungColumn: Column<LeaderboardRow> = {
  title: 'rung',
  value: ({ rung }) => (rung === undefined ? '–' : String(rung)),
  align: 'right',
};

/** The verdict unless it is ok, and how many images gradients miss: `suspect; gradients miss 7 of 80 images`. */
const marksText = (row: LeaderboardRow): string =>
  [row.verdict === 'ok' ? [] : verdictText(row.verdict), missedMark(row) ?? []].flat().join('; ');

/** A check is often about all attacks of a sweep, and a line with all their names hides the reason. */
const maxAttacksNamed = 3;

/** The verdicts other than ok with their reasons. Trials with the same reasons share a line. */
const describeVerdicts = (rows: readonly LeaderboardRow[]): readonly string[] => {
  const trials = new Map<string, string[]>();
  for (const row of rows) {
    const { verdict, reasons } = row;
    if (verdict === 'ok') continue;
    const text = `${verdictText(verdict)}: ${joinReasons(reasons, maxAttacksNamed)}`;
    trials.set(text, [...new Set([...(trials.get(text) ?? []), trialText(row)])]);
  }
  return [...trials].map(([text, ids]) => `  ${ids.join(', ')}: ${text}`);
};

type RankedUnder = {
  /** Undefined: the worst case over all attacks. */
  readonly attack: AttackName | undefined;
  /** `all`: one ranking has the runs of all rungs. (Default: ranks count within a rung) */
  readonly rungs?: 'highest' | 'all';
  /** What the first page of the ranking says beside its rows. */
  readonly notes?: RankingNotes;
  /** The sentence for a ranking without rows. (Default: nothing has been evaluated) */
  readonly nothing?: string;
};

/** The trials without results, the best runs by other attacks, and the runs that are left out because they did not meet the attack. */
const describeNotes = (
  { missing, notShown, otherBest = [] }: RankingNotes,
  attack: AttackName | undefined,
): readonly string[] => [
  ...(missing ? [missingText(missing)] : []),
  ...otherBest.map(
    (other) =>
      `The rankings disagree: by ${titleOf(other.metric)} under ${other.attack}, the best of the same sweep is ${other.trialId}. \`--attack ${other.attack}\` ranks by it.`,
  ),
  ...(notShown && attack !== undefined
    ? [`${notShownText(notShown, attack)} \`--attack worst\` ranks all runs.`]
    : []),
];

/** The sentences, the table, and below it the reasons for verdicts other than ok, and what other versions made. */
export const describeLeaderboard = (
  rows: readonly LeaderboardRow[],
  { attack, rungs = 'highest', notes = {}, nothing = 'No evaluation yet.' }: RankedUnder,
): string => {
  const [top] = rows;
  if (!top) return [nothing, ...describeNotes(notes, attack)].join('\n');
  const ranks = rankTexts(rows, rungs);
  const columns: Column<LeaderboardRow>[] = [
    { title: '#', value: (row) => ranks[rows.indexOf(row)]!, align: 'right' },
    { title: 'trial', value: trialText },
    { title: 'recipe', value: ({ recipe }) => recipe },
    ...(new Set(rows.map(({ dataset }) => dataset)).size > 1
      ? [{ title: 'data set', value: (row: LeaderboardRow) => row.dataset }]
      : []),
    ...(rows.some(({ rung }) => rung !== undefined) ? [rungColumn] : []),
    ...differingHyperparameters(rows),
    { title: 'seed', value: ({ seeds }) => seeds.join(','), align: 'right' },
    {
      title: 'clean',
      value: ({ cleanAccuracy, cleanInterval }) => formatSureShare(cleanAccuracy, cleanInterval),
      align: 'right',
    },
    ...(rows.some(({ rejectedClean }) => rejectedClean !== undefined) ? rejectionColumns : []),
    ...countColumns(rows),
    { title: rankedTitleOf(top.metric), value: valueText, align: 'right' },
    ...(rows.some(({ letters }) => letters !== undefined) ? [letterColumn] : []),
    ...(attack === undefined
      ? [{ title: 'strongest attack', value: (row: LeaderboardRow) => strongestText(row) }]
      : []),
    ...(attack === undefined && !sameBudget(rows) ? [{ title: 'within', value: budgetText }] : []),
    ...(sameSettings(rows) ? [] : [{ title: 'settings', value: settingsText }]),
    ...(rows.some(({ older }) => older)
      ? [{ title: 'version', value: ({ older = [] }: LeaderboardRow) => versionText(older) || 'present' }]
      : []),
    ...(rows.some(({ sameAs }) => sameAs) ? [sameColumn] : []),
    { title: '', value: marksText },
  ];
  return [
    ...describeRanking(rows, attack, notes.tellsApart),
    ...describeRungs(rows, rungs),
    ...describeBelow(rows),
    '',
    formatTable(columns, rows),
    ...describeTies(rows),
    ...describeVerdicts(rows),
    ...describeRemedies(rows),
    ...[missedNote(rows) ?? []].flat(),
    ...describeOlder(rows),
    ...describeWarmups(rows),
    ...[singleStepText(rows) ?? []].flat(),
    ...describeNotes(notes, attack),
  ].join('\n');
};
