/** The types of a backend and its driver. Each driver has a file of its own; open-backend.ts lists and tests them. */

import { type BackendName, backendNames } from '@funnel/contracts';

export { type BackendName, backendNames };

/** An opened backend: tfjs now runs on it. */
export interface Backend {
  readonly name: BackendName;
  /** The hardware in words: the name of a GPU, or the kind of code that runs on the processor. */
  readonly device: string;
  /** The version of each library on which the results depend, by name. */
  readonly versions: Readonly<Record<string, string>>;
  /** Bytes of memory for tensors, or null where the backend cannot tell. */
  readonly memoryBytes: number | null;
  /** Whether the same inputs give the same bits. True for wasm and cpu only. */
  readonly repeatable: boolean;
}

/** Opens one backend. Throws BackendUnavailable when this machine cannot run it. */
export interface BackendDriver {
  readonly name: BackendName;
  /** `chosen`: true where the user named this backend, false where `auto` tries it. */
  open(request: { readonly chosen: boolean }): Promise<Backend>;
}

/** The machine lacks something that the backend needs. The message says what, and what to install. */
export class BackendUnavailable extends Error {
  override readonly name = 'BackendUnavailable';
}

/** The backend opens, but computes a wrong result. The message says which operation. */
export class BackendWrong extends Error {
  override readonly name = 'BackendWrong';
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
