/** A disk that really becomes full: a file system of its own, small, with a file on it that takes the rest. */
import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export type SmallDisk = {
  readonly folder: string;
  /** Takes all room that is left now. */
  fill(): void;
  /** Gives it back. */
  free(): void;
  unmount(): void;
};

/** Null where none can be mounted, which is said; where FUNNEL_REQUIRE_ALL is set, it throws. */
export const mountSmallDisk = (megabytes: number): SmallDisk | null => {
  const folder = mkdtempSync(path.join(tmpdir(), 'funnel-disk-'));
  const options = `size=${megabytes}m,mode=755`;
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'funnel-test', folder]);
  if (status !== 0) {
    rmSync(folder, { recursive: true });
    const how = 'no file system can be mounted here (it takes root): a full disk is not tested for real';
    if (process.env.FUNNEL_REQUIRE_ALL) throw new Error(how);
    console.warn(how);
    return null;
  }
  const ballast = path.join(folder, 'ballast');
  return {
    folder,
    fill: () => {
      const descriptor = openSync(ballast, 'a');
      const page = Buffer.alloc(4096);
      try {
        for (;;) writeSync(descriptor, page);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      } finally {
        closeSync(descriptor);
      }
    },
    free: () => rmSync(ballast),
    unmount: () => {
      execFileSync('umount', ['--lazy', folder]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
};
