/** The notes of a sweep, which people edit in place. An event never changes a text that somebody edits. */
import type { SweepDetail } from '@funnel/contracts';
import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import { ErrorNotice } from '../../components/states.tsx';
import { useAnnotate } from '../../data/annotate.ts';

/** `before`: the notes when the edit began. */
type Draft = { readonly text: string; readonly before: string };

/** The cursor goes into the text when it opens, and back to the button when it closes. */
const useEditFocus = (isOpen: boolean) => {
  const area = useRef<HTMLTextAreaElement>(null);
  const opener = useRef<HTMLButtonElement>(null);
  const wasOpen = useRef(isOpen);
  useEffect(() => {
    if (wasOpen.current === isOpen) return;
    wasOpen.current = isOpen;
    opener.current?.focus();
    area.current?.focus();
    area.current?.setSelectionRange(area.current.value.length, area.current.value.length);
  }, [isOpen]);
  return { area, opener };
};

export const SweepNotes = ({ sweep: { id, notes = '' } }: { readonly sweep: SweepDetail }) => {
  const { annotate, busy, error, clearError } = useAnnotate(id);
  const [draft, setDraft] = useState<Draft | null>(null);
  const { area, opener } = useEditFocus(draft !== null);
  const cancel = () => {
    setDraft(null);
    clearError();
  };
  const save = async (text: string) => {
    if (await annotate({ notes: text.trimEnd() })) setDraft(null);
  };
  const onKey = (event: KeyboardEvent, { text }: Draft) => {
    if (event.key === 'Escape') cancel();
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && !busy) void save(text);
  };

  if (draft === null)
    return (
      <div className="sweep-notes" data-written={notes === '' ? undefined : true}>
        {notes === '' ? null : (
          // biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard scrolls long notes
          <section className="sweep-notes-text" aria-label="Notes" tabIndex={0}>
            {notes}
          </section>
        )}
        <button
          ref={opener}
          type="button"
          className="button"
          data-size="small"
          onClick={() => setDraft({ text: notes, before: notes })}
        >
          {notes === '' ? 'Write notes' : 'Edit notes'}
        </button>
      </div>
    );
  return (
    <form
      className="stack sweep-notes-form"
      onSubmit={(event) => {
        event.preventDefault();
        void save(draft.text);
      }}
    >
      <textarea
        ref={area}
        className="input"
        aria-label="Notes"
        rows={6}
        value={draft.text}
        onChange={(event) => setDraft({ ...draft, text: event.target.value })}
        onKeyDown={(event) => onKey(event, draft)}
      />
      {notes === draft.before || busy ? null : (
        <div className="notice" data-tone="warning" role="status">
          <strong>Somebody has changed the notes meanwhile. “Save” replaces them by yours. Theirs:</strong>
          <span className="sweep-notes-text">{notes === '' ? '(no notes)' : notes}</span>
        </div>
      )}
      <ErrorNotice error={error} />
      <div className="row">
        <button type="submit" className="button" data-kind="primary" disabled={busy}>
          Save
        </button>
        <button type="button" className="button" onClick={cancel}>
          Cancel
        </button>
        <span className="muted small">
          <kbd>Ctrl</kbd> <kbd>Enter</kbd> saves, <kbd>Esc</kbd> cancels.
        </span>
      </div>
    </form>
  );
};
