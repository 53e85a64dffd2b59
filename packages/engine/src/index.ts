/** The public interface of the engine. README.md lists the files in reading order. */
export { formatProfile, type KernelProfile, startProfile } from '@funnel/kernels';
export {
  type Backend,
  type BackendName,
  BackendUnavailable,
  BackendWrong,
  backendNames,
} from './backends/backend.ts';
export { type BackendReport, describeBackends, openBackend } from './backends/open-backend.ts';
export { type Blobs, type Checkpoint, hashManifest, type Stored } from './checkpoint.ts';
export { type Classifier, loadClassifier } from './classifier.ts';
export { availableDatasets } from './datasets/available.ts';
export { canonicalPieces } from './datasets/canonical-file.ts';
export { cacheFolder, type FetchOptions, fetchDataset } from './datasets/dataset-cache.ts';
export { type DownloadProgress, type GetOptions, getDataset } from './datasets/get-dataset.ts';
export {
  canonicalDigest,
  type DataFolders,
  findDataset,
  hasOwnImages,
  loadDataset,
  verifyDataset,
} from './datasets/load-dataset.ts';
export {
  gatherImages,
  heldBytes,
  imageBytes,
  type LoadedDataset,
  maxMemoryBytes,
  memorySplit,
  type Split,
} from './datasets/split.ts';
export { freeingTensors } from './freeing-tensors.ts';
export type { StageHooks, StageOutcome, StageStart, StageTask } from './training/stage.ts';
export { runStage, type StageOptions } from './training/train.ts';
