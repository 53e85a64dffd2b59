import { setImmediate } from 'node:timers/promises';

/** Lets the event loop hear an abort, a message or a timer between two pieces of work. */
export const yieldToEventLoop = (): Promise<void> => setImmediate();
