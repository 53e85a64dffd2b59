/** The registry of all attacks, and the form in which a sweep, the command line and the API write one attack with its settings. */
import { z } from 'zod';
import { type AttackDeclaration, normTitles } from './attacks/define-attack.ts';
import { paperAttacks } from './attacks/paper-attacks.ts';
import { strongerAttacks } from './attacks/stronger-attacks.ts';
import { didYouMean } from './did-you-mean.ts';
import { readFractions, settingsJsonSchema } from './fractions.ts';

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
export const abbreviate = (value: unknown): string => {
  if (value === undefined) return 'nothing';
  if (typeof value === 'number') return String(value); // JSON.stringify(NaN) is null
  if (typeof value !== 'string') return JSON.stringify(value).slice(0, 100);
  return value.length > 100 ? `${JSON.stringify(value.slice(0, 100))}…` : JSON.stringify(value);
};

const capitalise = (sentence: string): string => sentence.charAt(0).toUpperCase() + sentence.slice(1);

/** `{ preset: 'paper', … }` as `{ attack: 'preset:paper', … }`: in a list of attacks both are written. */
export const withPresetAsAttack = (value: unknown): unknown => {
  if (typeof value !== 'object' || value === null || 'attack' in value || !('preset' in value)) return value;
  const { preset, ...rest } = value;
  return { attack: typeof preset === 'string' ? `preset:${preset}` : preset, ...rest };
};

/** Which name an unknown one may stand for; of a preset that is an attack, how to write it. Null if it resembles none. */
const questionAbout = (attack: string, known: readonly string[]): string | null => {
  const alone = attack.replace(/^preset:/, '');
  return known.includes(alone) ? `did you mean attack: ${alone}?` : didYouMean(attack, known);
};

/** Makes `{ attack, settings }` from a name or a flat object. Refuses a name that is not in `known`; the issue quotes the name. */
const nest = (known: readonly string[]) => (value: unknown, context: z.RefinementCtx) => {
  const object = typeof value === 'string' ? { attack: value } : withPresetAsAttack(value);
  if (typeof object !== 'object' || object === null || !('attack' in object)) return object;
  const { attack, ...rest } = object;
  if (typeof attack !== 'string' || !known.includes(attack)) {
    const question = typeof attack === 'string' ? questionAbout(attack, known) : null;
    const more = question ? capitalise(question) : `There are: ${known.join(', ')}`;
    const message = `Expected the name of an attack, but got ${abbreviate(attack)}. ${more}`;
    context.addIssue({ code: 'custom', path: ['attack'], input: attack, message, params: { names: known } });
    return z.NEVER;
  }
  if (attack.startsWith('preset:') && Object.keys(rest).length === 0) return object;
  return 'settings' in rest
    ? { ...object, settings: readFractions(rest.settings) }
    : { attack, settings: readFractions(rest) };
};

const specOf = (name: AttackName) => {
  const settings: z.ZodObject = attacks[name].settings;
  return z.strictObject({ attack: z.literal(name), settings: settings.prefault({}) });
};

/** The settings beside the name. */
const flatOf = (name: AttackName) =>
  z.strictObject({ attack: z.literal(name), ...attacks[name].settings.shape });

type Option = z.ZodObject<{ attack: z.ZodLiteral<string> }>;

/**
 * The schema of one attack in every form in which people write it, or of a reference to one of these presets, each with the settings that can
 * stand beside it. It parses to `{ attack, settings }`, and to `{ attack: <preset> }` for a preset without settings. Its errors name an unknown
 * attack or setting.
 */
export const writtenAttack = (presets: ReadonlyMap<string, z.ZodObject>) => {
  const known = [...attackNames, ...presets.keys()];
  const references = [...presets].map(([preset, settings]) =>
    z.strictObject({ attack: z.literal(preset), settings: settings.optional() }),
  );
  const options: Option[] = [...attackNames.map(specOf), ...references];
  const flatReferences = () =>
    [...presets].map(([preset, { shape }]) => z.strictObject({ attack: z.literal(preset), ...shape }));
  const forms = () => z.union([z.enum(known), ...attackNames.map(flatOf), ...flatReferences(), ...options]);
  return z
    .unknown()
    .meta({
      // `nest` accepts every form, which no JSON Schema shows. Made when a JSON Schema is asked for, because few programs do.
      get anyOf() {
        return settingsJsonSchema(forms()).anyOf;
      },
    })
    .transform(nest(known))
    .pipe(z.discriminatedUnion('attack', options as [Option, ...Option[]]));
};

