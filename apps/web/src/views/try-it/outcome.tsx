import { isMistake, noClass } from '@funnel/contracts';
import { useEffect, useMemo, useRef, useState } from 'react';
import { difference, PixelImage, sizeOf } from '../../components/pixels.tsx';
import { formatNumber, formatPercent } from '../../format.ts';
import type { AttackChoice, Seen, Tried } from '../../model/attack-image.ts';
import type { BrowserModel } from '../../model/load-model.ts';

/** One question, told from others by what it is and not by what it says. */
type Wish = { readonly run: () => Promise<Tried> };
type Done = { readonly wish: Wish; readonly tried: Tried | null; readonly fault: unknown };

/** Runs the attack whenever image or choice change; of the wishes that came while one ran, only the last is done. */
export const useTried = (
  model: BrowserModel | null,
  pixels: Float32Array | null,
  shape: readonly [number, number, number],
  choice: AttackChoice,
): { readonly tried: Tried | null; readonly busy: boolean; readonly fault: unknown } => {
  const wish = useMemo<Wish | null>(
    () =>
      model === null || pixels === null
        ? null
        : {
            run: async () =>
              (await import('../../model/attack-image.ts')).tryAttack(model, pixels, shape, choice),
          },
    [model, pixels, shape, choice],
  );
  const [done, setDone] = useState<Done | null>(null);
  const last = useRef<Wish | null>(null);
  const running = useRef(false);

  useEffect(() => {
    last.current = wish;
    const work = async () => {
      running.current = true;
      for (let next = last.current; next !== null; next = last.current === next ? null : last.current) {
        const current = next;
        const [tried, fault] = await current.run().then(
          (result) => [result, undefined] as const,
          (error: unknown) => [null, error] as const,
        );
        setDone((before) => ({ wish: current, tried: tried ?? before?.tried ?? null, fault }));
      }
      running.current = false;
    };
    if (!running.current) void work();
  }, [wish]);
  // Until the answer to the newest question is there, what is on show is the answer to another one. Nothing asked, nothing answered.
  return {
    tried: wish === null ? null : (done?.tried ?? null),
    busy: wish !== null && done?.wish !== wish,
    fault: wish === null ? undefined : done?.fault,
  };
};

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
