import { useEffect, useRef } from 'react';
import { href, navigate } from '../router.ts';

/** Single keys, as long as nobody is typing. */
const shortcuts = [
  { keys: 's', title: 'Sweeps', run: () => navigate(href(['sweeps'])) },
  { keys: 'l', title: 'Leaderboard', run: () => navigate(href(['leaderboard'])) },
  { keys: 't', title: 'Try it', run: () => navigate(href(['try'])) },
  { keys: 'w', title: 'Workers', run: () => navigate(href(['workers'])) },
  { keys: 'n', title: 'New sweep', run: () => navigate(href(['new'])) },
  {
    keys: '/',
    title: 'Search on this page',
    run: () => document.querySelector<HTMLElement>('[data-search]')?.focus(),
  },
] as const;

const inPictures = [
  { keys: '↑ ↓', title: 'Move in a table; Enter opens, Space chooses a row' },
  { keys: '← →', title: 'Move a brush; Delete clears it' },
] as const;

const typing = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

export const Shortcuts = () => {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
      if (document.querySelector('dialog[open]') && event.key !== '?') return;
      if (event.key === '?') {
        dialog.current?.showModal();
        return;
      }
      const shortcut = shortcuts.find(({ keys }) => keys === event.key);
      if (!shortcut) return;
      event.preventDefault();
      shortcut.run();
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, []);
  return (
    <dialog className="dialog" ref={dialog} aria-labelledby="shortcuts-title">
      <h2 id="shortcuts-title">Keyboard</h2>
      <div className="menu-hint">
        {[...shortcuts, ...inPictures, { keys: '?', title: 'This list' }].map(({ keys, title }) => (
          <div key={keys} style={{ display: 'contents' }}>
            <span className="row" style={{ gap: 4 }}>
              {keys.split(' ').map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </span>
            <span>{title}</span>
          </div>
        ))}
      </div>
      <form method="dialog">
        <button type="submit" className="button">
          Close
        </button>
      </form>
    </dialog>
  );
};
