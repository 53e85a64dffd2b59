/** Builds the dashboard when a source has changed. Returns true when it built. */
export declare const buildWeb: () => Promise<boolean>;
