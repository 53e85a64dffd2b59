import { isMistake, noClass } from '@funnel/contracts';
import { PixelImage } from '../../components/pixel-image.tsx';
import { difference, sizeOf } from '../../data/pixels.ts';
import { formatNumber, formatPercent } from '../../format.ts';
import type { Seen, Tried } from '../../model/try-attack.ts';

const size = 132;

const Probabilities = ({ seen, classes }: { readonly seen: Seen; readonly classes: readonly string[] }) => (
  <ol className="probabilities">
    {classes.map((name, label) => {
      const share = seen.probabilities[label] ?? 0;
      return (
        <li key={name} data-chosen={label === seen.label ? '' : undefined}>
          <span>{name}</span>
          <span className="probability">
            <span style={{ width: `${100 * share}%` }} />
          </span>
          <span className="number small">{formatPercent(share, share < 0.995 ? 1 : 0)}</span>
        </li>
      );
    })}
  </ol>
);

const Column = (props: {
  readonly title: string;
  readonly seen: Seen;
  readonly shape: readonly number[];
  readonly classes: readonly string[];
}) => {
  const { title, seen, shape, classes } = props;
  return (
    <section className="seen">
      <h3>{title}</h3>
      <div className="seen-images">
        <figure>
          <PixelImage pixels={seen.pixels} shape={shape} size={size} label={title} />
          <figcaption>input</figcaption>
        </figure>
        {seen.reconstruction ? (
          <figure>
            <PixelImage
              pixels={seen.reconstruction}
              shape={shape}
              size={size}
              label={`${title}, reconstructed`}
            />
            <figcaption>reconstruction</figcaption>
          </figure>
        ) : null}
      </div>
      <Probabilities seen={seen} classes={classes} />
    </section>
  );
};

export const Outcome = (props: {
  readonly tried: Tried | null;
  readonly shape: readonly number[];
  readonly classes: readonly string[];
  readonly epsilon: number;
}) => {
  const { tried, shape, classes } = props;
  if (tried === null)
    return (
      <p className="muted" style={{ minHeight: 420, display: 'grid', placeItems: 'center' }}>
        Draw something, or take a test image.
      </p>
    );
  const { clean, attacked } = tried;
  const change = difference(attacked.pixels, clean.pixels);
  const { l2, linf } = sizeOf(change);
  const fooled = isMistake(attacked.label, clean.label);
  return (
    <div className="stack">
      <p className="verdict-line" data-fooled={fooled ? '' : undefined}>
        {clean.label === noClass || attacked.label === noClass ? (
          'No decision: the model does not answer with numbers here.'
        ) : fooled ? (
          <>
            The decision changes: <strong>{classes[clean.label]}</strong> becomes{' '}
            <strong>{classes[attacked.label]}</strong>.
          </>
        ) : (
          <>
            The decision holds: <strong>{classes[clean.label]}</strong>.
          </>
        )}
      </p>
      <div className="outcome">
        <Column title="As drawn" seen={clean} shape={shape} classes={classes} />
        <Column title="Attacked" seen={attacked} shape={shape} classes={classes} />
        <section className="seen">
          <h3>Change</h3>
          <figure>
            <PixelImage pixels={change} shape={shape} size={size} mode="difference" label="Difference" />
            <figcaption>
              L∞ {formatNumber(linf)}, L2 {formatNumber(l2)}
            </figcaption>
          </figure>
          <p className="muted small">
            Blue: darker. Orange: brighter. The largest change is drawn at full strength.
          </p>
        </section>
      </div>
    </div>
  );
};
