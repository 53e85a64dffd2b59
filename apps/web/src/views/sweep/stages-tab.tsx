import { StageTree } from '../../charts/stage-tree.tsx';
import { Panel } from '../../components/panel.tsx';
import { ErrorNotice, Skeleton } from '../../components/states.tsx';
import { formatCount } from '../../format.ts';
import { useQueryValue } from '../../router.ts';
import { StageDetail } from './stage-detail.tsx';
import type { SweepTabProps } from './tab.ts';
import { useStages } from './use-stages.ts';

export const StagesTab = ({ sweep }: SweepTabProps) => {
  const { items, partial, error } = useStages(sweep.id);
  const [selected, select] = useQueryValue('stage');
  if (items.length === 0)
    return error === undefined ? <Skeleton height={640} /> : <ErrorNotice error={error} />;
  return (
    <div className="stack">
      {error === undefined ? null : <ErrorNotice error={error} />}
      <Panel
        title="Stage tree"
        note={`Each stage stands to the right of the one that it starts from, as tall as what is built on it${partial ? `; ${formatCount(items.length)} stages so far` : ''}.`}
      >
        <StageTree stages={items} selected={selected ?? null} onSelect={(id) => select(id ?? undefined)} />
      </Panel>
      {selected === undefined ? null : (
        <StageDetail key={selected} id={selected} sweepId={sweep.id} onClose={() => select(undefined)} />
      )}
    </div>
  );
};
