/** How attacks are named in a sweep, on the command line and on the wire, and what they are normalised to. */
import { z } from 'zod';
import type { DatasetName } from '../datasets.ts';
import { type AttackName, type AttackSettings, attackNames, attacks } from './declarations.ts';
import type { AttackInput, OneOfAttacks } from './input.ts';
import { PresetName, presetAttacks, presetNames } from './presets.ts';

/** One attack, every setting filled in. */
export type AttackSpec = OneOfAttacks<{
  [Name in AttackName]: { readonly attack: Name; readonly settings: AttackSettings<Name> };
}>;

/** `preset:paper` stands for all attacks of a preset wherever a list of attacks may stand. */
export type PresetReference = `preset:${PresetName}`;
const presetReferences = presetNames.map((name): PresetReference => `preset:${name}`);

const specOf = (name: AttackName) => {
  const settings: z.ZodObject = attacks[name].settings;
  return z.strictObject({ attack: z.literal(name), settings: settings.prefault({}) });
};
const presetOf = (preset: PresetReference) => z.strictObject({ attack: z.literal(preset) });

/** What stands where a name should, as JSON: the beginning of a long one. */
const inShort = (value: unknown): string => {
  if (typeof value !== 'string') return JSON.stringify(value).slice(0, 100);
  return value.length > 100 ? `${JSON.stringify(value.slice(0, 100))}…` : JSON.stringify(value);
};

/** A name or a flat object becomes `{ attack, settings }`; a name not in `known` is refused here, where it can be named. */
const nest = (known: readonly string[]) => (value: unknown, context: z.RefinementCtx) => {
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

const [firstSpec, ...otherSpecs] = attackNames.map(specOf) as [
  ReturnType<typeof specOf>,
  ...ReturnType<typeof specOf>[],
];

/** Parses an `AttackInput`; an unknown attack or setting is an error that names it. */
export const AttackSpec = z.preprocess(
  nest(attackNames),
  z.discriminatedUnion('attack', [firstSpec, ...otherSpecs]),
) as unknown as z.ZodType<AttackSpec, AttackInput>; // the mapped types above are what the options of the union are made from

export const attackSpec = (input: AttackInput): AttackSpec => AttackSpec.parse(input);

/** An entry of a sweep's list: an attack, or all attacks of a preset. */
export type AttackListEntry = AttackSpec | { readonly attack: PresetReference };
const AttackListEntry = z.preprocess(
  nest([...attackNames, ...presetReferences]),
  z.discriminatedUnion('attack', [firstSpec, ...otherSpecs, ...presetReferences.map(presetOf)]),
) as unknown as z.ZodType<AttackListEntry, AttackInput | PresetReference | AttackListEntry>; // as above

/** The attacks of a sweep: a list of attacks and presets. `expandAttacks` takes what it parses to. */
export const AttackList = z
  .array(AttackListEntry)
  .min(1)
  .max(1000)
  .meta({ title: 'Attacks', description: 'Attacks by name or with settings, and presets as `preset:NAME`.' });
export type AttackList = z.infer<typeof AttackList>;

/** One text per attack and settings, whatever the order of the keys: equal specs have equal keys. */
export const attackKey = ({ attack, settings }: AttackSpec): string =>
  `${attack}${JSON.stringify(Object.entries(settings).sort(([a], [b]) => (a < b ? -1 : 1)))}`;

/**
 * Every attack of a list once, in order, with settings filled in. Presets take the usual budgets of `dataset`.
 * Throws a ZodError that names an unknown attack, preset or setting.
 */
export const expandAttacks = (
  list: readonly (AttackInput | PresetReference | AttackListEntry)[] | { readonly preset: PresetName },
  options: { readonly dataset?: DatasetName } = {},
): readonly AttackSpec[] => {
  const entries = 'preset' in list ? [`preset:${list.preset}`] : list;
  const specs = z
    .array(AttackListEntry)
    .parse(entries)
    .flatMap((entry) => {
      if ('settings' in entry) return [entry];
      return presetAttacks(PresetName.parse(entry.attack.slice('preset:'.length)), options.dataset).map(
        attackSpec,
      );
    });
  return [...new Map(specs.map((spec) => [attackKey(spec), spec])).values()];
};
