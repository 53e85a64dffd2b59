/** Every attack, declared once, and how one attack is named in a sweep, on the command line and on the wire. */
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
/** Settings of one attack with every default filled in. */
export type AttackSettings<Name extends AttackName = AttackName> = z.output<
  (typeof attacks)[Name]['settings']
>;

/** Of a type per attack, any one. */
type OneOfAttacks<Of extends { readonly [Name in AttackName]: unknown }> = Of[AttackName];

type Written<Name extends AttackName> = z.input<(typeof attacks)[Name]['settings']>;

/** As people write it: `'fgsm'`, `{ attack: 'deepfool-l2', steps: 50 }`, or already normalised. */
export type AttackInput =
  | AttackName
  | OneOfAttacks<{ [Name in AttackName]: { readonly attack: Name } & Written<Name> }>
  | OneOfAttacks<{ [Name in AttackName]: { readonly attack: Name; readonly settings: Written<Name> } }>;

/** One attack, every setting filled in. */
export type AttackSpec = OneOfAttacks<{
  [Name in AttackName]: { readonly attack: Name; readonly settings: AttackSettings<Name> };
}>;

const specOf = (name: AttackName) => {
  const settings: z.ZodObject = attacks[name].settings;
  return z.strictObject({ attack: z.literal(name), settings: settings.prefault({}) });
};

/** What stands where a name should, as JSON: the beginning of a long one. */
const inShort = (value: unknown): string => {
  if (typeof value !== 'string') return JSON.stringify(value).slice(0, 100);
  return value.length > 100 ? `${JSON.stringify(value.slice(0, 100))}…` : JSON.stringify(value);
};

/** A name or a flat object becomes `{ attack, settings }`; a name not in `known` is refused here, where it can be named. */
export const nest = (known: readonly string[]) => (value: unknown, context: z.RefinementCtx) => {
  const object = typeof value === 'string' ? { attack: value } : value;
  if (typeof object !== 'object' || object === null || !('attack' in object)) return object;
  const { attack, ...rest } = object;
  if (typeof attack !== 'string' || !known.includes(attack)) {
    const message = `Expected the name of an attack, but got ${inShort(attack)}. There are: ${known.join(', ')}`;
    context.addIssue({ code: 'custom', path: ['attack'], input: attack, message });
    return z.NEVER;
  }
  if (attack.startsWith('preset:') || 'settings' in rest) return object;
  return { attack, settings: rest };
};

/** One schema per attack: the options of the unions that parse attacks. */
export const attackSpecOptions = attackNames.map(specOf) as [
  ReturnType<typeof specOf>,
  ...ReturnType<typeof specOf>[],
];

/** Parses an `AttackInput`; an unknown attack or setting is an error that names it. */
export const AttackSpec = z.preprocess(
  nest(attackNames),
  z.discriminatedUnion('attack', attackSpecOptions),
) as unknown as z.ZodType<AttackSpec, AttackInput>; // the mapped types above are what the options of the union are made from

export const attackSpec = (input: AttackInput): AttackSpec => AttackSpec.parse(input);

/** One text per attack and settings, whatever the order of the keys: equal specs have equal keys. */
export const attackKey = ({ attack, settings }: AttackSpec): string =>
  `${attack}${JSON.stringify(Object.entries(settings).sort(([a], [b]) => (a < b ? -1 : 1)))}`;
