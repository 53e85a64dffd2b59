export * from './abilities.ts';
export { attackFaults, unknownSettingFault } from './attacks/attack-faults.ts';
export * from './attacks/check-budgets.ts';
export * from './attacks/check-summary.ts';
export {
  type AttackAccess,
  type AttackDeclaration,
  type AttackFamily,
  type AttackNorm,
  type AttackResource,
  longestStep,
  needsSurrogates,
  normTitles,
} from './attacks/define-attack.ts';
export * from './attacks/diagnostics.ts';
export * from './attacks/evaluation.ts';
export * from './attacks/examination.ts';
export { largestConstant, lastConstantLimit } from './attacks/l2-attacks.ts';
export * from './attacks/large-balls.ts';
export * from './attacks/presets.ts';
export {
  type AttackInput,
  AttackName,
  type AttackSettings,
  AttackSpec,
  abbreviate,
  attackKey,
  attackNames,
  attackSpec,
  attacks,
  attackVersion,
  epsilonFaultAmong,
  queriesOf,
  searchLimitOf,
} from './attacks.ts';
export * from './backends.ts';
export * from './best-configuration.ts';
export * from './checkpoint.ts';
export * from './clients.ts';
export * from './constraints.ts';
export * from './dataset-content.ts';
export * from './dataset-reader.ts';
export * from './dataset-spec.ts';
export * from './datasets.ts';
export * from './did-you-mean.ts';
export * from './distance-intervals.ts';
export * from './durations.ts';
export * from './engine-version.ts';
export * from './errors.ts';
export { fractionText, readFraction, settingsJsonSchema } from './fractions.ts';
export * from './hyperparameters.ts';
export * from './json.ts';
export * from './leaderboard-texts.ts';
export * from './letters.ts';
export * from './limits.ts';
export * from './metrics.ts';
export * from './missed-by-gradients.ts';
export * from './mistake-text.ts';
export * from './next-step.ts';
export * from './npy.ts';
export * from './objectives.ts';
export * from './other-sweeps.ts';
export * from './plan.ts';
export * from './predicted-class.ts';
export * from './ranking.ts';
export * from './recipes.ts';
export * from './repeated-faults.ts';
export * from './resources/audit.ts';
export * from './resources/datasets.ts';
export * from './resources/events.ts';
export * from './resources/leaderboard-row.ts';
export * from './resources/searches.ts';
export * from './resources/stages.ts';
export * from './resources/sweeps.ts';
export * from './resources/trials.ts';
export * from './resources/workers.ts';
export * from './retention.ts';
export * from './robust-at-epsilon.ts';
export * from './robustness-curve.ts';
export * from './routes.ts';
export * from './search.ts';
export * from './search-criteria.ts';
export * from './search-faults.ts';
export * from './search-space.ts';
export * from './searched-norms.ts';
export * from './stages.ts';
export * from './statistics.ts';
export * from './statuses.ts';
export * from './student-t.ts';
export * from './sweep.ts';
export * from './sweep-annotations.ts';
export { epochsOf } from './sweep-epochs.ts';
export { hyperparametersReadBy } from './sweep-faults.ts';
export * from './sweep-overview.ts';
export { elsewhereText, progressPercent, sharingOf } from './sweep-progress.ts';
export * from './system-errors.ts';
export * from './text.ts';
export * from './threat-model.ts';
export * from './trial-value.ts';
export * from './trial-verdict.ts';
export * from './unfinished-warmup.ts';
export * from './usage.ts';
export * from './versions.ts';
export * from './within.ts';
export * from './worst-case.ts';
