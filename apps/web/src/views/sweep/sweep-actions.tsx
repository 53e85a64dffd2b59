import type { SweepDetail } from '@funnel/contracts';
import { useRef, useState } from 'react';
import { ErrorNotice } from '../../components/states.tsx';
import { call } from '../../data/api.ts';
import { live } from '../../data/live.ts';
import { sweepQuery } from '../../data/queries.ts';
import { href, navigate } from '../../router.ts';
import { type Action, actionsOf, titles } from './actions.ts';

const warnings: Partial<Record<Action, string>> = {
  cancelSweep:
    'Stages that only this sweep needs are stopped. Finished results stay, and stages that other sweeps need go on.',
  deleteSweep: 'The sweep and its trials are deleted. Stages that other sweeps need stay.',
};

export const SweepActions = ({ sweep }: { readonly sweep: SweepDetail }) => {
  const dialog = useRef<HTMLDialogElement>(null);
  const [asked, setAsked] = useState<Action | null>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(undefined);

  const run = async (action: Action) => {
    dialog.current?.close();
    setBusy(true);
    setError(undefined);
    try {
      await call(action, { params: { id: sweep.id } });
      if (action === 'deleteSweep') navigate(href(['sweeps']));
      else live.cache.invalidate((key) => key === sweepQuery(sweep.id).key);
    } catch (fault) {
      setError(fault);
    }
    setBusy(false);
  };
  const click = (action: Action) => {
    if (!(action in warnings)) return void run(action);
    setAsked(action);
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
            data-kind={action in warnings ? 'danger' : undefined}
            disabled={busy}
            onClick={() => click(action)}
          >
            {titles[action]}
          </button>
        ))}
        <a className="button" href={href(['new'], { sweep: sweep.id })}>
          Use as a start
        </a>
      </div>
      {error === undefined ? null : <ErrorNotice error={error} />}
      <dialog className="dialog" ref={dialog} aria-labelledby="sure">
        <div className="stack">
          <h2 id="sure">
            {asked ? titles[asked] : ''} “{sweep.name}”?
          </h2>
          <p>{asked ? warnings[asked] : ''}</p>
          <div className="row">
            <button
              type="button"
              className="button"
              data-kind="danger"
              onClick={() => asked && void run(asked)}
            >
              {asked ? titles[asked] : ''}
            </button>
            <button type="button" className="button" onClick={() => dialog.current?.close()}>
              Keep it as it is
            </button>
          </div>
        </div>
      </dialog>
    </div>
  );
};
