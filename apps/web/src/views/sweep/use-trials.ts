import type { Trial } from '@funnel/contracts';
import { useEffect, useRef } from 'react';
import { usePagedList } from '../../components/use-paged-list.ts';
import { call } from '../../data/api.ts';
import type { ListState } from '../../data/paged-list.ts';
import { isOver } from '../../data/queries.ts';
import { useLive } from '../../data/use-query.ts';

const pageSize = 250;
/** Results are asked for again at most this often, and at most a tenth of the time. */
const minMs = 2000;

/** All trials of a sweep, kept right by events: a status changes at once, results follow with the next fetch of their pages. */
export const useTrials = (sweepId: string): ListState<Trial> => {
  const { list, state } = usePagedList<Trial>({
    key: `trials/${sweepId}`,
    load: (cursor) => call('listTrials', { params: { id: sweepId }, query: { limit: pageSize, cursor } }),
    idOf: (trial) => trial.id,
    mayChange: (trial) => !isOver(trial.status),
    all: true,
  });
  const moved = useRef(new Set<string>());
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  const tookMs = useRef(0);

  const refresh = async () => {
    const ids = new Set(moved.current);
    moved.current.clear();
    const started = performance.now();
    await list.refresh((trial) => ids.has(trial.id) || trial.status === 'running');
    tookMs.current = performance.now() - started;
    timer.current = null;
    if (moved.current.size > 0) schedule();
  };
  const schedule = () => {
    timer.current ??= setTimeout(() => void refresh(), Math.max(minMs, 10 * tookMs.current));
  };

  useLive(({ rows, gap }) => {
    if (gap) {
      void list.refresh((trial) => !isOver(trial.status));
      return;
    }
    const changes = new Map<string, (trial: Trial) => Trial>();
    let results = false;
    for (const { event } of rows) {
      if (event.sweepId !== sweepId) continue;
      if (event.type === 'trial') {
        changes.set(event.trialId, (trial) => ({ ...trial, status: event.status }));
        moved.current.add(event.trialId);
      }
      if (event.type === 'evaluation') results = true;
    }
    if (changes.size > 0) list.patch(changes);
    if (changes.size > 0 || results) schedule();
  });
  useEffect(
    () => () => {
      if (timer.current !== null) clearTimeout(timer.current);
      timer.current = null;
    },
    [],
  );
  return state;
};
