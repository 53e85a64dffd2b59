/** The buttons of a search: more configurations, and a point that a user wants to try. */
import type { SearchPoint, SearchState, SweepDetail } from '@funnel/contracts';
import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useRef, useState } from 'react';
import { ErrorNotice } from '../../components/states.tsx';
import { call } from '../../data/api.ts';
import { searchQuery, sweepQuery } from '../../data/queries.ts';
import { hyperparameterTitle, plural } from '../../format.ts';
import { ChoiceField, TextField } from '../new-sweep/fields.tsx';
import { decisionsKey } from './search-data.ts';
import { pointTexts, readVariables, typedPoint, variablesOf } from './variables.ts';

/** A button that opens a dialog with a form. The dialog closes when `send` succeeds. */
const DialogButton = (props: {
  readonly title: string;
  readonly sweepId: string;
  /** Called when the dialog opens. */
  readonly onOpen: () => void;
  readonly send: () => Promise<unknown>;
  readonly children: ReactNode;
}) => {
  const client = useQueryClient();
  const dialog = useRef<HTMLDialogElement>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(undefined);
  const open = () => {
    setError(undefined);
    props.onOpen();
    dialog.current?.showModal();
  };
  const send = async () => {
    setBusy(true);
    setError(undefined);
    try {
      await props.send();
      dialog.current?.close();
      const keys = [
        sweepQuery(props.sweepId).queryKey,
        searchQuery(props.sweepId).queryKey,
        decisionsKey(props.sweepId),
      ];
      await Promise.all(keys.map((queryKey) => client.invalidateQueries({ queryKey })));
    } catch (fault) {
      setError(fault);
    }
    setBusy(false);
  };
  return (
    <>
      <button type="button" className="button" onClick={open}>
        {props.title}
      </button>
      <dialog className="dialog" ref={dialog} aria-label={props.title}>
        <form
          className="stack"
          onSubmit={(event) => {
            event.preventDefault();
            void send();
          }}
        >
          <h2>{props.title}</h2>
          {props.children}
          <ErrorNotice error={error} />
          <div className="row">
            <button type="submit" className="button" data-kind="primary" disabled={busy}>
              {props.title}
            </button>
            <button type="button" className="button" onClick={() => dialog.current?.close()}>
              Do nothing
            </button>
          </div>
        </form>
      </dialog>
    </>
  );
};

type Props = { readonly sweep: SweepDetail; readonly search: SearchState };

const ExtendButton = ({ sweep, search }: Props) => {
  const [text, setText] = useState('');
  return (
    <DialogButton
      title="Extend"
      sweepId={sweep.id}
      onOpen={() => setText(String(search.configurations))}
      send={() => call('extendSearch', { params: { id: sweep.id }, body: { trials: Number(text) } })}
    >
      <p>
        The search may propose {plural(search.configurations, 'configuration')}. Extended, it makes the same
        decisions as a search that was as long from the start.
      </p>
      <TextField title="Configurations to add" value={text} error={null} onChange={setText} />
    </DialogButton>
  );
};

const TryButton = (props: Props & { readonly start: SearchPoint }) => {
  const { sweep, search, start } = props;
  const variables = variablesOf(sweep.definition);
  const [texts, setTexts] = useState<Readonly<Record<string, string>>>({});
  const waiting = search.waitingPoints.length;
  return (
    <DialogButton
      title="Try this point"
      sweepId={sweep.id}
      onOpen={() => setTexts(pointTexts(variables, start))}
      send={() =>
        call('tryPoint', { params: { id: sweep.id }, body: { point: typedPoint(variables, texts) } })
      }
    >
      <p>
        The next proposal takes this point, and the search learns from its outcome.
        {waiting === 0
          ? ''
          : ` ${plural(waiting, 'other point')} ${waiting === 1 ? 'waits' : 'wait'} before it.`}
      </p>
      <div className="form-row">
        {readVariables(variables, texts).map(({ name, choices, range }) => {
          const field = {
            title: range === '' ? hyperparameterTitle(name) : `${hyperparameterTitle(name)}, ${range}`,
            value: texts[name] ?? '',
            error: null,
            onChange: (text: string) => setTexts({ ...texts, [name]: text }),
          };
          return choices === null ? (
            <TextField key={name} {...field} />
          ) : (
            <ChoiceField
              key={name}
              {...field}
              options={choices.map((value) => ({ value: String(value), title: String(value) }))}
            />
          );
        })}
      </div>
    </DialogButton>
  );
};

const closed: readonly string[] = ['cancelling', 'cancelled', 'deleting'];

/** `start`: the point that the fields have at first. */
export const SearchActions = (props: Props & { readonly start: SearchPoint }) =>
  closed.includes(props.sweep.status) ? null : (
    <>
      {props.search.ended === null ? <TryButton {...props} /> : null}
      <ExtendButton {...props} />
    </>
  );
