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

/** A value as JSON, cut to about a hundred characters. */
const abbreviate = (value: unknown): string => {
  if (typeof value !== 'string') return JSON.stringify(value).slice(0, 100);
  return value.length > 100 ? `${JSON.stringify(value.slice(0, 100))}…` : JSON.stringify(value);
};

/** Makes `{ attack, settings }` from a name or a flat object. Refuses a name that is not in `known`; the issue quotes the name. */
const nest = (known: readonly string[]) => (value: unknown, context: z.RefinementCtx) => {
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

const specOf = (name: AttackName) => {
  const settings: z.ZodObject = attacks[name].settings;
  return z.strictObject({ attack: z.literal(name), settings: settings.prefault({}) });
};

/** The settings beside the name. */
const flatOf = (name: AttackName) =>
  z.strictObject({ attack: z.literal(name), ...attacks[name].settings.shape });

const referenceTo = (preset: string) => z.strictObject({ attack: z.literal(preset) });

type Option = ReturnType<typeof specOf | typeof referenceTo>;

/**
 * The schema of one attack in every form in which people write it, or of a reference to one of these presets. It parses to `{ attack, settings }`
 * and to `{ attack: <preset> }`. Its errors name an unknown attack or setting.
 */
export const writtenAttack = (presets: readonly string[]) => {
  const known = [...attackNames, ...presets];
  const options = [...attackNames.map(specOf), ...presets.map(referenceTo)];
  const forms = () => z.union([z.enum(known), ...attackNames.map(flatOf), ...options]);
  return z
    .unknown()
    .meta({
      // `nest` accepts every form, which no JSON Schema shows. Made when a JSON Schema is asked for, because few programs do.
      get anyOf() {
        return z.toJSONSchema(forms(), { io: 'input' }).anyOf;
      },
    })
    .transform(nest(known))
    .pipe(z.discriminatedUnion('attack', options as [Option, ...Option[]]));
};

// The types of the options are the mapped types above.
export const AttackSpec = writtenAttack([]) as unknown as z.ZodType<AttackSpec, AttackInput>;

export const attackSpec = (input: AttackInput): AttackSpec => AttackSpec.parse(input);

/** A text that is the same for equal specs, whatever the order of their settings. */
export const attackKey = ({ attack, settings }: AttackSpec): string =>
  `${attack}${JSON.stringify(Object.entries(settings).sort(([a], [b]) => (a < b ? -1 : 1)))}`;
