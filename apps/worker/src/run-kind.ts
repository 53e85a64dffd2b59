import type { createDatasetCache } from './dataset-cache.ts';
import type { StageEnd, StageTask } from './messages.ts';
import type { StageHooks } from './stage-runner.ts';

type LoadDataset = ReturnType<typeof createDatasetCache>;

/** The trainer's work on one kind of stage. */
export type RunKind = (task: StageTask, hooks: StageHooks, load: LoadDataset) => Promise<StageEnd>;
