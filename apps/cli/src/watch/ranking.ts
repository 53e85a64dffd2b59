/** What a ranking is by, in words, and whether it ranks anything. */
import {
  type AttackName,
  distanceMetric,
  type EvaluationMetricName,
  evaluationMetrics,
  type LeaderboardRow,
  threatModelText,
  withinText,
} from '@funnel/contracts';
import { settingsText } from '../output/describe-settings.ts';

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
