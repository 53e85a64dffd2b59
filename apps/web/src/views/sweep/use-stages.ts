import type { Stage } from '@funnel/contracts';
import { usePagedList } from '../../components/use-paged-list.ts';
import { call } from '../../data/api.ts';
import type { ListState } from '../../data/paged-list.ts';
import { useLive } from '../../data/use-query.ts';

const over = new Set<Stage['status']>([
  'completed',
  'diverged',
  'collapsed',
  'failed',
  'skipped',
  'cancelled',
]);

/** All stages of a sweep. Events carry status and position, so the tree moves without asking the server again. */
export const useStages = (sweepId: string): ListState<Stage> => {
  const { list, state } = usePagedList<Stage>({
    key: `stages/${sweepId}`,
    load: (cursor) => call('listStages', { params: { id: sweepId }, query: { limit: 1000, cursor } }),
    idOf: (stage) => stage.id,
    mayChange: (stage) => !over.has(stage.status),
    all: true,
  });
  useLive(({ rows, gap }) => {
    if (gap) {
      void list.refresh((stage) => !over.has(stage.status));
      return;
    }
    const changes = new Map<string, (stage: Stage) => Stage>();
    for (const { event } of rows) {
      if (event.type !== 'stage' && event.type !== 'epoch') continue;
      const before = changes.get(event.stage) ?? ((stage: Stage) => stage);
      changes.set(event.stage, (stage) =>
        event.type === 'stage'
          ? { ...before(stage), status: event.status }
          : { ...before(stage), position: event.position },
      );
    }
    if (changes.size > 0) list.patch(changes);
  });
  return state;
};
