import { useEffect, useState } from 'react';
import type { BrowserModel } from '../../model/load-model.ts';
import type { ModelPlace } from '../../model/networks.ts';

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
      const { loadModel } = await import('../../model/load-model.ts');
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
