/** Milliseconds between two reports of a fault that comes again and again. After as long a silence, the same fault is a new one. */
const reportMs = 60_000;

/** The largest number of different faults that are remembered. A message with a changing part would otherwise fill the memory. */
const maxFaults = 50;

type Fault = { readonly since: number; reportedAt: number; lastAt: number; times: number };

/**
 * Says a fault of a connection once, and then counts it. The returned function takes the fault's message and the time (`Date.now()`), and
 * returns the sentence to report: at once for a new fault, then once a minute with the number of its repetitions. Null: report nothing.
 */
export const createRepeatedFaults = (): ((message: string, now: number) => string | null) => {
  const known = new Map<string, Fault>();
  const isOver = ({ lastAt }: Fault, now: number): boolean => Math.abs(now - lastAt) > reportMs; // the clock may jump
  return (message, now) => {
    const fault = known.get(message);
    if (!fault || isOver(fault, now)) {
      known.delete(message);
      known.set(message, { since: now, reportedAt: now, lastAt: now, times: 1 });
      for (const oldest of known.keys()) if (known.size > maxFaults) known.delete(oldest);
      return message;
    }
    fault.times++;
    fault.lastAt = now;
    if (now - fault.reportedAt < reportMs) return null;
    fault.reportedAt = now;
    return `${message} (${fault.times} times since ${new Date(fault.since).toISOString()})`;
  };
};
