/** The runs whose training never reached its ε, below a table of runs. */
import { unfinishedWarmups } from '@funnel/contracts';
import { href } from '../router.ts';
import { WithCode } from './states.tsx';

export const UnfinishedWarmups = ({
  runs,
  className = 'muted small',
}: {
  readonly runs: Parameters<typeof unfinishedWarmups>[0];
  readonly className?: string;
}) => (
  <>
    {[...unfinishedWarmups(runs)].map(([text, ids]) => (
      <p key={text} className={className}>
        {ids.map((id, i) => (
          <span key={id}>
            <a href={href(['trials', id])}>{id}</a>
            {i < ids.length - 1 ? ', ' : ': '}
          </span>
        ))}
        <WithCode text={text} />
      </p>
    ))}
  </>
);
