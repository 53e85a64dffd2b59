type Lock = { readonly packages: Readonly<Record<string, unknown>> };
/** Everything that is not one version with known bits, as lines. `manifests`: path → package.json. */
export declare const findLoose: (manifests: Readonly<Record<string, unknown>>, lock: Lock) => string[];
/** Packages with a script at installation that `allowScripts` does not name, and names in it that no package has. */
export declare const findScripts: (allowScripts: Readonly<Record<string, boolean>>, lock: Lock) => string[];
/** Advisories of high or critical severity that are not accepted on that day (`2026-11-22`). Throws when there is no report. */
export declare const findAdvisories: (
  report: unknown,
  accepted: Readonly<Record<string, { readonly until: string; readonly why: string }>>,
  today: string,
) => string[];
/** Prints what is wrong; resolves to 0 or 1. */
export declare const checkDependencies: () => Promise<number>;
