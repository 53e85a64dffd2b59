import type { Output } from '@funnel/client';
import { budgetsOf, normTitles, type TrialDetail } from '@funnel/contracts';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { SeriesMark } from '../../charts/marks.tsx';
import { RobustnessCurves, useRobustnessCurves } from '../../charts/robustness-curves.tsx';
import { TrainingCurves } from '../../charts/training-curves.tsx';
import { Panel } from '../../components/controls.tsx';
import { decodePixels, PixelImage } from '../../components/pixels.tsx';
import { Empty, Loaded, Skeleton } from '../../components/states.tsx';
import { compareQuery, imagesQuery, metricsQuery, useAnswers } from '../../data/queries.ts';
import { attackLabel, formatNumber, keyOfRun } from '../../format.ts';
import { href, useQueryValue } from '../../router.ts';
import { fateOf } from '../../statistics/robustness.ts';
import { CompareResults } from './compare-results.tsx';
import { trialName } from './compare-row.tsx';
import { CompareSettings } from './compare-settings.tsx';
import './compare.css';

const Curves = ({
  trials,
  norm,
}: {
  readonly trials: readonly TrialDetail[];
  readonly norm: 'linf' | 'l2';
}) => {
  const named = trials.map((trial, colour) => ({ id: trial.id, name: trialName(trial, trials), colour }));
  const { curves, loading, note, isSearched } = useRobustnessCurves(
    named,
    norm,
    (trials[0]?.data.budgets ?? budgetsOf())[norm],
  );
  return (
    <Panel title={`Robust accuracy over ε, ${normTitles[norm]}`} note={note}>
      {curves.length > 0 ? (
        <div aria-busy={loading}>
          <RobustnessCurves curves={curves} height={280} />
        </div>
      ) : loading ? (
        <Skeleton height={280} />
      ) : isSearched ? (
        <p className="muted" style={{ height: 280 }}>
          None of these trials has been attacked yet.
        </p>
      ) : null}
    </Panel>
  );
};

const CompareCurves = ({ trials }: { readonly trials: readonly TrialDetail[] }) => (
  <div className="columns">
    <Curves trials={trials} norm="linf" />
    <Curves trials={trials} norm="l2" />
  </div>
);

type Images = Output<'getImages'>;

const maxImages = 10;

/** One image after the attack on one trial. A trial keeps the pictures of a few images, but the results of all. */
const Attacked = ({
  images,
  index,
  classes,
}: {
  readonly images: Images;
  readonly index: number;
  readonly classes: readonly string[];
}) => {
  const at = images.gallery.index.indexOf(index);
  const row = images.index.indexOf(index);
  if (row < 0) return <td className="muted small">not attacked</td>;
  const fate = fateOf(images, row);
  const text =
    fate === 'fooled' ? `${classes[images.predicted[row]!]}, L2 ${formatNumber(images.l2[row])}` : fate;
  if (at < 0) return <td className="muted small">{text}, no picture</td>;
  return (
    <td>
      <PixelImage
        pixels={decodePixels(images.gallery.attacked[at]!)}
        shape={images.gallery.shape}
        size={64}
        label={`Image ${index}, attacked`}
      />
      <span className="small">{text}</span>
    </td>
  );
};

const CompareGallery = ({ trials }: { readonly trials: readonly TrialDetail[] }) => {
  const [chosen, setChosen] = useState('');
  const sameData = trials.every(
    ({ dataset, data }) => dataset === trials[0]!.dataset && `${data.shape}` === `${trials[0]!.data.shape}`,
  );
  const commonEvaluations = (sameData ? trials[0]!.evaluations : []).filter((evaluation) =>
    trials.every((trial) => trial.evaluations.some((other) => keyOfRun(other) === keyOfRun(evaluation))),
  );
  const run = commonEvaluations.find((evaluation) => keyOfRun(evaluation) === chosen) ?? commonEvaluations[0];
  const stages = run
    ? trials.map((trial) => trial.evaluations.find((other) => keyOfRun(other) === keyOfRun(run))!.stage)
    : [];
  const images = useAnswers(stages.map((stage, i) => imagesQuery(trials[i]!.id, stage)));
  if (!run) return null;
  const all = images.data.filter((data) => data !== undefined);
  const first = all[0];
  // Images that are in the most galleries come first.
  const counts = new Map<number, number>();
  for (const { gallery } of all)
    for (const index of gallery.index) counts.set(index, (counts.get(index) ?? 0) + 1);
  const shown = [...counts]
    .sort((a, b) => b[1] - a[1] || a[0] - b[0])
    .slice(0, maxImages)
    .map(([index]) => index)
    .sort((a, b) => a - b);
  const original = (index: number) => {
    const holder = all.find(({ gallery }) => gallery.index.includes(index))!;
    return decodePixels(holder.gallery.original[holder.gallery.index.indexOf(index)]!);
  };
  return (
    <Panel
      title="The same images, attacked"
      actions={
        <select
          className="input"
          aria-label="Attack"
          value={keyOfRun(run)}
          onChange={(event) => setChosen(event.target.value)}
        >
          {commonEvaluations.map((other) => (
            <option key={keyOfRun(other)} value={keyOfRun(other)}>
              {attackLabel(other)}
            </option>
          ))}
        </select>
      }
      flush
    >
      {first === undefined || all.length < trials.length ? (
        <Skeleton height={320} />
      ) : (
        <div className="table-wrap">
          <table className="table compare-gallery">
            <tbody>
              <tr>
                <th scope="row">Original</th>
                {shown.map((index) => (
                  <td key={index}>
                    <PixelImage
                      pixels={original(index)}
                      shape={first.gallery.shape}
                      size={64}
                      label={`Image ${index}`}
                    />
                  </td>
                ))}
              </tr>
              {trials.map((trial, i) => (
                <tr key={trial.id}>
                  <th scope="row">
                    <SeriesMark colour={i} /> {trialName(trial, trials)}
                  </th>
                  {shown.map((index) => (
                    <Attacked key={index} images={all[i]!} index={index} classes={trial.data.classes} />
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
};

const Training = ({ trials }: { readonly trials: readonly TrialDetail[] }) => {
  const metrics = useAnswers(trials.map(metricsQuery));
  return (
    <Panel title="Training">
      <TrainingCurves
        trials={trials.map((trial, colour) => ({
          name: trialName(trial, trials),
          colour,
          series: metrics.data[colour]?.series ?? [],
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
  const state = useQuery({ ...compareQuery(ids), enabled: ids.length >= 2 });
  const leaveOut = (id: string) => setText(ids.filter((other) => other !== id).join(','));
  if (ids.length < 2)
    return (
      <Empty title="Choose two to six trials to compare">
        <p>Tick trials in the table of a sweep or in the leaderboard.</p>
        <a className="button" href={href(['leaderboard'])}>
          Show the leaderboard
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
        {({ trials, differs, letters = [] }) => (
          <div className="stack">
            <CompareResults trials={trials} letters={letters} onLeaveOut={ids.length > 2 ? leaveOut : null} />
            <CompareCurves trials={trials} />
            <CompareSettings trials={trials} differs={differs} />
            <CompareGallery trials={trials} />
            <Training trials={trials} />
          </div>
        )}
      </Loaded>
    </>
  );
};
