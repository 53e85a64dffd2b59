export { buildPlan, countPlan } from './build-plan.ts';
export { estimate, queriesOf } from './estimate.ts';
export { countTrials } from './expand-trials.ts';
export { chainId, configurationId, presentVersions, stageId } from './identity.ts';
export { minBytes, type Networks, networksOf, type Size } from './memory.ts';
export { roundedBytes } from './needs.ts';
export { type Outline, outlineSweep } from './outline.ts';
export { secondsLeft } from './seconds.ts';
export { idsOfVersions, type VersionedId, versionChanges } from './versions.ts';
