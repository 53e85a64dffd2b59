/** A row of the leaderboard: the run, its value with the interval and the images behind it, and the verdict. */
import {
  attacks,
  describeChanges,
  type LeaderboardRow,
  lettersText,
  missedMark,
  missedText,
  ranksBelow,
  readExtended,
  seedSpread,
  seedSpreadText,
  sizeText,
  strongestText,
  threatModelText,
  tieText,
  versionText,
  wilsonInterval,
} from '@funnel/contracts';
import { IntervalMark } from '../../charts/marks.tsx';
import { Verdict } from '../../components/status.tsx';
import { formatInterval, formatPercent, seedsText, settingsLabel } from '../../format.ts';
import { href } from '../../router.ts';
import { formatMetric } from '../../statistics/objective.ts';
import { nameOf } from './run-name.ts';

/** How many of these lines a row has below its value: the counts, and what only some rows have. */
export const linesBelowValue = (row: LeaderboardRow): number =>
  1 + [robustText(row), seedSpread(row), infiniteText(row)].filter((line) => line !== null).length;

/** `2 of 3 seeds: ∞`; null without an infinite seed, and for a single seed. */
const infiniteText = ({ seeds, infiniteSeeds = 0 }: LeaderboardRow): string | null =>
  infiniteSeeds > 0 && seeds.length > 1 ? `${infiniteSeeds} of ${seeds.length} seeds: ∞` : null;

/** An end may be infinite. */
export const intervalOf = ({ interval }: LeaderboardRow): readonly [number, number] | null =>
  interval && [Number(interval[0]), Number(interval[1])];

/** `fooled 40 of 78; robust 38 of 100`; without a robust accuracy only the images that are fooled `at any size`. */
export const countsText = (row: LeaderboardRow): string => {
  const { images, correct, fooled } = row.counts;
  const robust =
    row.metric === 'robustAccuracy' && row.value !== null ? `; robust ${correct - fooled} of ${images}` : '';
  return `fooled ${fooled} of ${correct}${sizeText(row)}${robust}`;
};

/** `robust 38 of 100 at L∞ 0.1, 29.1–47.8%` where the attack looks for the smallest change; null elsewhere. */
export const robustText = ({ robustAtEpsilon, counts }: LeaderboardRow): string | null => {
  if (robustAtEpsilon === undefined) return null;
  const { robust, norm, epsilon } = robustAtEpsilon;
  const at = threatModelText({ [norm]: epsilon });
  return `robust ${robust} of ${counts.images} at ${at}, ${formatInterval(wilsonInterval(robust, counts.images))}`;
};

/** The first reason for the verdict, and the number of the others: the tooltip has all. Empty for `ok`. */
export const reasonText = ({ reasons: [first = '', ...others] }: LeaderboardRow): string =>
  others.length === 0 ? first : `${first} (and ${others.length} more)`;

/** The shares of images that a defence rejects: under the attack of the row, and clean. */
const Rejected = ({ row }: { readonly row: LeaderboardRow }) => (
  <td>
    {row.rejectedClean === undefined ? (
      <span className="muted" title="This defence rejects no images.">
        –
      </span>
    ) : (
      <>
        {formatPercent(row.rejectedAttacked)} <span className="muted small">attacked</span>
        <span className="muted small board-settings">{formatPercent(row.rejectedClean)} clean</span>
      </>
    )}
  </td>
);

