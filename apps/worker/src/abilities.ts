/** What this worker has, and what an error of a stage says that it lacks. */
import os from 'node:os';
import type { Lack } from '@funnel/contracts';
import type { Abilities } from '@funnel/db';
import { availableDatasets, type DataFolders } from '@funnel/engine';
import type { TrainerIdentity } from './messages.ts';

/** Bytes that this process and its trainers may use: the limit of its container, else all memory. */
export const availableBytes = (): number => {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, os.totalmem()) : os.totalmem();
};

/** A WebAssembly memory has at most 4 GiB. */
const maxWasmBytes = 2 ** 32;

export const trainerBytesOf = (backend: string, slots: number, bytes: number = availableBytes()): number => {
  const share = bytes / slots;
  return Math.floor(backend === 'wasm' ? Math.min(share, maxWasmBytes) : share);
};

export type AbilitySource = {
  readonly folders: DataFolders;
  readonly identity: TrainerIdentity;
  readonly slots: number;
  readonly isSimulated: boolean;
  /** Abilities that the worker says instead of those that it finds. */
  readonly override?: Partial<Abilities> | undefined;
};

/** A simulated trainer needs neither data nor memory, and simulates every engine. */
const simulated: Abilities = { engineVersion: null, trainerBytes: null, datasets: null };

export const readAbilities = async ({
  folders,
  identity,
  slots,
  isSimulated,
  override,
}: AbilitySource): Promise<Abilities> => {
  if (isSimulated) return { ...simulated, ...override };
  return {
    engineVersion: identity.engineVersion,
    trainerBytes: trainerBytesOf(identity.backend, slots),
    datasets: await availableDatasets(folders),
    ...override,
  };
};

const lacks: Readonly<Record<string, Lack>> = {
  DATASET_MISSING: 'data',
  DATASET_CORRUPT: 'data',
  BACKEND_UNUSABLE: 'backend',
  ENOSPC: 'disk',
  TRAINER_OUT_OF_MEMORY: 'memory',
};

/** TensorFlow.js says this when a backend has no such operation. */
const missingKernel = /Kernel '.+' not registered for backend/;

/**
 * What the worker lacks for a stage that ended with this error; null if the error is no such lack. A stage that needs little memory did not
 * run out of it by itself: perhaps another program took the memory, so the stage is tried again here, like after any failure.
 */
export const lackOf = (
  { code, message }: { readonly code: string; readonly message: string },
  memoryBytes: number,
): Lack | null => {
  const lack = lacks[code] ?? (missingKernel.test(message) ? 'backend' : null);
  return lack === 'memory' && memoryBytes === 0 ? null : lack;
};
