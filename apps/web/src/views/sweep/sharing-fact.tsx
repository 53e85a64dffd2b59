import type { Sweep } from '@funnel/contracts';
import { formatCount, formatFactor } from '../../format.ts';

/** What sharing saves: epochs that this sweep trains, of those that its trials would take alone. */
export const SharingFact = ({ sweep }: { readonly sweep: Sweep }) => {
  const { unshared, needed, cached } = sweep.plan.epochs;
  return (
    <>
      <div className="fact">
        <dt>Epochs trained</dt>
        <dd>
          {formatCount(sweep.epochsTrained)} <small>of {formatCount(needed)}</small>
        </dd>
      </div>
      <div className="fact">
        <dt>Sharing saves</dt>
        <dd>
          {formatCount(unshared - needed)} epochs{' '}
          <small>
            {needed === 0
              ? 'all of them'
              : unshared === needed
                ? ''
                : `${formatFactor(unshared / needed)} less training`}
            {cached > 0 ? `, ${formatCount(cached)} found done` : ''}
          </small>
        </dd>
      </div>
    </>
  );
};
