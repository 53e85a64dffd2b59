/**
 * The parent of a process of a benchmark. The parent decides when the process ends: it closes the channel between them. A parent that was
 * killed has closed it too, perhaps while this process still started.
 */
import type { Serializable } from 'node:child_process';

/** Sends a message, if the parent still listens. */
export const tellParent = (message: Serializable): void => {
  // An error says that the parent has gone: then `disconnect` follows.
  if (process.connected) process.send!(message, () => {});
};

/** Sends `ready` to the parent. When the parent has gone, calls `close` and ends the process. */
export const serveParent = (ready: Serializable, close: () => Promise<unknown>): void => {
  const leave = (): void => void close().finally(() => process.exit(0));
  process.on('SIGINT', () => {}); // Ctrl-C reaches every process of a terminal
  if (process.connected) process.once('disconnect', leave);
  else leave();
  tellParent(ready);
};
