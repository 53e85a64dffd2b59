/** Which view an address shows. Every view but the first one is a chunk of its own, fetched when it is opened. */
import { type ComponentType, lazy } from 'react';
import { NotFoundView } from './not-found.tsx';
import { SweepsView } from './sweeps/sweeps-view.tsx';
import type { ViewProps } from './view-props.ts';

type View = ComponentType<ViewProps>;

const views: Record<string, { readonly View: View; readonly title: string }> = {
  sweeps: { View: SweepsView, title: 'Sweeps' },
  sweep: {
    View: lazy(async () => ({ default: (await import('./sweep/sweep-view.tsx')).SweepView })),
    title: 'Sweep',
  },
  new: {
    View: lazy(async () => ({ default: (await import('./new-sweep/new-sweep-view.tsx')).NewSweepView })),
    title: 'New sweep',
  },
  trials: {
    View: lazy(async () => ({ default: (await import('./trial/trial-view.tsx')).TrialView })),
    title: 'Trial',
  },
  leaderboard: {
    View: lazy(async () => ({
      default: (await import('./leaderboard/leaderboard-view.tsx')).LeaderboardView,
    })),
    title: 'Leaderboard',
  },
  compare: {
    View: lazy(async () => ({ default: (await import('./compare/compare-view.tsx')).CompareView })),
    title: 'Compare',
  },
  try: {
    View: lazy(async () => ({ default: (await import('./try-it/try-it-view.tsx')).TryItView })),
    title: 'Try it',
  },
  workers: {
    View: lazy(async () => ({ default: (await import('./workers/workers-view.tsx')).WorkersView })),
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
