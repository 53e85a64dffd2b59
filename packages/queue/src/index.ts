export { createStageQueue } from './create-stage-queue.ts';
export type { Listener, StageQueue, StageQueueOptions } from './stage-queue.ts';
