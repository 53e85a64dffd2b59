/** Every attack, declared once: what it is, whom to cite, what it needs of the model and what may be set. */
import { z } from 'zod';
import type { AttackDeclaration } from './define.ts';
import { paperAttacks } from './paper-attacks.ts';
import { strongerAttacks } from './stronger-attacks.ts';

export const attacks = { ...paperAttacks, ...strongerAttacks } as const satisfies Record<
  string,
  AttackDeclaration
>;

export type AttackName = keyof typeof attacks;
export const attackNames = Object.keys(attacks) as AttackName[];
export const AttackName = z.enum(attackNames as [AttackName, ...AttackName[]]);
/** Settings of one attack with every default filled in. */
export type AttackSettings<Name extends AttackName = AttackName> = z.output<
  (typeof attacks)[Name]['settings']
>;
