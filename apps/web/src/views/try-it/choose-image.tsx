/** The images that a visitor may try: test images, a picture of their own, and a drawing where the data set has drawings. */
import { datasetTitle, isDrawn, type TrialDetail } from '@funnel/contracts';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useRef, useState } from 'react';
import { Panel } from '../../components/controls.tsx';
import { decodePixels, PixelImage } from '../../components/pixels.tsx';
import { ErrorNotice, Skeleton } from '../../components/states.tsx';
import { imagesQuery } from '../../data/queries.ts';
import { shapeText } from '../data/describe.ts';
import { DrawPad } from './draw-pad.tsx';
import { readPicture } from './read-picture.ts';

/** An image to try. `label`: its class, where it is known. */
export type ChosenImage = { readonly pixels: Float32Array; readonly label: number | null };

type Choose = { readonly trial: TrialDetail; readonly onPick: (image: ChosenImage | null) => void };

const maxShown = 12;

/** Test images, from the gallery of the trial's first evaluation. */
const TestImages = ({ trial, onPick }: Choose) => {
  const stage = trial.evaluations[0]?.stage;
  const { data } = useQuery({ ...imagesQuery(trial.id, stage ?? ''), enabled: stage !== undefined });
  const images = useMemo(() => data?.gallery.original.slice(0, maxShown).map(decodePixels), [data]);
  if (stage === undefined) return null;
  return (
    <Panel title={`Choose a test image of ${datasetTitle(trial.dataset)}`}>
      {data === undefined || images === undefined ? (
        <Skeleton height={52} />
      ) : (
        <div className="test-images">
          {images.map((pixels, at) => {
            const index = data.gallery.index[at]!;
            const label = data.label[data.index.indexOf(index)]!;
            const text = `Test image ${index}: ${trial.data.classes[label]}`;
            return (
              <button key={index} type="button" onClick={() => onPick({ pixels, label })} title={text}>
                <PixelImage pixels={pixels} shape={data.gallery.shape} size={44} label={text} />
              </button>
            );
          })}
        </div>
      )}
    </Panel>
  );
};

/** Whether a PNG or JPEG picture can be an image of this shape: it has grey values or colours. */
const takesPictures = ([, , channels]: TrialDetail['data']['shape']): boolean =>
  channels === 1 || channels === 3;

/** A file of the visitor's. */
const OwnPicture = ({ trial, onPick }: Choose) => {
  const { shape } = trial.data;
  const [error, setError] = useState<unknown>(undefined);
  const latest = useRef<File | null>(null);
  const read = async (file: File) => {
    latest.current = file;
    setError(undefined);
    const pixels = await readPicture(file, shape).catch((fault: unknown) => {
      if (latest.current === file) setError(fault);
      return null;
    });
    if (pixels && latest.current === file) onPick({ pixels, label: null });
  };
  return (
    <Panel
      title="Open a picture of yours"
      note={`PNG or JPEG. This browser scales it to ${shapeText(shape)}, and sends it nowhere.`}
    >
      <div className="stack">
        <input
          type="file"
          className="input picture-file"
          aria-label="Picture"
          accept="image/png,image/jpeg"
          // Without this, the browser does not tell when the same file is chosen again.
          onClick={(event) => {
            event.currentTarget.value = '';
          }}
          onChange={({ target: { files } }) => {
            if (files?.[0]) void read(files[0]);
          }}
        />
        <ErrorNotice error={error} />
      </div>
    </Panel>
  );
};

export const ChooseImage = ({ trial, onPick }: Choose) => (
  <div className="stack">
    {isDrawn(trial.dataset) ? (
      <Panel
        title="Draw"
        note="Draw at any size. The drawing is centred and scaled like the digits of MNIST."
      >
        <DrawPad onDraw={(pixels) => onPick(pixels && { pixels, label: null })} />
      </Panel>
    ) : null}
    <TestImages trial={trial} onPick={onPick} />
    {takesPictures(trial.data.shape) ? <OwnPicture trial={trial} onPick={onPick} /> : null}
  </div>
);
