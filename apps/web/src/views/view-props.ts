/** What every view is given: the parts of its address behind its name. */
export type ViewProps = { readonly params: readonly string[] };
