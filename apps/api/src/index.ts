export { buildApp } from './app.ts';
export { readEnv } from './env.ts';
export type { ApiOptions } from './options.ts';
export { type StartedApi, startApi } from './start-api.ts';
export { startOptions } from './start-options.ts';
