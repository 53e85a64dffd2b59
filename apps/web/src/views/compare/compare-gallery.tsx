import type { Output } from '@funnel/client';
import { datasets, type TrialDetail } from '@funnel/contracts';
import { useState } from 'react';
import { attackLabel, keyOfRun } from '../../attack-label.ts';
import { Panel } from '../../components/panel.tsx';
import { PixelImage } from '../../components/pixel-image.tsx';
import { SeriesMark } from '../../components/series-mark.tsx';
import { Skeleton } from '../../components/states.tsx';
import { decodePixels } from '../../data/pixels.ts';
import { imagesQuery } from '../../data/queries.ts';
import { useQueries } from '../../data/use-queries.ts';
import { formatNumber } from '../../format.ts';
import { trialName } from './trial-name.ts';

type Images = Output<'getImages'>;

const most = 10;

/** One image as one trial's attack left it. */
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
  if (at < 0) return <td className="muted small">–</td>;
  const fooled = images.success[row] ?? false;
  return (
    <td>
      <PixelImage
        pixels={decodePixels(images.gallery.attacked[at]!)}
        shape={images.gallery.shape}
        size={64}
        label={`Image ${index}, attacked`}
      />
      <span className="small">
        {fooled ? `${classes[images.predicted[row]!]}, L2 ${formatNumber(images.l2[row])}` : 'withstood'}
      </span>
    </td>
  );
};

export const CompareGallery = ({ trials }: { readonly trials: readonly TrialDetail[] }) => {
  const [chosen, setChosen] = useState('');
  const common = (trials[0]?.evaluations ?? []).filter((evaluation) =>
    trials.every((trial) => trial.evaluations.some((other) => keyOfRun(other) === keyOfRun(evaluation))),
  );
  const run = common.find((evaluation) => keyOfRun(evaluation) === chosen) ?? common[0];
  const stages = run
    ? trials.map((trial) => trial.evaluations.find((other) => keyOfRun(other) === keyOfRun(run))!.stage)
    : [];
  const states = useQueries(stages.map((stage, i) => imagesQuery(trials[i]!.id, stage)));
  if (!run) return null;
  const all = states.flatMap(({ data }) => (data ? [data] : []));
  const first = all[0];
  // Images that most of the trials have a picture of come first.
  const counts = new Map<number, number>();
  for (const { gallery } of all)
    for (const index of gallery.index) counts.set(index, (counts.get(index) ?? 0) + 1);
  const shown = [...counts]
    .sort((a, b) => b[1] - a[1] || a[0] - b[0])
    .slice(0, most)
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
          {common.map((other) => (
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
                    <Attacked
                      key={index}
                      images={all[i]!}
                      index={index}
                      classes={datasets[trial.dataset].classes}
                    />
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
