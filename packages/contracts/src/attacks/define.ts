/** What is declared of an attack. */
import type { z } from 'zod';
import { against } from './settings.ts';

export type AttackFamily = 'fixed' | 'minimisation';
export type AttackNorm = 'linf' | 'l2' | 'l0';
export const normTitles = { linf: 'L∞', l2: 'L2', l0: 'L0' } as const satisfies Record<AttackNorm, string>;
/** What the attacker sees: gradients, logits, only the predicted class, or another model's gradients. */
export type AttackAccess = 'gradient' | 'score' | 'decision' | 'transfer';
/** What an attack needs besides the model, the images and the labels. */
export type AttackResource = 'encoder' | 'surrogates';

export type AttackDeclaration<Settings extends z.ZodObject = z.ZodObject> = {
  readonly title: string;
  readonly description: string;
  readonly citation: string;
  /** `fixed`: fool within ε. `minimisation`: find the smallest perturbation. `search: true` makes a fixed attack minimise. */
  readonly family: AttackFamily;
  /** The norm of its budget, or the one it minimises. All norms are measured on every result. */
  readonly norm: AttackNorm;
  readonly access: AttackAccess;
  readonly needs?: readonly AttackResource[];
  /** Part of a stage's identity: raise it whenever the same settings and seed give another result. */
  readonly version: number;
  readonly settings: Settings;
};

/** Whether it makes its images on other classifiers. */
export const needsSurrogates = ({ needs = [] }: Pick<AttackDeclaration, 'needs'>): boolean =>
  needs.includes('surrogates');

/** Keeps the literal types of one declaration, and adds the setting that all attacks share. */
export const defineAttack = <Shape extends z.core.$ZodLooseShape>(
  attack: AttackDeclaration<z.ZodObject<Shape, z.core.$strict>>,
) => ({ ...attack, settings: attack.settings.extend({ against: against() }) });
