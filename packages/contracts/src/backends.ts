/** Best first: the order in which `auto` tries them. */
export const backendNames = ['cuda', 'tensorflow', 'webgpu', 'wasm', 'cpu'] as const;
export type BackendName = (typeof backendNames)[number];

/** What a person may ask for. */
export const backendChoices = ['auto', ...backendNames] as const;
