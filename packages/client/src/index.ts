export { type ClientOptions, createClient } from './create-client.ts';
export { FunnelError } from './funnel-error.ts';
export type { CallOptions, Client, EventsOptions, Input, Output } from './types.ts';
