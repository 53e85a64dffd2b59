import type { Collection, RetentionPolicy } from '@funnel/contracts';
import type { HttpClient } from './http.ts';

export type PlannedCollections = {
  /** Checkpoints that would go, and how long it took to say so. */
  readonly most: { readonly checkpoints: number; readonly seconds: number };
  readonly nothing: { readonly checkpoints: number; readonly seconds: number };
};

/** What `funnel gc --dry-run` asks: of a service that keeps ten trials of every sweep, and of one that keeps all. */
export const timeCollections = async (http: HttpClient): Promise<PlannedCollections> => {
  const plan = async (policy: Partial<RetentionPolicy>) => {
    const begun = performance.now();
    const text = await http.call('POST', '/v1/garbage/plan', { body: policy });
    const { checkpoints } = JSON.parse(text) as Collection; // what the route declares
    return { checkpoints, seconds: Math.round(performance.now() - begun) / 1000 };
  };
  return { most: await plan({ keepDays: 0, keepBest: 10 }), nothing: await plan({}) };
};
