import type { Output } from '@funnel/client';
import type { TrialDetail } from '@funnel/contracts';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { Panel } from '../../components/controls.tsx';
import { decodePixels, difference, PixelImage } from '../../components/pixels.tsx';
import { Loaded } from '../../components/states.tsx';
import { imagesQuery } from '../../data/queries.ts';
import { attackLabel, formatNumber } from '../../format.ts';
import { modelCheckpointsOf } from '../../model/networks.ts';
import { type Reconstruct, useReconstruct } from '../../model/use-model.ts';
import { fateOf } from '../../statistics/robustness.ts';

type Images = Output<'getImages'>;

const Example = (props: {
  readonly images: Images;
  readonly at: number;
  readonly classes: readonly string[];
  /** Null for a recipe without an auto-encoder. */
  readonly reconstruct: Reconstruct | null;
}) => {
  const { images, at, classes, reconstruct } = props;
  const { gallery } = images;
  const row = images.index.indexOf(gallery.index[at]!);
  const original = useMemo(() => decodePixels(gallery.original[at]!), [gallery, at]);
  const attacked = useMemo(() => decodePixels(gallery.attacked[at]!), [gallery, at]);
  const change = useMemo(() => difference(attacked, original), [attacked, original]);
  const rebuilt = useMemo(
    () => reconstruct?.run?.(attacked, gallery.shape) ?? null,
    [reconstruct, attacked, gallery.shape],
  );
  const name = (label: number | undefined) => classes[label ?? -1] ?? '–';
  const fate = fateOf(images, row);
  const size = 76;
  return (
    <li className="example">
      <PixelImage
        pixels={original}
        shape={gallery.shape}
        size={size}
        label={`Original image ${images.index[row]}`}
      />
      <span>{name(images.label[row])}</span>
      <PixelImage pixels={attacked} shape={gallery.shape} size={size} label="Attacked" />
      <span style={{ fontWeight: fate === 'fooled' ? 620 : undefined }}>
        {fate === 'fooled' ? name(images.predicted[row]) : fate}
      </span>
      {change.some((value) => value !== 0) ? (
        <PixelImage pixels={change} shape={gallery.shape} size={size} mode="difference" label="Difference" />
      ) : (
        <span className="example-none muted">no change</span>
      )}
      <span className="muted">{fate === 'fooled' ? `L2 ${formatNumber(images.l2[row])}` : ''}</span>
      {reconstruct === null ? null : rebuilt ? (
        <PixelImage
          pixels={rebuilt}
          shape={gallery.shape}
          size={size}
          label="Reconstructed from the attacked image"
        />
      ) : null}
    </li>
  );
};

/** The evaluation that the gallery opens on: the first attack that fooled the classifier, if one did. */
const openingEvaluation = ({ evaluations }: TrialDetail) =>
  evaluations.find(({ summary }) => summary.successes > 0) ?? evaluations[0]!;

/** The places of the stored images, with those that the attack fooled first. */
const fooledFirst = (images: Images): readonly number[] => {
  const isFooled = (at: number) =>
    fateOf(images, images.index.indexOf(images.gallery.index[at]!)) === 'fooled';
  const places = images.gallery.index.map((_, at) => at);
  return [...places.filter(isFooled), ...places.filter((at) => !isFooled(at))];
};

export const GalleryPanel = ({ trial }: { readonly trial: TrialDetail }) => {
  const [chosen, setChosen] = useState('');
  const evaluation = trial.evaluations.find(({ stage }) => stage === chosen) ?? openingEvaluation(trial);
  const state = useQuery(imagesQuery(trial.id, evaluation.stage));
  const checkpoints = modelCheckpointsOf(trial.stages);
  const reconstructs = checkpoints !== null && checkpoints.autoEncoder !== null;
  const { anchor, reconstruct } = useReconstruct(reconstructs ? checkpoints : null);
  const { classes } = trial.data;
  return (
    <Panel
      title="Attacked images"
      note="The attack made blue pixels darker and orange pixels brighter. The largest change has the strongest colour. An image that the classifier gets wrong anyway is not attacked."
      actions={
        <select
          className="input"
          aria-label="Attack"
          value={evaluation.stage}
          onChange={(event) => setChosen(event.target.value)}
        >
          {trial.evaluations.map((other) => (
            <option key={other.stage} value={other.stage}>
              {attackLabel(other)}
            </option>
          ))}
        </select>
      }
    >
      <div ref={anchor}>
        <Loaded state={state} height={420}>
          {(images) =>
            images.gallery.index.length === 0 ? (
              <p className="muted">This evaluation stored no images.</p>
            ) : (
              <div
                className="gallery"
                data-reconstructs={reconstructs && reconstruct.fault === null ? '' : undefined}
              >
                <div className="gallery-heads" aria-hidden="true">
                  <span>Original</span>
                  <span>Attacked</span>
                  <span>Difference</span>
                  {reconstruct.run ? <span>Reconstructed</span> : null}
                </div>
                {/* biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard scrolls a wide gallery */}
                <ul tabIndex={0} aria-label="Examples">
                  {fooledFirst(images).map((at) => (
                    <Example
                      key={images.gallery.index[at]}
                      images={images}
                      at={at}
                      classes={classes}
                      reconstruct={reconstructs ? reconstruct : null}
                    />
                  ))}
                </ul>
              </div>
            )
          }
        </Loaded>
        {reconstruct.fault === null ? null : <p className="muted small">{reconstruct.fault}</p>}
      </div>
    </Panel>
  );
};
