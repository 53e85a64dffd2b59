/** Builds the dashboard where it is older than its sources. Answers whether it had to. */
export declare const buildWeb: () => Promise<boolean>;
