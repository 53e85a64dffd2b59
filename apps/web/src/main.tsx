/// <reference types="vite/client" />
/** The dashboard: its pages by address, and the frame around them. */
import { QueryClientProvider } from '@tanstack/react-query';
import { type ComponentType, lazy, StrictMode, Suspense, useEffect } from 'react';
import { createRoot } from 'react-dom/client';
import { Route, Router, Switch } from 'wouter';
import { Empty, Skeleton, ViewBoundary } from './components/states.tsx';
import { live } from './data/live.ts';
import { queryClient } from './data/query-client.ts';
import { decodeParams, href, useHashPath, type ViewProps } from './router.ts';
import { ShellBar, Shortcuts, TokenDialog } from './shell.tsx';
import { SweepsView } from './views/sweeps/sweeps-view.tsx';
import './styles/base.css';
import './styles/layout.css';
import './styles/controls.css';
import './styles/states.css';
import './styles/table.css';

type View = ComponentType<ViewProps>;

/** A view in its own chunk, which the browser loads when the page is opened. */
const lazyView = (load: () => Promise<View>): View => lazy(async () => ({ default: await load() }));

const SweepView = lazyView(async () => (await import('./views/sweep/sweep-view.tsx')).SweepView);
const NewSweepView = lazyView(
  async () => (await import('./views/new-sweep/new-sweep-view.tsx')).NewSweepView,
);
const TrialView = lazyView(async () => (await import('./views/trial/trial-view.tsx')).TrialView);
const LeaderboardView = lazyView(
  async () => (await import('./views/leaderboard/leaderboard-view.tsx')).LeaderboardView,
);
const CompareView = lazyView(async () => (await import('./views/compare/compare-view.tsx')).CompareView);
const TryItView = lazyView(async () => (await import('./views/try-it/try-it-view.tsx')).TryItView);
const DatasetsView = lazyView(async () => (await import('./views/data/datasets-view.tsx')).DatasetsView);
const DatasetView = lazyView(async () => (await import('./views/data/dataset-view.tsx')).DatasetView);
const WorkersView = lazyView(async () => (await import('./views/workers/workers-view.tsx')).WorkersView);

const NotFoundView = () => (
  <Empty title="This page does not exist">
    <p>The address may be mistyped, or belong to another version of Funnel.</p>
    <a className="button" href={href(['sweeps'])}>
      Show the sweeps
    </a>
  </Empty>
);

const routes: readonly { readonly path: string; readonly title: string; readonly View: View }[] = [
  { path: '/', title: 'Sweeps', View: SweepsView },
  { path: '/sweeps', title: 'Sweeps', View: SweepsView },
  { path: '/sweeps/:id/:tab?', title: 'Sweep', View: SweepView },
  { path: '/new', title: 'New sweep', View: NewSweepView },
  { path: '/trials/:id', title: 'Trial', View: TrialView },
  { path: '/leaderboard', title: 'Leaderboard', View: LeaderboardView },
  { path: '/compare', title: 'Compare', View: CompareView },
  { path: '/try/:id?', title: 'Try it', View: TryItView },
  { path: '/data', title: 'Data', View: DatasetsView },
  { path: '/data/:id', title: 'Data set', View: DatasetView },
  { path: '/workers', title: 'Workers', View: WorkersView },
  { path: '*', title: 'Not found', View: NotFoundView },
];

const focusPage = () => document.getElementById('main')?.focus({ preventScroll: true });

let shownPage = '';

const Page = ({ View, title, params }: { readonly View: View; readonly title: string } & ViewProps) => {
  const decoded = decodeParams(params);
  const key = `${title}/${decoded.id ?? ''}`;

  // A new page sets the title, scrolls to its top, and gets the keyboard focus.
  useEffect(() => {
    document.title = `${title} · Funnel`;
    if (shownPage !== '' && shownPage !== key) {
      window.scrollTo(0, 0);
      focusPage();
    }
    shownPage = key;
  }, [title, key]);

  return (
    <ViewBoundary key={key}>
      <Suspense fallback={<Skeleton height={320} />}>
        <View params={decoded} />
      </Suspense>
    </ViewBoundary>
  );
};

const App = () => (
  <>
    <button type="button" className="skip" onClick={focusPage}>
      Skip to the page
    </button>
    <ShellBar />
    <main id="main" className="page" tabIndex={-1} style={{ outline: 'none' }}>
      <Switch>
        {routes.map(({ path, title, View }) => (
          <Route key={path} path={path}>
            {(params) => <Page title={title} View={View} params={params} />}
          </Route>
        ))}
      </Switch>
    </main>
    <Shortcuts />
    <TokenDialog />
  </>
);

live.start();
createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>
      <Router hook={useHashPath}>
        <App />
      </Router>
    </QueryClientProvider>
  </StrictMode>,
);
