/** Every search strategy, by its name in the sweep file. */
import { cmaEs } from './cma-es.ts';
import { gp } from './gp.ts';
import { nsga2 } from './nsga2.ts';
import { random } from './random.ts';
import { sobol } from './sobol.ts';
import type { Strategy } from './strategy.ts';
import { tpe } from './tpe.ts';

export const strategies = { random, sobol, tpe, gp, nsga2, 'cma-es': cmaEs } satisfies Readonly<
  Record<string, Strategy>
>;
export type StrategyName = keyof typeof strategies;
export const strategyNames = Object.keys(strategies) as StrategyName[];
