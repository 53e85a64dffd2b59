import { type RefObject, useEffect, useMemo, useRef, useState } from 'react';
import type { BrowserModel } from './load-model.ts';
import type { ModelPlace } from './networks.ts';

/** The networks of a trial, loaded when asked for and freed when no longer shown. */
export const useModel = (
  place: ModelPlace | null,
): { readonly model: BrowserModel | null; readonly error: unknown } => {
  const [model, setModel] = useState<BrowserModel | null>(null);
  const [error, setError] = useState<unknown>(undefined);
  useEffect(() => {
    if (place === null) return;
    let current = true;
    let loaded: BrowserModel | null = null;
    const load = async () => {
      const { loadModel } = await import('./load-model.ts');
      loaded = await loadModel(place);
      if (current) setModel(loaded);
      else loaded.dispose();
    };
    load().catch((fault: unknown) => current && setError(fault));
    return () => {
      current = false;
      setModel(null);
      loaded?.dispose();
    };
    // The two hashes are the place.
  }, [place?.classifier, place?.autoEncoder]);
  return { model, error };
};

export type Reconstruct = {
  /** What the defender's auto-encoder makes of an image; null until its networks are here. */
  readonly run: ((pixels: Float32Array, shape: readonly number[]) => Float32Array) | null;
  /** Why there is none, in words. */
  readonly fault: string | null;
};

type Loaded = { readonly model: BrowserModel; readonly run: NonNullable<Reconstruct['run']> };

const open = async (place: ModelPlace): Promise<Loaded> => {
  const [tf, { loadModel }] = await Promise.all([import('@tensorflow/tfjs'), import('./load-model.ts')]);
  const model = await loadModel(place);
  const { reconstruct } = model;
  if (reconstruct === null) throw new Error('the generator is not stored any more.');
  const run: Loaded['run'] = (pixels, shape) =>
    tf.tidy(() => {
      const [height = 28, width = 28, channels = 1] = shape;
      const image = tf.tensor4d(pixels, [1, height, width, channels]);
      return Float32Array.from(reconstruct(image).dataSync());
    });
  return { model, run };
};

/** Fetches the networks once `anchor` comes into sight: TF.js is large, and many who read a trial never scroll to its pictures. */
export const useReconstruct = (
  place: ModelPlace | null,
): { readonly anchor: RefObject<HTMLDivElement | null>; readonly reconstruct: Reconstruct } => {
  const anchor = useRef<HTMLDivElement>(null);
  const [seen, setSeen] = useState(false);
  const [run, setRun] = useState<{ readonly of: Reconstruct['run'] }>({ of: null });
  const [fault, setFault] = useState<string | null>(null);

  useEffect(() => {
    if (!anchor.current) return;
    const observer = new IntersectionObserver(([entry]) => entry?.isIntersecting && setSeen(true));
    observer.observe(anchor.current);
    return () => observer.disconnect();
  }, []);

  useEffect(() => {
    if (!seen || place === null) return;
    let loaded: Loaded | null = null;
    let current = true;
    open(place).then(
      (opened) => {
        loaded = opened;
        if (current) setRun({ of: opened.run });
        else opened.model.dispose();
      },
      (error: unknown) => {
        if (current)
          setFault(
            `Reconstructions cannot be shown: ${error instanceof Error ? error.message : String(error)}`,
          );
      },
    );
    return () => {
      current = false;
      setRun({ of: null });
      loaded?.model.dispose();
    };
    // The two hashes are the place.
  }, [seen, place?.classifier, place?.autoEncoder]);

  const reconstruct = useMemo(() => ({ run: run.of, fault }), [run, fault]);
  return { anchor, reconstruct };
};
