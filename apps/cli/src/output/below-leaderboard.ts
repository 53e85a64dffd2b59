/** What stands below the rows of a leaderboard: tied attacks, what to do about verdicts, and what other versions made. */
import {
  countVerdicts,
  describeChanges,
  type LeaderboardRow,
  strongestText,
  type TrialVerdict,
  tieText,
  unfinishedWarmups,
  verdictText,
} from '@funnel/contracts';

/** The first row with a verdict of the checks. Each check has its own remedy, so the trial says what to do. */
const remedyOfChecks = (rows: readonly LeaderboardRow[]): readonly string[] => {
  const flagged = rows.find(({ verdict }) => verdict === 'suspect' || verdict === 'masked');
  return flagged === undefined
    ? []
    : [
        `  → ${flagged.verdict}: \`npx funnel show ${flagged.flaggedTrialId ?? flagged.trialId} --why\` says what to do.`,
      ];
};

/** What to do about the verdicts, once for all rows. */
export const describeRemedies = (rows: readonly LeaderboardRow[]): readonly string[] => [
  ...Object.entries(countVerdicts).flatMap(([verdict, { remedy }]) =>
    rows.some((row) => row.verdict === verdict)
      ? [`  → ${verdictText(verdict as TrialVerdict)}: ${remedy}.`]
      : [],
  ),
  ...remedyOfChecks(rows),
];

const shownTrials = 3;

/** `1a-0, 1a-1, 1a-2 and 9 more`. */
const someOf = (trialIds: readonly string[]): string => {
  const more = trialIds.length - shownTrials;
  return `${trialIds.slice(0, shownTrials).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
};

/** The rows with a text, by this text, in the order of their first row. */
const rowsByText = (
  rows: readonly LeaderboardRow[],
  textOf: (row: LeaderboardRow) => string | null,
): readonly (readonly [text: string, rows: readonly LeaderboardRow[]])[] => {
  const found = new Map<string, LeaderboardRow[]>();
  for (const row of rows) {
    const text = textOf(row);
    if (text !== null) found.set(text, [...(found.get(text) ?? []), row]);
  }
  return [...found];
};

const idsOf = (rows: readonly LeaderboardRow[]): readonly string[] => [
  ...new Set(rows.map(({ trialId }) => trialId)),
];

/** Which attacks are equally strong, where a row only counts them. Rows with the same ones share a line, which names them if others look alike. */
export const describeTies = (rows: readonly LeaderboardRow[]): readonly string[] => {
  const counted = rows.filter((row) => strongestText(row).includes('+'));
  const lines = rowsByText(counted, tieText).map(([text, same]) => ({
    text,
    short: strongestText(same[0]!),
    ids: idsOf(same),
  }));
  return lines.map(({ text, short, ids }) => {
    const isAlone = lines.filter((other) => other.short === short).length === 1;
    return `  ${isAlone ? short : `${short} of ${someOf(ids)}`}: ${text}`;
  });
};

/** The runs whose training never reached its ε. */
export const describeWarmups = (rows: Parameters<typeof unfinishedWarmups>[0]): readonly string[] =>
  unfinishedWarmups(rows).map(({ text, trialIds }) => `  ${someOf(trialIds)}: ${text}`);

/** The runs of other versions of Funnel. Runs of the same versions share a line. */
export const describeOlder = (rows: readonly LeaderboardRow[]): readonly string[] =>
  rowsByText(rows, ({ older }) => (older ? `made by another version: ${describeChanges(older)}` : null)).map(
    ([text, same]) => `  ${someOf(idsOf(same))}: ${text}`,
  );
