/** A process that takes the lock of a folder and keeps it: `node --import tsx lock-process.ts DIR`. */
import { withFolderLock } from '../../src/embedded/folder-lock.ts';

const [dir] = process.argv.slice(2);
await withFolderLock(dir!, async () => {
  process.send!('taken');
  await new Promise((resolve) => process.once('disconnect', resolve));
});
