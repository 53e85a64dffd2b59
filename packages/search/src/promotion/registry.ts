/** Every promotion rule, by its name in the sweep file, and the rule of a search without promotion. */
import { asha } from './asha.ts';
import { hyperband, successiveHalving } from './brackets.ts';
import { needAllBut, type PromotionRule, type RuleOptions } from './promotion.ts';

export const promotionRules = { hyperband, 'successive-halving': successiveHalving, asha } satisfies Readonly<
  Record<string, (options: RuleOptions) => PromotionRule>
>;
export type PromotionName = keyof typeof promotionRules;
export const promotionNames = Object.keys(promotionRules) as PromotionName[];

/** Every decision proposes. */
export const withoutPromotion = (options: Omit<RuleOptions, 'fidelity'>): PromotionRule => ({
  need: needAllBut(options),
  reach: 1,
  step: () => ({ kind: 'propose', rung: 0 }),
  competitionOf: () => null,
  plan: (configurations) => ({
    units: Array.from({ length: configurations }, (_, configuration) => ({ configuration, rung: 0 })),
    missing: 0,
  }),
});
