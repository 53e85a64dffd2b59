export { buildApp } from './app.ts';
export type { ApiOptions } from './options.ts';
export { type StartedApi, startApi } from './start-api.ts';
