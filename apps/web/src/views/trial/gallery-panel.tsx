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

type Images = Output<'getImages'>;

const Example = (props: {
  readonly images: Images;
  readonly at: number;
  readonly classes: readonly string[];
  readonly reconstruct: Reconstruct;
}) => {
  const { images, at, classes, reconstruct } = props;
  const { gallery } = images;
  const row = images.index.indexOf(gallery.index[at]!);
  const original = useMemo(() => decodePixels(gallery.original[at]!), [gallery, at]);
  const attacked = useMemo(() => decodePixels(gallery.attacked[at]!), [gallery, at]);
  const change = useMemo(() => difference(attacked, original), [attacked, original]);
  const rebuilt = useMemo(
    () => reconstruct.run?.(attacked, gallery.shape) ?? null,
    [reconstruct, attacked, gallery.shape],
  );
  const name = (label: number | undefined) => classes[label ?? -1] ?? '–';
  const fooled = images.success[row] ?? false;
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
      <span style={{ fontWeight: fooled ? 620 : undefined }}>
        {fooled ? name(images.predicted[row]) : 'withstood'}
      </span>
      <PixelImage pixels={change} shape={gallery.shape} size={size} mode="difference" label="Difference" />
      <span className="muted">{fooled ? `L2 ${formatNumber(images.l2[row])}` : ''}</span>
      {rebuilt ? (
        <PixelImage
          pixels={rebuilt}
          shape={gallery.shape}
          size={size}
          label="Reconstructed from the attacked image"
        />
      ) : (
        <span className="example-none" style={{ width: size, height: size }} />
      )}
    </li>
  );
};

export const GalleryPanel = ({ trial }: { readonly trial: TrialDetail }) => {
  const [chosen, setChosen] = useState('');
  const evaluation = trial.evaluations.find(({ stage }) => stage === chosen) ?? trial.evaluations[0]!;
  const state = useQuery(imagesQuery(trial.id, evaluation.stage));
  const { anchor, reconstruct } = useReconstruct(modelCheckpointsOf(trial.stages));
  const { classes } = trial.data;
  return (
    <Panel
      title="Attacked images"
      note="The attack made blue pixels darker and orange pixels brighter. The largest change has the strongest colour."
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
              <div className="gallery">
                <div className="gallery-heads" aria-hidden="true">
                  <span>Original</span>
                  <span>Attacked</span>
                  <span>Difference</span>
                  <span>Reconstructed</span>
                </div>
                {/* biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard scrolls a wide gallery */}
                <ul tabIndex={0} aria-label="Examples">
                  {images.gallery.index.map((index, at) => (
                    <Example
                      key={index}
                      images={images}
                      at={at}
                      classes={classes}
                      reconstruct={reconstruct}
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
