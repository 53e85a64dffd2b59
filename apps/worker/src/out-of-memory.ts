/** Recognises that memory ran out, and says what to do about it. */
import { readFileSync } from 'node:fs';
import path from 'node:path';

/**
 * The messages of V8, WebAssembly, C++ and TensorFlow. TensorFlow.js on WebAssembly does not check whether an allocation succeeded. After a
 * failed one, it accesses memory out of bounds.
 */
const messages =
  /out of memory|memory access out of bounds|Cannot enlarge memory|\bOOM\b|WebAssembly\.Memory|Array buffer allocation failed|bad_alloc|Cannot allocate memory/i;

export const isOutOfMemory = (text: string): boolean => messages.test(text);

export const memoryAdvice =
  'Give this worker more memory or fewer trainers (FUNNEL_SLOTS), or the sweep a smaller batchSize or filters';

const readCount = (file: string): number | null => {
  try {
    const found = /^oom_kill (\d+)$/m.exec(readFileSync(file, 'utf8'));
    return found ? Number(found[1]) : null;
  } catch {
    return null; // another system, or another kind of control group
  }
};

/** `/proc/self/cgroup` has `0::<path>` for version 2 and `<n>:memory:<path>` for version 1. */
const ownGroup = (pattern: RegExp): string | null => {
  try {
    return pattern.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1] ?? null;
  } catch {
    return null;
  }
};

/**
 * How many processes the kernel has killed because memory ran out: in this process's control group and the groups below it, or, without
 * control groups, on the whole machine. Null where the kernel does not count. When the number grows while a trainer is killed, memory is
 * the reason.
 */
export const countMemoryKills = (): number | null => {
  const [second, first] = [ownGroup(/^0::(.+)$/m), ownGroup(/^\d+:memory:(.+)$/m)];
  return (
    (second === null ? null : readCount(path.join('/sys/fs/cgroup', second, 'memory.events'))) ??
    (first === null ? null : readCount(path.join('/sys/fs/cgroup/memory', first, 'memory.oom_control'))) ??
    readCount('/proc/vmstat')
  );
};
