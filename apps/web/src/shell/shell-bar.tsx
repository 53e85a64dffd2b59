import { useStreamStatus } from '../data/use-query.ts';
import { href, useLocation } from '../router.ts';
import { setTheme, type ThemeChoice, useThemeChoice } from '../theme.ts';

const pages = [
  { path: ['sweeps'], title: 'Sweeps' },
  { path: ['leaderboard'], title: 'Leaderboard' },
  { path: ['try'], title: 'Try it' },
  { path: ['workers'], title: 'Workers' },
] as const;

/** Which entry of the bar a path belongs to: trials and comparisons are read within sweeps. */
const sectionOf = (path: readonly string[]): string => {
  const first = path[0] ?? 'sweeps';
  return first === 'trials' || first === 'new' ? 'sweeps' : first === 'compare' ? 'leaderboard' : first;
};

const streamWords = { connecting: 'Connecting', live: 'Live', lost: 'Reconnecting' };

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
  const { path } = useLocation();
  const section = sectionOf(path);
  const stream = useStreamStatus();
  return (
    <header className="shell-bar">
      <div className="shell-bar-inner">
        <a className="brand" href={href(['sweeps'])} aria-label="Funnel, to the sweeps">
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
            {streamWords[stream]}
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
