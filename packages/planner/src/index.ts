export { buildPlan } from './build-plan.ts';
export { countTrials } from './expand-trials.ts';
export { chainId, configurationId, stageId } from './identity.ts';
export { type Outline, outlineSweep } from './outline.ts';
