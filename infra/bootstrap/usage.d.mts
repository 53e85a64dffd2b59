import type { ParseArgsOptionsConfig } from 'node:util';

/** Ends the process with status 2. */
export declare const refuseArguments: (fault: string, usage: string) => never;
/** The options and the other arguments of this process. With `--help`, or with an unknown option, the process ends. */
export declare const readArguments: (
  usage: string,
  config?: { readonly options?: ParseArgsOptionsConfig; readonly allowPositionals?: boolean },
) => {
  readonly values: Readonly<Record<string, string | boolean | undefined>>;
  readonly positionals: readonly string[];
};
