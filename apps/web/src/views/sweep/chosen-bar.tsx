import { SeriesMark } from '../../components/series-mark.tsx';
import { href } from '../../router.ts';
import type { SweepResults } from './use-sweep-results.ts';

/** The chosen trials with their colours: the legend of every picture on the page. */
export const ChosenBar = ({ data, sweepId }: { readonly data: SweepResults; readonly sweepId: string }) => {
  const { chosen, results, describe } = data;
  const trials = chosen.numbers.flatMap(
    (number) => results.find(({ trial }) => trial.number === number)?.trial ?? [],
  );
  return (
    <section className="chosen" aria-label="Chosen trials">
      <span className="muted small">{chosen.byDefault ? 'Best so far:' : 'Chosen:'}</span>
      {trials.map((trial, i) => (
        <span key={trial.id} className="chip">
          <SeriesMark colour={i} />
          <a href={href(['trials', trial.id])} title={describe(trial)}>
            Trial {trial.number}
          </a>
          <button
            type="button"
            aria-label={`Leave out trial ${trial.number}`}
            onClick={() => chosen.toggle(trial.number)}
          >
            ×
          </button>
        </span>
      ))}
      {trials.length === 0 ? <span className="muted small">none. Tick trials in the table.</span> : null}
      {chosen.byDefault ? null : (
        <button type="button" className="button" data-kind="quiet" data-size="small" onClick={chosen.reset}>
          Back to the best
        </button>
      )}
      {trials.length >= 2 ? (
        <a
          className="button"
          data-size="small"
          href={href(['compare'], { trials: trials.map(({ id }) => id).join(','), sweep: sweepId })}
        >
          Compare side by side
        </a>
      ) : null}
    </section>
  );
};
