import type { TrialDetail } from '@funnel/contracts';
import { TrainingCurves } from '../../charts/training-curves.tsx';
import { Panel } from '../../components/panel.tsx';
import { Empty, Loaded } from '../../components/states.tsx';
import { compareQuery, metricsQuery } from '../../data/queries.ts';
import { useQueries } from '../../data/use-queries.ts';
import { useQuery } from '../../data/use-query.ts';
import { href, useQueryValue } from '../../router.ts';
import { CompareCurves } from './compare-curves.tsx';
import { CompareGallery } from './compare-gallery.tsx';
import { CompareResults } from './compare-results.tsx';
import { CompareSpec } from './compare-spec.tsx';
import { trialName } from './trial-name.ts';
import './compare.css';

const Training = ({ trials }: { readonly trials: readonly TrialDetail[] }) => {
  const metrics = useQueries(trials.map(metricsQuery));
  return (
    <Panel title="Training">
      <TrainingCurves
        trials={trials.map((trial, colour) => ({
          name: trialName(trial, trials),
          colour,
          series: metrics[colour]?.data?.series ?? [],
        }))}
      />
    </Panel>
  );
};

export const CompareView = () => {
  const [text, setText] = useQueryValue('trials');
  const ids = (text ?? '')
    .split(',')
    .filter((id) => id !== '')
    .slice(0, 6);
  const state = useQuery(ids.length >= 2 ? compareQuery(ids) : null);
  const leaveOut = (id: string) => setText(ids.filter((other) => other !== id).join(','));
  if (ids.length < 2)
    return (
      <Empty title="Two to six trials can be compared">
        <p>Tick them in a sweep’s table or in the leaderboard.</p>
        <a className="button" href={href(['leaderboard'])}>
          To the leaderboard
        </a>
      </Empty>
    );
  return (
    <>
      <header className="page-head">
        <div className="page-head-text">
          <h1>Compare {ids.length} trials</h1>
        </div>
      </header>
      <Loaded state={state} height={600}>
        {({ trials, differs }) => (
          <div className="stack">
            <CompareResults trials={trials} onLeaveOut={ids.length > 2 ? leaveOut : null} />
            <CompareCurves trials={trials} />
            <CompareSpec trials={trials} differs={differs} />
            <CompareGallery trials={trials} />
            <Training trials={trials} />
          </div>
        )}
      </Loaded>
    </>
  );
};
