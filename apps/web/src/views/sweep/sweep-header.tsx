import {
  belowText,
  describeBehind,
  elsewhereText,
  epochsOf,
  formatRoughDuration,
  nextStep,
  readExtended,
  type Sweep,
  type SweepDetail,
  sharingOf,
  statusText,
  type TrialStatus,
  timeTaken,
} from '@funnel/contracts';
import { useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { useNow } from '../../components/hooks.ts';
import { ErrorNotice } from '../../components/states.tsx';
import { ProgressBar, Status, StatusMark, Verdict } from '../../components/status.tsx';
import { call } from '../../data/api.ts';
import { sweepQuery } from '../../data/queries.ts';
import { formatAgo, formatCount, formatFactor, formatProgress, formatTime, plural } from '../../format.ts';
import { href, navigate } from '../../router.ts';
import { formatMetric } from '../../statistics/objective.ts';
import { describeBest, evidenceOfBest, saysNothing, titleOfBest } from '../sweeps/best-configuration.ts';
import { type Action, actionsOf, actionTitles } from './actions.ts';

/** The epochs that the sweep needs, whichever sweep trains them, and the number that sharing saves, if it saves any. */
const SharingFact = ({ sweep }: { readonly sweep: Sweep }) => {
  const { done, total } = epochsOf(sweep);
  const sharing = sharingOf(sweep);
  const elsewhere = elsewhereText(sweep);
  const before = sweep.plan.epochs.cached - (sweep.plan.awaited?.epochs ?? 0);
  return (
    <>
      <div className="fact">
        <dt>Epochs trained</dt>
        <dd>
          {formatCount(done)}{' '}
          <small>
            of {formatCount(total)}
            {elsewhere === null ? '' : `, ${elsewhere}`}
          </small>
        </dd>
      </div>
      {sharing === null ? null : (
        <div className="fact">
          <dt>Sharing saves</dt>
          <dd>
            {plural(sharing.saved, 'epoch')}{' '}
            <small>
              {sharing.factor === null ? 'all of them' : `${formatFactor(sharing.factor)} times fewer`}
              {before > 0 ? `, ${formatCount(before)} already trained` : ''}
            </small>
          </dd>
        </div>
      )}
    </>
  );
};

/** The best value of the objective so far, as in the list of sweeps. */
const BestFact = ({ sweep: { overview } }: { readonly sweep: Sweep }) => {
  const best = overview?.best;
  if (!best) return null;
  const { metric, value, verdict, below } = best;
  return (
    <div className="fact" title={describeBest(best)}>
      <dt>Best {titleOfBest(best)}</dt>
      <dd>
        <span className={saysNothing(best) ? 'muted' : undefined}>
          {formatMetric(metric)(readExtended<never>(value))}
        </span>{' '}
        <small>
          {evidenceOfBest(best)} <Verdict verdict={verdict} brief />
          {below ? <span className="sweep-below">{belowText(below)}</span> : null}
        </small>
      </dd>
    </div>
  );
};

/** How far a search is that decides one configuration after the other. */
const SearchFact = ({ sweep: { id, search } }: { readonly sweep: Sweep }) =>
  search === undefined ? null : (
    <div className="fact">
      <dt>
        <a href={href(['sweeps', id, 'search'])}>Search</a>
      </dt>
      <dd>
        {formatCount(search.proposed)}{' '}
        <small>
          of {plural(search.configurations, 'configuration')}
          {search.ended === null
            ? `, ${plural(search.trialsToCome, 'trial')} to come at most`
            : ', decides no more'}
        </small>
      </dd>
    </div>
  );

const consequences: Partial<Record<Action, string>> = {
  cancelSweep:
    'Funnel stops the stages that only this sweep needs. Finished results stay, and stages that other sweeps need go on.',
  deleteSweep: 'Funnel deletes the sweep and its trials. Stages that other sweeps need stay.',
};

const SweepActions = ({ sweep }: { readonly sweep: SweepDetail }) => {
  const client = useQueryClient();
  const dialog = useRef<HTMLDialogElement>(null);
  const [confirming, setConfirming] = useState<Action | null>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(undefined);

  const run = async (action: Action) => {
    dialog.current?.close();
    setBusy(true);
    setError(undefined);
    try {
      await call(action, { params: { id: sweep.id } });
      if (action === 'deleteSweep') navigate(href(['sweeps']));
      else await client.invalidateQueries({ queryKey: sweepQuery(sweep.id).queryKey });
    } catch (fault) {
      setError(fault);
    }
    setBusy(false);
  };
  const click = (action: Action) => {
    if (!(action in consequences)) return void run(action);
    setConfirming(action);
    dialog.current?.showModal();
  };

  return (
    <div className="stack" style={{ gap: 8 }}>
      <div className="page-head-actions">
        {actionsOf(sweep).map((action) => (
          <button
            key={action}
            type="button"
            className="button"
            data-kind={action in consequences ? 'danger' : undefined}
            disabled={busy}
            onClick={() => click(action)}
          >
            {actionTitles[action]}
          </button>
        ))}
        <a className="button" href={href(['new'], { sweep: sweep.id })}>
          Duplicate
        </a>
      </div>
      <ErrorNotice error={error} />
      <dialog className="dialog" ref={dialog} aria-labelledby="confirm-title">
        <div className="stack">
          <h2 id="confirm-title">
            {confirming ? actionTitles[confirming] : ''} “{sweep.name}”?
          </h2>
          <p>{confirming ? consequences[confirming] : ''}</p>
          <div className="row">
            <button
              type="button"
              className="button"
              data-kind="danger"
              onClick={() => confirming && void run(confirming)}
            >
              {confirming ? actionTitles[confirming] : ''}
            </button>
            <button type="button" className="button" onClick={() => dialog.current?.close()}>
              Do nothing
            </button>
          </div>
        </div>
      </dialog>
    </div>
  );
};

type TimeFact = { readonly title: string; readonly text: string; readonly turn?: string };

const timeFact = (sweep: SweepDetail): TimeFact => {
  const taken = timeTaken(sweep);
  if (taken !== null) return { title: 'Ended after', text: taken };
  if (sweep.status !== 'running') return { title: 'Time left', text: statusText(sweep.status) };
  const { etaSeconds, behind } = sweep;
  return {
    ...{ title: 'Time left', text: etaSeconds === null ? '–' : formatRoughDuration(etaSeconds) },
    ...(behind && { turn: describeBehind(behind) }),
  };
};

/** The order in which the header lists the counts. */
const order: readonly TrialStatus[] = [
  'completed',
  'diverged',
  'collapsed',
  'failed',
  'cancelled',
  'running',
  'waiting',
];

export const SweepHeader = ({ sweep }: { readonly sweep: SweepDetail }) => {
  const now = useNow();
  const time = timeFact(sweep);
  const step = nextStep(sweep);
  const counts = order.flatMap((status) =>
    sweep.trials[status] ? [[status, sweep.trials[status]] as const] : [],
  );
  return (
    <>
      <header className="page-head">
        <div className="page-head-text">
          <p className="crumbs">
            <a href={href(['sweeps'])}>Sweeps</a>
          </p>
          <h1>{sweep.name}</h1>
          <p className="row muted">
            <Status status={sweep.status} />
            <span title={formatTime(sweep.createdAt)}>
              created {formatAgo(sweep.createdAt, now)}
              {sweep.overview?.submittedBy ? ` by ${sweep.overview.submittedBy}` : ''}
            </span>
            <span className="mono small">{sweep.id}</span>
          </p>
          {sweep.definition.description === '' ? null : (
            <p style={{ maxWidth: '80ch' }}>{sweep.definition.description}</p>
          )}
        </div>
        <SweepActions sweep={sweep} />
      </header>
      <section className="panel sweep-facts" aria-label="Progress">
        <dl className="facts">
          <div className="fact sweep-progress">
            <dt>Progress</dt>
            <dd>
              {formatProgress(sweep.progress)}{' '}
              <small>
                {counts.map(([status, count]) => (
                  <span key={status} className="sweep-count">
                    <StatusMark status={status} /> {formatCount(count)} {status}
                  </span>
                ))}
              </small>
              <ProgressBar sweep={sweep} />
            </dd>
          </div>
          <div className="fact">
            <dt>{time.title}</dt>
            <dd>
              {time.text} {time.turn ? <small>{time.turn}</small> : null}
            </dd>
          </div>
          <BestFact sweep={sweep} />
          <SearchFact sweep={sweep} />
          <SharingFact sweep={sweep} />
        </dl>
        {sweep.waitsFor.map((text) => (
          <p key={text} className="sweep-step" data-kind="fault">
            A stage {text}. <a href={href(['workers'])}>Workers</a>
          </p>
        ))}
        {step === null ? null : (
          <p className="muted sweep-step">
            {step.text}
            {step.route === 'createSweep' ? (
              <>
                {' '}
                <a href={href(['new'], { sweep: sweep.id })}>Submit it again</a>
              </>
            ) : null}
          </p>
        )}
      </section>
    </>
  );
};
