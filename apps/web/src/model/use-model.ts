import { type RefObject, useEffect, useMemo, useRef, useState } from 'react';
import type { BrowserModel } from './load-model.ts';
import type { ModelCheckpoints } from './networks.ts';

/** Loads the networks of a trial when a component mounts and frees them when it unmounts. */
export const useModel = (
  checkpoints: ModelCheckpoints | null,
): { readonly model: BrowserModel | null; readonly error: unknown } => {
  const [model, setModel] = useState<BrowserModel | null>(null);
  const [error, setError] = useState<unknown>(undefined);
  useEffect(() => {
    if (checkpoints === null) return;
    let current = true;
    let loaded: BrowserModel | null = null;
    const load = async () => {
      const { loadModel } = await import('./load-model.ts');
      loaded = await loadModel(checkpoints);
      if (current) setModel(loaded);
      else loaded.dispose();
    };
    load().catch((fault: unknown) => current && setError(fault));
    return () => {
      current = false;
      setModel(null);
      loaded?.dispose();
    };
    // The two hashes identify the networks.
  }, [checkpoints?.classifier, checkpoints?.autoEncoder]);
  return { model, error };
};

export type Reconstruct = {
  /** The defender's reconstruction of an image; null until the networks are loaded. */
  readonly run: ((pixels: Float32Array, shape: readonly number[]) => Float32Array) | null;
  /** Why no reconstruction can be shown; null without a fault. */
  readonly fault: string | null;
};

type Loaded = { readonly model: BrowserModel; readonly run: NonNullable<Reconstruct['run']> };

const open = async (checkpoints: ModelCheckpoints): Promise<Loaded> => {
  const [tf, { loadModel }] = await Promise.all([import('@tensorflow/tfjs'), import('./load-model.ts')]);
  const model = await loadModel(checkpoints);
  const { reconstruct } = model;
  if (reconstruct === null) throw new Error('the generator is no longer stored.');
  const run: Loaded['run'] = (pixels, shape) =>
    tf.tidy(() => {
      const [height = 28, width = 28, channels = 1] = shape;
      const image = tf.tensor4d(pixels, [1, height, width, channels]);
      return Float32Array.from(reconstruct(image).dataSync());
    });
  return { model, run };
};

/** Loads the networks once `anchor` is visible: TF.js is large, and many readers of a trial never scroll to its images. */
export const useReconstruct = (
  checkpoints: ModelCheckpoints | null,
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
    if (!seen || checkpoints === null) return;
    let loaded: Loaded | null = null;
    let current = true;
    open(checkpoints).then(
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
    // The two hashes identify the networks.
  }, [seen, checkpoints?.classifier, checkpoints?.autoEncoder]);

  const reconstruct = useMemo(() => ({ run: run.of, fault }), [run, fault]);
  return { anchor, reconstruct };
};
