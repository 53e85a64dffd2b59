/** Every route, declared once: the server registers them, OpenAPI and the typed client derive from them, and so does the access check. */
import { resultRoutes } from './routes/result-routes.ts';
import type { Route } from './routes/route.ts';
import { serviceRoutes } from './routes/service-routes.ts';
import { sweepRoutes } from './routes/sweep-routes.ts';

export { HyperparameterFilter, type LeaderboardQuery } from './routes/result-routes.ts';
export { type Role, type Route, roles } from './routes/route.ts';

export const routes = {
  ...sweepRoutes,
  ...resultRoutes,
  ...serviceRoutes,
} as const satisfies Record<string, Route>;

export type RouteName = keyof typeof routes;
