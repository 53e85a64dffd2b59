import { useEffect, useRef } from 'react';
import { onUnauthenticated } from '../data/api.ts';
import { writeToken } from '../data/token.ts';

/** Asks for an access token when the server wants one. */
export const TokenDialog = () => {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(
    () =>
      onUnauthenticated(() => {
        if (dialog.current?.open === false) dialog.current.showModal();
      }),
    [],
  );
  const save = (form: FormData) => {
    writeToken(String(form.get('token') ?? '').trim());
    window.location.reload();
  };
  return (
    <dialog className="dialog" ref={dialog} aria-labelledby="token-title">
      <form action={save} className="stack">
        <h2 id="token-title">This server asks for a token</h2>
        <p className="muted">
          Make one with <code>funnel token create</code>. It is kept in this browser only.
        </p>
        <label className="label">
          Token
          <input className="input mono" name="token" type="password" autoComplete="off" required />
        </label>
        <div className="row">
          <button type="submit" className="button" data-kind="primary">
            Use this token
          </button>
          <button type="button" className="button" onClick={() => dialog.current?.close()}>
            Not now
          </button>
        </div>
      </form>
    </dialog>
  );
};