export const Row = (props: {
  readonly row: LeaderboardRow;
  /** `1=` for a shared rank. */
  readonly rank: string;
  readonly index: number;
  readonly hyperparameters: readonly string[];
  readonly range: readonly [number, number];
  readonly rejects: boolean;
  readonly hasLetters: boolean;
  /** Whether the table has a column of rungs, and whether the row is the first of its rung. */
  readonly rungs: boolean;
  readonly startsRung: boolean;
  readonly chosen: boolean;
  readonly onToggle: () => void;
}) => {
  const { row, range } = props;
  const format = formatMetric(row.metric);
  const spread = seedSpread(row);
  const infinite = infiniteText(row);
  const robust = robustText(row);
  const missed = missedMark(row);
  const name = nameOf(row, props.hyperparameters);
  const value = readExtended(row.value);
  const interval = intervalOf(row);
  return (
    <tr
      aria-rowindex={props.index + 2}
      aria-selected={props.chosen}
      data-starts={props.startsRung ? 'rung' : undefined}
    >
      <td className="number">
        <label className="check">
          <input
            type="checkbox"
            checked={props.chosen}
            onChange={props.onToggle}
            aria-label={
              row.rank === null ? `Choose the run ${row.trialId}` : `Choose the run at rank ${row.rank}`
            }
          />
          {props.rank}
        </label>
      </td>
      {props.rungs ? <td className="number">{row.rung ?? '–'}</td> : null}
      <td className="board-run">
        <a href={href(['trials', row.trialId])} title={name}>
          {name}
        </a>
        <span className="muted small board-settings">
          {row.dataset}, {seedsText(row.seeds)}, <a href={href(['sweeps', row.sweepId])}>its sweep</a>
        </span>
        {row.sameAs === undefined ? null : (
          <span className="muted small board-settings" title="Another sweep has submitted the same run.">
            the same stages as <a href={href(['trials', row.sameAs])}>{row.sameAs}</a>
          </span>
        )}
        {row.older === undefined ? null : (
          <span
            className="muted small board-settings"
            title={`Made by another version: ${describeChanges(row.older)}`}
          >
            made by {versionText(row.older)}
          </span>
        )}
      </td>
      <td className="board-value">
        {value === null ? (
          <span
            className="muted"
            title="No value, because no image was attacked, no image was fooled, no attack has a fixed ε, or no attack works in this norm."
          >
            –
          </span>
        ) : (
          <>
            <IntervalMark
              value={value}
              interval={interval}
              low={range[0]}
              high={range[1]}
              hollow={ranksBelow(row.verdict)}
              label={format(value)}
            />
            <span>
              {format(value)}
              {interval === null ? null : (
                <span className="muted board-interval" title="95 % interval">
                  {' '}
                  {formatInterval(interval, format)}
                </span>
              )}
            </span>
          </>
        )}
        <span className="board-verdict">
          <Verdict verdict={row.verdict} brief={row.verdict !== 'ok'} />
          {missed === null ? null : <span className="muted small board-settings">{missed}</span>}
        </span>
        <span className="muted small board-settings">{countsText(row)}</span>
        {robust === null ? null : (
          <span
            className="muted small board-settings"
            title="The images whose smallest change is larger than this ε, with the 95 % interval."
          >
            {robust}
          </span>
        )}
        {spread === null ? null : (
          <span className="muted small board-settings" title={seedSpreadText}>
            seeds {formatInterval(spread, format)}
          </span>
        )}
        {infinite === null ? null : (
          <span
            className="muted small board-settings"
            title="Some seeds are infinite, so there is no mean. This value is the median of the seeds."
          >
            {infinite}
          </span>
        )}
      </td>
      {props.hasLetters ? <td>{lettersText(row.letters ?? '')}</td> : null}
      <td className="number">
        {formatPercent(row.cleanAccuracy)}
        {row.cleanInterval === null ? null : (
          <span className="muted small board-settings" title="95 % interval">
            {formatInterval(row.cleanInterval)}
          </span>
        )}
      </td>
      {props.rejects ? <Rejected row={row} /> : null}
      <td title={tieText(row) ?? undefined}>
        {strongestText(row, { nameOf: (attack) => attacks[attack].title, most: 1 })}
        <span className="muted small board-settings">
          {row.within === undefined
            ? settingsLabel(row)
            : `within ${threatModelText(row.within) || 'any distance'}`}
        </span>
      </td>
      <td title={[...row.reasons, ...(row.missedByGradients ?? []).map(missedText)].join('\n')}>
        <Verdict verdict={row.verdict} />
        {missed === null ? null : (
          <a className="muted small board-settings" href={href(['trials', row.trialId])}>
            {missed}
          </a>
        )}
        {row.reasons.length === 0 ? null : (
          <a
            className="muted small board-settings"
            href={href(['trials', row.flaggedTrialId ?? row.trialId])}
          >
            {reasonText(row)}
          </a>
        )}
      </td>
    </tr>
  );
};
