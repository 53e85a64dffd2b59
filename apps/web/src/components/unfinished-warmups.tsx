/** The runs whose training never reached its ε, below a table of runs. */
import { unfinishedWarmups } from '@funnel/contracts';
import { href } from '../router.ts';
import { WithCode } from './states.tsx';

const shownTrials = 3;

export const UnfinishedWarmups = ({
  runs,
  className = 'muted small',
}: {
  readonly runs: Parameters<typeof unfinishedWarmups>[0];
  readonly className?: string;
}) => (
  <>
    {unfinishedWarmups(runs).map(({ text, trialIds }) => (
      <p key={text} className={className}>
        {trialIds.slice(0, shownTrials).map((id, i) => (
          <span key={id}>
            {i > 0 ? ', ' : ''}
            <a href={href(['trials', id])}>{id}</a>
          </span>
        ))}
        {trialIds.length > shownTrials ? ` and ${trialIds.length - shownTrials} more` : ''}
        {': '}
        <WithCode text={text} />
      </p>
    ))}
  </>
);
