/// <reference types="vite/client" />

import { type ComponentType, lazy, StrictMode, Suspense, useEffect, useRef } from 'react';
import { createRoot } from 'react-dom/client';
import { Empty, Skeleton, ViewBoundary } from './components/states.tsx';
import { live } from './data/live.ts';
import { href, useLocation, type ViewProps } from './router.ts';
import { ShellBar, Shortcuts, TokenDialog } from './shell.tsx';
import { SweepsView } from './views/sweeps/sweeps-view.tsx';
import './styles/base.css';
import './styles/layout.css';
import './styles/controls.css';
import './styles/states.css';
import './styles/table.css';

export const NotFoundView = () => (
  <Empty title="There is no such page">
    <p>The address may be from another version, or a letter of it got lost.</p>
    <a className="button" href={href(['sweeps'])}>
      To the sweeps
    </a>
  </Empty>
);

/** Which view an address shows. Every view but the first one is a chunk of its own, fetched when it is opened. */
type View = ComponentType<ViewProps>;

const views: Record<string, { readonly View: View; readonly title: string }> = {
  sweeps: { View: SweepsView, title: 'Sweeps' },
  sweep: {
    View: lazy(async () => ({ default: (await import('./views/sweep/sweep-view.tsx')).SweepView })),
    title: 'Sweep',
  },
  new: {
    View: lazy(async () => ({
      default: (await import('./views/new-sweep/new-sweep-view.tsx')).NewSweepView,
    })),
    title: 'New sweep',
  },
  trials: {
    View: lazy(async () => ({ default: (await import('./views/trial/trial-view.tsx')).TrialView })),
    title: 'Trial',
  },
  leaderboard: {
    View: lazy(async () => ({
      default: (await import('./views/leaderboard/leaderboard-view.tsx')).LeaderboardView,
    })),
    title: 'Leaderboard',
  },
  compare: {
    View: lazy(async () => ({ default: (await import('./views/compare/compare-view.tsx')).CompareView })),
    title: 'Compare',
  },
  try: {
    View: lazy(async () => ({ default: (await import('./views/try-it/try-it-view.tsx')).TryItView })),
    title: 'Try it',
  },
  workers: {
    View: lazy(async () => ({ default: (await import('./views/workers/workers-view.tsx')).WorkersView })),
    title: 'Workers',
  },
};

/** `#/sweeps/abc/stages` is the view `sweep` with the parameters `abc` and `stages`. */
export const viewOf = (path: readonly string[]): { View: View; title: string; params: readonly string[] } => {
  const [first = 'sweeps', ...params] = path;
  const name = first === 'sweeps' && params.length > 0 ? 'sweep' : first;
  const view = Object.hasOwn(views, name) ? views[name] : undefined;
  return { ...(view ?? { View: NotFoundView, title: 'Not found' }), params };
};

export const App = () => {
  const { path } = useLocation();
  const { View, title, params } = viewOf(path);
  const page = useRef<HTMLElement>(null);
  const key = params[0] ?? '';
  const shown = useRef('');

  // A new page: say so in the title, go to its top, and move a keyboard's focus to its heading.
  useEffect(() => {
    document.title = title === '' ? 'Funnel' : `${title} · Funnel`;
    const place = `${title}/${key}`;
    if (shown.current !== '' && shown.current !== place) {
      window.scrollTo(0, 0);
      page.current?.focus({ preventScroll: true });
    }
    shown.current = place;
  }, [title, key]);

  return (
    <>
      <button type="button" className="skip" onClick={() => page.current?.focus()}>
        Skip to the page
      </button>
      <ShellBar />
      <main id="main" className="page" ref={page} tabIndex={-1} style={{ outline: 'none' }}>
        <ViewBoundary key={`${title}/${key}`}>
          <Suspense fallback={<Skeleton height={320} />}>
            <View params={params} />
          </Suspense>
        </ViewBoundary>
      </main>
      <Shortcuts />
      <TokenDialog />
    </>
  );
};

live.start();
createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
