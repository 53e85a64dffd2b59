/** All routes, each declared once. The server registers them; OpenAPI, the typed client and the access check derive from them. */
import { datasetRoutes } from './routes/dataset-routes.ts';
import { resultRoutes } from './routes/result-routes.ts';
import type { Route } from './routes/route.ts';
import { serviceRoutes } from './routes/service-routes.ts';
import { sweepRoutes } from './routes/sweep-routes.ts';

export {
  comparedTrials,
  HyperparameterFilter,
  type LeaderboardPage,
  type LeaderboardQuery,
} from './routes/result-routes.ts';
export { type Role, type Route, roles } from './routes/route.ts';

export const routes = {
  ...sweepRoutes,
  ...resultRoutes,
  ...datasetRoutes,
  ...serviceRoutes,
} as const satisfies Record<string, Route>;

export type RouteName = keyof typeof routes;
