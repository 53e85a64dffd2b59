/** A word on the number of images, when the sweep would take long on the workers that are online. */
import type { Plan } from '@funnel/contracts';
import { useQuery } from '@tanstack/react-query';
import { workersQuery } from '../../data/queries.ts';
import { formatCount } from '../../format.ts';
import type { Draft } from './draft.ts';
import { sizeAdvice, smallSizes } from './sizes.ts';
import { numberOf } from './typed.ts';

export const SizeAdvice = (props: {
  readonly dataset: Draft['dataset'];
  readonly plan: Plan | undefined;
  readonly onChange: (dataset: Draft['dataset']) => void;
}) => {
  const { dataset, plan } = props;
  const { data } = useQuery(workersQuery);
  const advice = sizeAdvice(dataset, plan?.estimate?.seconds ?? null, data?.items ?? []);
  if (advice === null) return null;
  const least = (typed: string, small: number): string => String(Math.min(small, Number(numberOf(typed))));
  const shrink = () =>
    props.onChange({
      name: dataset.name,
      train: least(dataset.train, smallSizes.train),
      test: least(dataset.test, smallSizes.test),
      attack: least(dataset.attack, smallSizes.attack),
    });
  return (
    <p className="row small" role="note">
      {advice} A first look needs fewer.
      <button type="button" className="button" data-size="small" onClick={shrink}>
        Use {formatCount(smallSizes.train)} and {formatCount(smallSizes.attack)}
      </button>
    </p>
  );
};
