import { resolve } from 'node:path';
import type { Env } from './env.ts';

/** Where data sets lie: what FUNNEL_DATA names, and `data` in Funnel's own folder. */
export const placesOf = ({ FUNNEL_DATA, FUNNEL_HOME }: Env) => ({
  dir: FUNNEL_DATA ?? null,
  home: resolve(FUNNEL_HOME),
});
