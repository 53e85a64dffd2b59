import { datasets, type TrialDetail } from '@funnel/contracts';
import { Panel } from '../../components/panel.tsx';
import { PixelImage } from '../../components/pixel-image.tsx';
import { Skeleton } from '../../components/states.tsx';
import { decodePixels } from '../../data/pixels.ts';
import { imagesQuery } from '../../data/queries.ts';
import { useQuery } from '../../data/use-query.ts';

/** Images of the test set, from the gallery of the trial's first evaluation. */
export const Samples = ({
  trial,
  onPick,
}: {
  readonly trial: TrialDetail;
  readonly onPick: (pixels: Float32Array) => void;
}) => {
  const stage = trial.evaluations[0]?.stage;
  const { data } = useQuery(stage === undefined ? null : imagesQuery(trial.id, stage));
  if (stage === undefined) return null;
  const { classes, title } = datasets[trial.dataset];
  return (
    <Panel title={`Or take one from ${title}`}>
      {data === undefined ? (
        <Skeleton height={52} />
      ) : (
        <div className="samples">
          {data.gallery.original.slice(0, 12).map((base64, at) => {
            const pixels = decodePixels(base64);
            const index = data.gallery.index[at]!;
            const label = classes[data.label[data.index.indexOf(index)]!];
            return (
              <button
                key={index}
                type="button"
                onClick={() => onPick(pixels)}
                title={`Test image ${index}: ${label}`}
              >
                <PixelImage
                  pixels={pixels}
                  shape={data.gallery.shape}
                  size={44}
                  label={`Test image ${index}: ${label}`}
                />
              </button>
            );
          })}
        </div>
      )}
    </Panel>
  );
};
