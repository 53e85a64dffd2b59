import { useEffect, useRef } from 'react';
import { useLocation } from 'wouter';
import { onUnauthenticated, writeToken } from './data/api.ts';
import { useStreamStatus } from './data/live.ts';
import { href, navigate } from './router.ts';
import { setTheme, type ThemeChoice, useThemeChoice } from './theme.ts';

const pages = [
  { path: ['sweeps'], title: 'Sweeps' },
  { path: ['leaderboard'], title: 'Leaderboard' },
  { path: ['try'], title: 'Try it' },
  { path: ['data'], title: 'Data' },
  { path: ['workers'], title: 'Workers' },
] as const;

/** The entry of the navigation that a page belongs to. */
const sectionOf = (path: string): string => {
  const first = path.split('/')[1] || 'sweeps';
  return first === 'trials' || first === 'new' ? 'sweeps' : first === 'compare' ? 'leaderboard' : first;
};

const streamLabels = {
  connecting: 'Connecting',
  live: 'Live',
  lost: 'Reconnecting',
  refused: 'No access',
} as const;

const next: Record<ThemeChoice, ThemeChoice> = { system: 'light', light: 'dark', dark: 'system' };
const themeIcons: Record<ThemeChoice, string> = {
  system: 'M8 1.5a6.5 6.5 0 1 0 0 13zM8 1.5a6.5 6.5 0 0 1 0 13',
  light:
    'M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM8 .8v1.7m0 11v1.7M.8 8h1.7m11 0h1.7M2.9 2.9l1.2 1.2m7.8 7.8 1.2 1.2m0-10.2-1.2 1.2M4.1 11.9l-1.2 1.2',
  dark: 'M13.5 9.7A6 6 0 0 1 6.3 2.5a6 6 0 1 0 7.2 7.2z',
};

const ThemeButton = () => {
  const choice = useThemeChoice();
  return (
    <button
      type="button"
      className="button"
      data-kind="quiet"
      data-size="small"
      aria-label={`Theme: ${choice}. Change to ${next[choice]}.`}
      title={`Theme: ${choice}`}
      onClick={() => setTheme(next[choice])}
    >
      <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true">
        <path
          d={themeIcons[choice]}
          fill={choice === 'system' ? 'currentColor' : 'none'}
          fillOpacity={choice === 'system' ? 0.35 : undefined}
          stroke="currentColor"
          strokeWidth="1.4"
          strokeLinecap="round"
          strokeLinejoin="round"
        />
      </svg>
    </button>
  );
};

export const ShellBar = () => {
  const [path] = useLocation();
  const section = sectionOf(path);
  const stream = useStreamStatus();
  return (
    <header className="shell-bar">
      <div className="shell-bar-inner">
        <a className="brand" href={href(['sweeps'])} aria-label="Funnel: show the sweeps">
          <svg width="20" height="20" viewBox="0 0 20 20" aria-hidden="true">
            <g stroke="var(--accent)" strokeWidth="2.6" strokeLinecap="round">
              <path d="M2 4.5h16" />
              <path d="M5.5 10h9" />
              <path d="M8.7 15.5h2.6" />
            </g>
          </svg>
          Funnel
        </a>
        <nav className="shell-nav" aria-label="Main">
          {pages.map((page) => (
            <a
              key={page.title}
              href={href(page.path)}
              aria-current={page.path[0] === section ? 'page' : undefined}
            >
              {page.title}
            </a>
          ))}
        </nav>
        <div className="shell-tools">
          <span className="stream" data-status={stream} role="status">
            {streamLabels[stream]}
          </span>
          <ThemeButton />
          <a className="button" data-kind="primary" href={href(['new'])}>
            New sweep
          </a>
        </div>
      </div>
    </header>
  );
};

/** Shortcuts of one key. They work while no text field has the focus. */
const shortcuts = [
  { keys: 's', title: 'Sweeps', run: () => navigate(href(['sweeps'])) },
  { keys: 'l', title: 'Leaderboard', run: () => navigate(href(['leaderboard'])) },
  { keys: 't', title: 'Try it', run: () => navigate(href(['try'])) },
  { keys: 'd', title: 'Data', run: () => navigate(href(['data'])) },
  { keys: 'w', title: 'Workers', run: () => navigate(href(['workers'])) },
  { keys: 'n', title: 'New sweep', run: () => navigate(href(['new'])) },
  {
    keys: '/',
    title: 'Search on this page',
    run: () => document.querySelector<HTMLElement>('[data-search]')?.focus(),
  },
] as const;

const tableAndChartKeys = [
  { keys: '↑ ↓', title: 'Move between the rows of a table; Enter opens a row, Space chooses it' },
  { keys: '← →', title: 'Move the end of a brush; Delete removes the brush' },
] as const;

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

export const Shortcuts = () => {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
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
        {[...shortcuts, ...tableAndChartKeys, { keys: '?', title: 'This list' }].map(({ keys, title }) => (
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

/** Asks for an access token when the server requires one. */
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
        <h2 id="token-title">This server needs a token</h2>
        <p className="muted">
          Ask the person who runs this Funnel. That person makes a token in a terminal on the server:{' '}
          <code>npx funnel token create NAME</code>. This browser keeps it. If the server has no token yet,
          leave the field empty.
        </p>
        <label className="label">
          Token
          <input className="input mono" name="token" type="password" autoComplete="off" />
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
