import type { z } from 'zod';
import type { AttackName, attacks } from './declarations.ts';

/** Of a type per attack, any one. */
export type OneOfAttacks<Of extends { readonly [Name in AttackName]: unknown }> = Of[AttackName];

type Written<Name extends AttackName> = z.input<(typeof attacks)[Name]['settings']>;

/** As people write it: `'fgsm'`, `{ attack: 'deepfool-l2', steps: 50 }`, or already normalised. */
export type AttackInput =
  | AttackName
  | OneOfAttacks<{ [Name in AttackName]: { readonly attack: Name } & Written<Name> }>
  | OneOfAttacks<{ [Name in AttackName]: { readonly attack: Name; readonly settings: Written<Name> } }>;
