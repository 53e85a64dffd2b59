/** Attacks, what they may be told, the presets, and what an evaluation reports. Everything else derives from these declarations. */
export * from './attacks/declarations.ts';
export * from './attacks/define.ts';
export * from './attacks/diagnostics.ts';
export * from './attacks/evaluation.ts';
export type { AttackInput } from './attacks/input.ts';
export * from './attacks/presets.ts';
export * from './attacks/settings.ts';
export * from './attacks/spec.ts';
