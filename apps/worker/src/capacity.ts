import os from 'node:os';

/** What one trainer of the default sizes may take, node and data set included, in bytes. */
export const trainerBytes = 1.5 * 2 ** 30;
const maxSlots = 8;

/** Memory that this process may use: a container's limit where there is one. */
const availableBytes = (): number => {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, os.totalmem()) : os.totalmem();
};

/** One trainer per core, as many as memory holds, and 8 at most: more are asked for by number. */
export const defaultSlots = (
  cores: number = os.availableParallelism(),
  bytes: number = availableBytes(),
): number => Math.max(1, Math.min(cores, Math.floor(bytes / trainerBytes), maxSlots));
