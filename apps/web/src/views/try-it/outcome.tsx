import { useEffect, useMemo, useRef, useState } from 'react';
import { difference, normsOf, PixelImage } from '../../components/pixels.tsx';
import { formatNumber, formatPercent } from '../../format.ts';
import type { Answer, AttackChoice, Tried } from '../../model/attack-image.ts';
import type { BrowserModel } from '../../model/load-model.ts';
import type { ChosenImage } from './choose-image.tsx';
import { Decision } from './decision.tsx';

/** A request to run the attack. Requests are compared by identity. */
type AttackRequest = { readonly run: () => Promise<TriedImage> };
type TriedImage = Tried & { readonly truth: ChosenImage['label'] };
type Finished = {
  readonly request: AttackRequest;
  readonly tried: TriedImage | null;
  readonly fault: unknown;
};

/** Runs the attack when the image or the choice changes. Of the requests that arrive during a run, only the last is run. */
export const useTried = (
  model: BrowserModel | null,
  image: ChosenImage | null,
  shape: readonly [number, number, number],
  choice: AttackChoice,
): { readonly tried: TriedImage | null; readonly busy: boolean; readonly fault: unknown } => {
  const request = useMemo<AttackRequest | null>(
    () =>
      model === null || image === null
        ? null
        : {
            run: async () => {
              const { tryAttack } = await import('../../model/attack-image.ts');
              return { ...(await tryAttack(model, image.pixels, shape, choice)), truth: image.label };
            },
          },
    [model, image, shape, choice],
  );
  const [finished, setFinished] = useState<Finished | null>(null);
  const last = useRef<AttackRequest | null>(null);
  const running = useRef(false);

  useEffect(() => {
    last.current = request;
    const runLatest = async () => {
      running.current = true;
      for (let next = last.current; next !== null; next = last.current === next ? null : last.current) {
        const current = next;
        const [tried, fault] = await current.run().then(
          (result) => [result, undefined] as const,
          (error: unknown) => [null, error] as const,
        );
        setFinished((before) => ({ request: current, tried: tried ?? before?.tried ?? null, fault }));
      }
      running.current = false;
    };
    if (!running.current) void runLatest();
  }, [request]);
  // Until the newest request has finished, the page shows the result of the one before.
  return {
    tried: request === null ? null : (finished?.tried ?? null),
    busy: request !== null && finished?.request !== request,
    fault: request === null ? undefined : finished?.fault,
  };
};

const size = 132;

/** As many classes fit on the page in the order of the data set. */
const maxClasses = 20;
/** Of more classes, as many are shown: the most likely ones. */
const shownOfMany = 10;

/** The labels of the classes to show, in this order. */
const labelsToShow = ({ probabilities }: Answer): readonly number[] => {
  const labels = [...probabilities.keys()];
  if (labels.length <= maxClasses) return labels;
  return labels.sort((a, b) => probabilities[b]! - probabilities[a]!).slice(0, shownOfMany);
};

const Probabilities = ({
  answer,
  classes,
}: {
  readonly answer: Answer;
  readonly classes: readonly string[];
}) => (
  <ol className="probabilities">
    {labelsToShow(answer).map((label) => {
      const share = answer.probabilities[label]!;
      return (
        <li key={label} data-chosen={label === answer.label ? '' : undefined}>
          <span title={classes[label]}>{classes[label]}</span>
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
  readonly answer: Answer;
  readonly shape: readonly number[];
  readonly classes: readonly string[];
}) => {
  const { title, answer, shape, classes } = props;
  return (
    <section className="seen">
      <h3>{title}</h3>
      <div className="seen-images">
        <figure>
          <PixelImage pixels={answer.pixels} shape={shape} size={size} label={title} />
          <figcaption>input</figcaption>
        </figure>
        {answer.reconstruction ? (
          <figure>
            <PixelImage
              pixels={answer.reconstruction}
              shape={shape}
              size={size}
              label={`${title}, reconstructed`}
            />
            <figcaption>reconstruction</figcaption>
          </figure>
        ) : null}
      </div>
      <Probabilities answer={answer} classes={classes} />
    </section>
  );
};

export const Outcome = (props: {
  readonly tried: TriedImage | null;
  readonly shape: readonly number[];
  readonly classes: readonly string[];
}) => {
  const { tried, shape, classes } = props;
  if (tried === null)
    return (
      <p className="muted" style={{ minHeight: 420, display: 'grid', placeItems: 'center' }}>
        Choose an image to see what the model makes of it.
      </p>
    );
  const { clean, attacked } = tried;
  const change = difference(attacked.pixels, clean.pixels);
  const { l2, linf } = normsOf(change);
  return (
    <div className="stack">
      <Decision clean={clean.label} attacked={attacked.label} truth={tried.truth} classes={classes} />
      <div className="outcome">
        <Column title="Original" answer={clean} shape={shape} classes={classes} />
        <Column title="Attacked" answer={attacked} shape={shape} classes={classes} />
        <section className="seen">
          <h3>Change</h3>
          <figure>
            <PixelImage pixels={change} shape={shape} size={size} mode="difference" label="Difference" />
            <figcaption>
              L∞ {formatNumber(linf)}, L2 {formatNumber(l2)}
            </figcaption>
          </figure>
          <p className="muted small">
            Blue: darker. Orange: brighter. The largest change has the strongest colour.
          </p>
        </section>
      </div>
    </div>
  );
};
