type Lock = { readonly packages: Readonly<Record<string, unknown>> };
/** `manifests`: path → package.json. Returns a line for every dependency without one exact version or without a hash. */
export declare const findLoose: (manifests: Readonly<Record<string, unknown>>, lock: Lock) => string[];
/**
 * Returns a line for every package with an install script that `allowScripts` does not name, and for every name in `allowScripts` that is no
 * dependency.
 */
export declare const findScripts: (allowScripts: Readonly<Record<string, boolean>>, lock: Lock) => string[];
/** Returns a line for every advisory of high or critical severity that is not accepted on that day (`2026-11-22`). Throws without a report. */
export declare const findAdvisories: (
  report: unknown,
  accepted: Readonly<Record<string, { readonly until: string; readonly why: string }>>,
  today: string,
) => string[];
/** Prints every fault. Resolves to 1 when there is one, else to 0. */
export declare const checkDependencies: () => Promise<number>;
