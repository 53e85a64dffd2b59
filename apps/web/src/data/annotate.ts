import type { AnnotateSweep } from '@funnel/contracts';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { call } from './api.ts';
import { sweepQuery } from './queries.ts';

/** Stores notes and tags of a sweep, and shows them at once. */
export const useAnnotate = (id: string) => {
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(undefined);
  /** Resolves to whether the server has stored the change. If not, `error` has the reason. */
  const annotate = async (change: AnnotateSweep): Promise<boolean> => {
    setBusy(true);
    setError(undefined);
    try {
      const sweep = await call('annotateSweep', { params: { id }, body: change });
      const { queryKey } = sweepQuery(id);
      // A fetch that began before the change would replace the new answer by an old one.
      await client.cancelQueries({ queryKey, exact: true });
      client.setQueryData(queryKey, sweep);
      return true;
    } catch (fault) {
      setError(fault);
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { annotate, busy, error, clearError: () => setError(undefined) };
};
