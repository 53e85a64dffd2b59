/** What a ranking is by, in words, and whether it ranks anything. */

import {
  type AttackName,
  distanceMetric,
  type EvaluationMetricName,
  evaluationMetrics,
  type LeaderboardRow,
  readExtended,
  threatModelText,
  withinText,
} from '@funnel/contracts';
import { type Column, formatNumber, formatShare, formatTable } from './format.ts';
import { differingHyperparameters, settingsText } from './trials.ts';

/** Units keep their capital. */
export const titleOf = (metric: EvaluationMetricName): string =>
  evaluationMetrics[metric].title.replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase());

/** Whether more than one run has a place, and all have the same one. */
const tiesAll = (rows: readonly LeaderboardRow[]): boolean =>
  rows.length > 1 && rows.every(({ value }) => value === rows[0]!.value);

/** Nothing withstands, so that all are equal: what they differ in is how far the attacks had to go. */
export const distanceInstead = (rows: readonly LeaderboardRow[]): EvaluationMetricName | null => {
  const [top] = rows;
  const nothingStands = top?.metric === 'robustAccuracy' && rows.every(({ value }) => value === 0);
  return nothingStands ? distanceMetric(top.attack) : null;
};

/** Rows that were attacked with other settings are not one ranking: then every row says its own. */
export const sameSettings = (rows: readonly LeaderboardRow[]): boolean =>
  new Set(rows.map((row) => `${row.attack} ${settingsText(row)}`)).size === 1;

/** The balls of a row of the worst case; a dash where its attacks are held to none. */
export const budgetText = ({ within = {} }: LeaderboardRow): string => threatModelText(within) || '–';

export const sameBudget = (rows: readonly LeaderboardRow[]): boolean =>
  new Set(rows.map(budgetText)).size === 1;

const attackText = (rows: readonly LeaderboardRow[], attack: AttackName | undefined): string => {
  if (attack === undefined) {
    const within = sameBudget(rows) ? withinText(rows[0]!.within ?? {}) : '';
    return `in the worst case over the attacks of each${within}`;
  }
  const settings = sameSettings(rows) ? settingsText(rows[0]!) : '';
  return `under ${attack}${settings === '' ? '' : ` (${settings})`}`;
};

const equal = ({ metric, value }: LeaderboardRow): string => {
  const other = metric === 'medianL2' ? 'robustAccuracy' : 'medianL2';
  const said = value === null ? 'None of them has a value' : 'All of them are equal';
  return `${said}: this ranking tells nothing apart. Another one: --metric ${other}`;
};

/** What was attacked otherwise, or on other images, stands in one table and is no one ranking. */
const unlike = (rows: readonly LeaderboardRow[], attack: AttackName | undefined): readonly string[] => {
  const datasets = new Set(rows.map(({ dataset }) => dataset));
  return [
    ...(datasets.size > 1 ? [`Data sets differ: --dataset ${[...datasets][0]} keeps one.`] : []),
    ...(attack !== undefined && !sameSettings(rows)
      ? ['Settings differ: only rows of the same settings can be compared.']
      : []),
    ...(attack === undefined && !sameBudget(rows)
      ? ['Budgets differ: only rows of the same budget can be compared. --sweep ID keeps one sweep.']
      : []),
  ];
};

/** The sentences above a ranking. `attack`: what was asked for; the worst case over all where it was none. */
export const describeRanking = (
  rows: readonly LeaderboardRow[],
  attack: AttackName | undefined,
): readonly string[] => {
  const [top] = rows;
  if (!top) return [];
  const { direction } = evaluationMetrics[top.metric];
  return [
    `Ranked by ${titleOf(top.metric)} ${attackText(rows, attack)}; ${direction === 'max' ? 'higher' : 'lower'} is better.`,
    ...(tiesAll(rows) ? [equal(top)] : unlike(rows, attack)),
  ];
};

/** `fgsm: why` and `pgd-linf: why` as `fgsm, pgd-linf: why`: what was found about the model is said once, whichever attacks it concerns. */
export const joinReasons = (reasons: readonly string[]): string => {
  const attacks = new Map<string, string[]>();
  for (const reason of reasons) {
    const [, attack, why] = /^([\w-]+): (.*)$/s.exec(reason) ?? [reason, '', reason];
    attacks.set(why!, [...(attacks.get(why!) ?? []), ...(attack ? [attack] : [])]);
  }
  return [...attacks].map(([why, names]) => [names.join(', '), why].filter(Boolean).join(': ')).join('; ');
};

/** What a value is where it is no mean: `2 of 3 seeds: ∞`. */
const infiniteText = ({ seeds, infiniteSeeds = 0 }: LeaderboardRow): string =>
  infiniteSeeds > 0 && seeds.length > 1 ? ` (${infiniteSeeds} of ${seeds.length} seeds: ∞)` : '';

const valueText = (row: LeaderboardRow): string => {
  const value = readExtended(row.value);
  const format = evaluationMetrics[row.metric].unit === 'fraction' ? formatShare : formatNumber;
  const interval = row.halfWidth === null ? '' : ` ± ${format(row.halfWidth)}`;
  return `${format(value)}${interval}${infiniteText(row)}`;
};

/** Where a defence rejects images: how many clean ones, and how many under the attack of the row. */
const rejectionColumns: readonly Column<LeaderboardRow>[] = [
  { title: 'rejected clean', value: (row) => formatShare(row.rejectedClean), align: 'right' },
  { title: 'attacked', value: (row) => formatShare(row.rejectedAttacked), align: 'right' },
];

type Asked = {
  /** What the ranking is by; the worst case over all attacks where it is none. */
  readonly attack: AttackName | undefined;
};

/** What the ranking is by, the ranking as a table, and why runs are marked below it. */
export const describeLeaderboard = (rows: readonly LeaderboardRow[], { attack }: Asked): string => {
  const [top] = rows;
  if (!top) return 'No evaluation yet.';
  const columns: Column<LeaderboardRow>[] = [
    { title: '#', value: ({ rank }) => String(rank), align: 'right' },
    { title: 'trial', value: ({ trialId }) => trialId },
    { title: 'recipe', value: ({ recipe }) => recipe },
    ...(new Set(rows.map(({ dataset }) => dataset)).size > 1
      ? [{ title: 'data set', value: (row: LeaderboardRow) => row.dataset }]
      : []),
    ...differingHyperparameters(rows),
    { title: 'seed', value: ({ seeds }) => seeds.join(','), align: 'right' },
    { title: 'clean', value: ({ cleanAccuracy }) => formatShare(cleanAccuracy), align: 'right' },
    ...(rows.some(({ rejectedClean }) => rejectedClean !== undefined) ? rejectionColumns : []),
    { title: titleOf(top.metric), value: valueText, align: 'right' },
    ...(attack === undefined ? [{ title: 'attack', value: (row: LeaderboardRow) => row.attack }] : []),
    ...(attack === undefined && !sameBudget(rows) ? [{ title: 'within', value: budgetText }] : []),
    ...(sameSettings(rows) ? [] : [{ title: 'settings', value: settingsText }]),
    { title: '', value: ({ verdict }) => (verdict === 'ok' ? '' : verdict) },
  ];
  const reasons = rows
    .filter(({ verdict }) => verdict !== 'ok')
    .map(({ rank, verdict, reasons: why }) => `  ${rank}: ${verdict}: ${joinReasons(why)}`);
  return [...describeRanking(rows, attack), '', formatTable(columns, rows), ...reasons].join('\n');
};
