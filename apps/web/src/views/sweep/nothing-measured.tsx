import { inSentence } from '../../format.ts';
import { href } from '../../router.ts';
import type { SweepTabProps } from './sweep-results.tsx';

/** Stands in the place of the charts until a trial has a value. `title`: of the objective. */
export const NothingMeasured = ({ sweep, title }: SweepTabProps & { readonly title: string }) => (
  <p className="muted">
    No trial has a value of {inSentence(title)} yet.{' '}
    {sweep.finishedAt === null ? (
      <>
        The charts appear with the first one.{' '}
        <a className="in-text" href={href(['sweeps', sweep.id, 'training'])}>
          Training
        </a>{' '}
        shows the curves meanwhile.
      </>
    ) : null}
  </p>
);
