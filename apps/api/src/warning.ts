import { createRepeatedFaults } from '@funnel/contracts';
import type { FastifyBaseLogger } from 'fastify';

/**
 * Logs a fault of a connection as a warning: once, and while it comes again, once a minute with its count. The first line has the whole error.
 */
export const createWarning = (
  log: Pick<FastifyBaseLogger, 'warn'>,
  message: string,
): ((error: unknown) => void) => {
  const report = createRepeatedFaults();
  return (error) => {
    const text = error instanceof Error ? error.message : String(error);
    const words = report(text, Date.now());
    if (words !== null) log.warn(words === text ? { err: error } : { error: words }, message);
  };
};