// The types of the options are the mapped types above.
export const AttackSpec = writtenAttack(new Map()) as unknown as z.ZodType<AttackSpec, AttackInput>;

export const attackSpec = (input: AttackInput): AttackSpec => AttackSpec.parse(input);

/** The version of an attack with these settings. It is part of the identity of its results. */
export const attackVersion = ({
  attack,
  settings,
}: {
  readonly attack: AttackName;
  readonly settings: Readonly<Record<string, unknown>>;
}): number => {
  const { version, versionFor }: AttackDeclaration = attacks[attack];
  return versionFor?.(settings) ?? version;
};

/** The largest number of queries of an attack for one image. */
export const queriesOf = ({
  attack,
  settings,
}: {
  readonly attack: AttackName;
  readonly settings: Readonly<Record<string, unknown>>;
}): number => {
  const { queries }: AttackDeclaration = attacks[attack];
  return queries(settings);
};

/** The largest distance in its norm that an attack without a fixed ε tries; infinite without a limit. */
export const furthestOf = (run: {
  readonly attack: AttackName;
  readonly settings: Readonly<Record<string, unknown>>;
}): number => {
  const { furthest }: AttackDeclaration = attacks[run.attack];
  return furthest?.(run.settings) ?? searchLimitOf(run);
};

/** The largest ε that a search of this attack tries; infinite for a search without a limit. */
export const searchLimitOf = ({
  attack,
  settings,
}: {
  readonly attack: AttackName;
  readonly settings: Readonly<Record<string, unknown>>;
}): number => {
  const { searchLimit }: AttackDeclaration = attacks[attack];
  return searchLimit?.(settings) ?? Number.POSITIVE_INFINITY;
};

/**
 * Why an attack cannot be meant so: an ε above 1 in L∞ is more than the whole range of pixels, probably a number of grey levels. Null for
 * other attacks. Definitions that an older version stored may have such an ε.
 */
export const epsilonFault = ({
  attack,
  settings,
}: {
  readonly attack: AttackName;
  readonly settings: Readonly<Record<string, unknown>>;
}): string | null => {
  const { epsilon } = settings;
  return attacks[attack].norm === 'linf' && typeof epsilon === 'number' && epsilon > 1
    ? `Expected ε of ${attack} on the scale of [0, 1], but got ${epsilon}: did you mean epsilon=${epsilon}/255?`
    : null;
};

/**
 * The first `epsilonFault` of these attacks; null without one. If attacks of the norm L2 have the same ε, it was probably meant for them: the
 * fault then says that no ε serves both norms. `remedy`: what to do in that case.
 */
export const epsilonFaultAmong = (
  runs: readonly { readonly attack: AttackName; readonly settings: Readonly<Record<string, unknown>> }[],
  remedy: string,
): string | null => {
  const wrong = runs.find((run) => epsilonFault(run) !== null);
  if (wrong === undefined) return null;
  const { epsilon } = wrong.settings;
  const other = runs.find(
    ({ attack, settings }) => attacks[attack].norm === 'l2' && settings.epsilon === epsilon,
  );
  return other === undefined
    ? epsilonFault(wrong)
    : `Expected an ε for one norm, but got epsilon=${epsilon} for ${wrong.attack} (${normTitles.linf}, where 1 is the whole range of pixels) and ${other.attack} (${normTitles.l2}): ${remedy}`;
};

/** A text that is the same for equal specs, whatever the order of their settings. */
export const attackKey = ({ attack, settings }: AttackSpec): string =>
  `${attack}${JSON.stringify(Object.entries(settings).sort(([a], [b]) => (a < b ? -1 : 1)))}`;
