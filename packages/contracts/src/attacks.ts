/** The registry of all attacks, and the form in which a sweep, the command line and the API write one attack with its settings. */
import { z } from 'zod';
import type { AttackDeclaration } from './attacks/define-attack.ts';
import { paperAttacks } from './attacks/paper-attacks.ts';
import { strongerAttacks } from './attacks/stronger-attacks.ts';

export const attacks = { ...paperAttacks, ...strongerAttacks } as const satisfies Record<
  string,
  AttackDeclaration
>;

export type AttackName = keyof typeof attacks;
export const attackNames = Object.keys(attacks) as AttackName[];
export const AttackName = z.enum(attackNames as [AttackName, ...AttackName[]]);
/** The settings of one attack, with every default. */
export type AttackSettings<Name extends AttackName = AttackName> = z.output<
  (typeof attacks)[Name]['settings']
>;

/** The union of one type per attack. */
type OneOfAttacks<Of extends { readonly [Name in AttackName]: unknown }> = Of[AttackName];

type Written<Name extends AttackName> = z.input<(typeof attacks)[Name]['settings']>;

/** One attack as people write it: `'fgsm'`, `{ attack: 'deepfool-l2', steps: 50 }`, or an `AttackSpec`. */
export type AttackInput =
  | AttackName
  | OneOfAttacks<{ [Name in AttackName]: { readonly attack: Name } & Written<Name> }>
  | OneOfAttacks<{ [Name in AttackName]: { readonly attack: Name; readonly settings: Written<Name> } }>;

/** One attack with all of its settings. */
export type AttackSpec = OneOfAttacks<{
  [Name in AttackName]: { readonly attack: Name; readonly settings: AttackSettings<Name> };
}>;

const specOf = (name: AttackName) => {
  const settings: z.ZodObject = attacks[name].settings;
  return z.strictObject({ attack: z.literal(name), settings: settings.prefault({}) });
};

/** A value as JSON, cut to about a hundred characters. */
const abbreviate = (value: unknown): string => {
  if (typeof value !== 'string') return JSON.stringify(value).slice(0, 100);
  return value.length > 100 ? `${JSON.stringify(value.slice(0, 100))}…` : JSON.stringify(value);
};

/** Makes `{ attack, settings }` from a name or a flat object. Refuses a name that is not in `known`; the issue quotes the name. */
export const nest = (known: readonly string[]) => (value: unknown, context: z.RefinementCtx) => {
  const object = typeof value === 'string' ? { attack: value } : value;
  if (typeof object !== 'object' || object === null || !('attack' in object)) return object;
  const { attack, ...rest } = object;
  if (typeof attack !== 'string' || !known.includes(attack)) {
    const message = `Expected the name of an attack, but got ${abbreviate(attack)}. There are: ${known.join(', ')}`;
    context.addIssue({ code: 'custom', path: ['attack'], input: attack, message });
    return z.NEVER;
  }
  if (attack.startsWith('preset:') || 'settings' in rest) return object;
  return { attack, settings: rest };
};

/** One schema per attack: the options of every union that parses attacks. */
export const attackSpecOptions = attackNames.map(specOf) as [
  ReturnType<typeof specOf>,
  ...ReturnType<typeof specOf>[],
];

/** Parses an `AttackInput`. The error names an unknown attack or setting. */
export const AttackSpec = z.preprocess(
  nest(attackNames),
  z.discriminatedUnion('attack', attackSpecOptions),
) as unknown as z.ZodType<AttackSpec, AttackInput>; // the options of the union come from the mapped types above

export const attackSpec = (input: AttackInput): AttackSpec => AttackSpec.parse(input);

/** A text that is the same for equal specs, whatever the order of their settings. */
export const attackKey = ({ attack, settings }: AttackSpec): string =>
  `${attack}${JSON.stringify(Object.entries(settings).sort(([a], [b]) => (a < b ? -1 : 1)))}`;
