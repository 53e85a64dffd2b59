/** Collects the ids that events name, so that a burst of events leads to one request. */
import { useEffect, useEffectEvent, useRef } from 'react';

/**
 * Returns a function that takes ids. `flush` gets all ids of a pause at once: of `minPauseMs`, or of ten times the duration of the last
 * flush where that is longer. When the component goes, the waiting ids are flushed at once: its list outlives it, and no later event may
 * name them.
 */
export const useChangedIds = (
  flush: (ids: ReadonlySet<string>) => Promise<void>,
  minPauseMs: number,
): ((ids: Iterable<string>) => void) => {
  const waiting = useRef({
    ids: new Set<string>(),
    timer: null as ReturnType<typeof setTimeout> | null,
    tookMs: 0,
  });

  const run = async () => {
    const { current } = waiting;
    const { ids } = current;
    current.ids = new Set();
    const started = performance.now();
    await flush(ids);
    current.tookMs = performance.now() - started;
    current.timer = null;
    if (current.ids.size > 0) schedule();
  };
  const schedule = () => {
    const { current } = waiting;
    current.timer ??= setTimeout(() => void run(), Math.max(minPauseMs, 10 * current.tookMs));
  };

  const onHide = useEffectEvent(() => {
    const { timer } = waiting.current;
    if (timer === null) return;
    clearTimeout(timer);
    void run();
  });
  useEffect(() => () => onHide(), []);

  return (ids) => {
    for (const id of ids) waiting.current.ids.add(id);
    schedule();
  };
};
