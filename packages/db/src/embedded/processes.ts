/** Names of processes that stay true after their end. A system gives the id of a dead process to another one; in a container that happens soon. */
import { readFileSync } from 'node:fs';

type Found = { readonly state: string; readonly startedAt: string };

/** Linux: the state of a process, and when it started, in ticks since the system did. Null elsewhere, and where that is not shown. */
const find = (pid: number): Found | null => {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' '); // after the program's name, which may hold any character
    return { state: fields[0] ?? '', startedAt: fields[19] ?? '' };
  } catch {
    return null;
  }
};

/** False also for a process that has ended but whose parent has not asked for its exit status. */
export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false; // EPERM: alive, and of another user
  }
  return find(pid)?.state !== 'Z';
};

/** `4711-98765`: the id and the start of this process; the id alone where the start is not known. */
export const ownName: string = [process.pid, find(process.pid)?.startedAt ?? []].flat().join('-');

/** Whether the process of this name lives. Funnel before 0.2 wrote the id alone. */
export const isRunning = (name: string): boolean => {
  const [pid, startedAt] = name.split('-');
  if (!/^[1-9]\d*$/.test(pid!) || !isAlive(Number(pid))) return false;
  const found = find(Number(pid));
  return found === null || startedAt === undefined || found.startedAt === startedAt;
};
