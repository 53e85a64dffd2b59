/** Best first: the order in which `auto` tries them. */
export const backendNames = ['cuda', 'tensorflow', 'webgpu', 'wasm', 'cpu'] as const;
export type BackendName = (typeof backendNames)[number];

/** An opened backend: tfjs now runs on it. */
export interface Backend {
  readonly name: BackendName;
  /** What computes, in words: a GPU's name, or the kind of processor code. */
  readonly device: string;
  /** Name → version of each library that the results depend on. */
  readonly versions: Readonly<Record<string, string>>;
  /** Memory that tensors can take, where it is known. */
  readonly memoryBytes: number | null;
  /** Whether the same inputs give the same bits. Promised for wasm and cpu alone. */
  readonly repeatable: boolean;
}

/** How one backend is opened. Throws BackendUnavailable when this machine cannot run it. */
export interface BackendDriver {
  readonly name: BackendName;
  /** `chosen`: asked for by name, not found by `auto`. */
  open(request: { readonly chosen: boolean }): Promise<Backend>;
}

/** The machine lacks something that the backend needs; the message says what, and what to install. */
export class BackendUnavailable extends Error {
  override readonly name = 'BackendUnavailable';
}

/** The backend opens, but computes something else than mathematics does; the message says which op. */
export class BackendWrong extends Error {
  override readonly name = 'BackendWrong';
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
