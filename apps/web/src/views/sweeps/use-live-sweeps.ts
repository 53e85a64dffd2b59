import type { Sweep } from '@funnel/contracts';
import { useEffect, useRef } from 'react';
import { call } from '../../data/api.ts';
import type { PagedList } from '../../data/paged-list.ts';
import { useLive } from '../../data/use-query.ts';

/** Sweeps that moved are asked for again together, at most this often. */
const everyMs = 1000;
/** More than this many at a time are cheaper to fetch as pages. */
const singly = 10;

/** Keeps a list of sweeps right as they move: new ones come in front, deleted ones go. */
export const useLiveSweeps = (list: PagedList<Sweep>): void => {
  const moved = useRef(new Set<string>());
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);

  const flush = async () => {
    timer.current = null;
    const ids = [...moved.current];
    moved.current.clear();
    const known = ids.filter(list.has);
    const first = list.read().items[0];
    if (known.length < ids.length || known.length > singly)
      await list.refresh((sweep) => sweep === first || (known.length > singly && known.includes(sweep.id)));
    if (known.length > singly) return;
    const sweeps = await Promise.allSettled(known.map((id) => call('getSweep', { params: { id } })));
    const changes = sweeps.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    list.patch(new Map(changes.map((sweep) => [sweep.id, () => sweep])));
  };

  useLive(({ rows, gap }) => {
    if (gap) {
      void list.refresh(() => true);
      return;
    }
    for (const { event } of rows) {
      if (event.type === 'sweep' && event.status === 'deleted') list.remove(event.sweepId);
      else if (event.type === 'sweep' || list.has(event.sweepId)) moved.current.add(event.sweepId);
    }
    if (moved.current.size > 0 && timer.current === null)
      timer.current = setTimeout(() => void flush(), everyMs);
  });

  useEffect(
    () => () => {
      if (timer.current !== null) clearTimeout(timer.current);
      timer.current = null;
    },
    [],
  );
};
