import { Suspense, useEffect, useRef } from 'react';
import { Skeleton } from './components/states.tsx';
import { ViewBoundary } from './components/view-boundary.tsx';
import { useLocation } from './router.ts';
import { ShellBar } from './shell/shell-bar.tsx';
import { Shortcuts } from './shell/shortcuts.tsx';
import { TokenDialog } from './shell/token-dialog.tsx';
import { viewOf } from './views/registry.ts';

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
