/**
 * Runs `work`, then ends in reverse order what it handed to `closing`: also when it fails, and on Ctrl-C or SIGTERM, which leave nothing
 * running.
 */
export const untilInterrupted = async <T>(
  work: (closing: (end: () => Promise<void>) => void) => Promise<T>,
): Promise<T> => {
  const ends: (() => Promise<void>)[] = [];
  const endEach = async (): Promise<void> => {
    for (let end = ends.pop(); end; end = ends.pop()) await end();
  };
  let ending: Promise<void> | undefined;
  const endAll = (): Promise<void> => (ending ??= endEach());
  const interrupt = (): void => void endAll().finally(() => process.exit(130));
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  try {
    return await work((end) => ends.push(end));
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
    await endAll();
  }
};
