import { useEffect, useState } from 'react';
import type { BrowserModel } from '../../model/load-model.ts';

/** The networks of a checkpoint, loaded when asked for and freed when no longer shown. */
export const useModel = (
  checkpoint: string | null,
): { readonly model: BrowserModel | null; readonly error: unknown } => {
  const [model, setModel] = useState<BrowserModel | null>(null);
  const [error, setError] = useState<unknown>(undefined);
  useEffect(() => {
    if (checkpoint === null) return;
    let current = true;
    let loaded: BrowserModel | null = null;
    const load = async () => {
      const { loadModel } = await import('../../model/load-model.ts');
      loaded = await loadModel(checkpoint);
      if (current) setModel(loaded);
      else loaded.dispose();
    };
    load().catch((fault: unknown) => current && setError(fault));
    return () => {
      current = false;
      setModel(null);
      loaded?.dispose();
    };
  }, [checkpoint]);
  return { model, error };
};
