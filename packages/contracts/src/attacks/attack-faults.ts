/** Says what is wrong with an attack as people wrote it: the setting, the values that it takes, and the value that came. */
import { z } from 'zod';
import { type AttackName, abbreviate, attacks } from '../attacks.ts';
import { didYouMean, joinWithOr } from '../did-you-mean.ts';
import { attacksOfPreset } from './presets.ts';

type JsonSchema = Readonly<Record<string, unknown>>;

/** "from 1 to 1000", "above 0 and at most 1000"; empty without bounds. */
const describeBounds = ({ minimum, exclusiveMinimum, maximum, exclusiveMaximum }: JsonSchema): string => {
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`;
  const low =
    exclusiveMinimum !== undefined
      ? [`above ${exclusiveMinimum}`]
      : minimum !== undefined
        ? [`of at least ${minimum}`]
        : [];
  const high =
    exclusiveMaximum !== undefined
      ? [`below ${exclusiveMaximum}`]
      : maximum !== undefined
        ? [`at most ${maximum}`]
        : [];
  return [...low, ...high].length === 0 ? '' : ` ${[...low, ...high].join(' and ')}`;
};

/** The values that a schema takes, in words. */
export const describeValues = (schema: JsonSchema): string => {
  if (Array.isArray(schema.anyOf)) return joinWithOr(schema.anyOf.map(describeValues));
  if (Array.isArray(schema.enum)) return joinWithOr(schema.enum.map(String));
  if (schema.type === 'boolean') return 'true or false';
  if (schema.type === 'integer') return `a whole number${describeBounds(schema)}`;
  if (schema.type === 'number') return `a number${describeBounds(schema)}`;
  if (schema.type === 'array')
    return `a list of ${schema.minItems} to ${schema.maxItems} values, each ${describeValues(schema.items as JsonSchema)}`;
  return String(schema.type);
};

/** `Expected epsilon of pgd-linf as a number above 0 and at most 1000, but got "abc"`. */
const settingFault = (attack: string, name: string, schema: z.ZodType, value: unknown): string => {
  const values = describeValues(z.toJSONSchema(schema, { io: 'input' }));
  return `Expected ${name} of ${attack} as ${values}, but got ${abbreviate(value)}`;
};

/** `known`: the names of the settings. `of`: the attack or attacks that have them. */
export const unknownSettingFault = (name: string, known: readonly string[], of: string): string => {
  const question = didYouMean(name, known);
  return question === null
    ? `Expected settings of ${of} (${known.join(', ') || 'none'}), but got ${name}`
    : `Expected settings of ${of}, but got ${name}: ${question}`;
};

type Settings = Readonly<Record<string, unknown>>;

/** The declared settings of the attacks that a name stands for: one attack, or those of a preset. */
const shapesOf = (name: string): readonly Readonly<Record<string, z.ZodType>>[] =>
  (name in attacks ? [name as AttackName] : attacksOfPreset(name)).map(
    (attack) => attacks[attack].settings.shape,
  );

const describeIssue = ({ path, message, ...issue }: z.core.$ZodIssue, entry: unknown): string => {
  if (issue.code === 'custom') return message;
  if (typeof entry !== 'object' || entry === null || !('attack' in entry))
    return `Expected an attack as a name, or as { attack, …settings }, but got ${abbreviate(entry)}`;
  const { attack: named, settings, ...beside } = entry as Settings;
  const [attack, shapes] = [String(named), shapesOf(String(named))];
  const written: unknown = settings ?? beside;
  if (issue.code === 'unrecognized_keys') {
    const known = [...new Set(shapes.flatMap(Object.keys))];
    return issue.keys.map((key) => unknownSettingFault(key, known, attack)).join('; ');
  }
  const name = path[path.indexOf('settings') + 1];
  if (name === undefined || typeof written !== 'object')
    return `Expected settings of ${attack} as an object, but got ${abbreviate(written)}`;
  const value = (written as Settings)[String(name)];
  const schemas = shapes.flatMap((shape) => shape[String(name)] ?? []);
  const refusing = schemas.find((schema) => !schema.safeParse(value).success) ?? schemas[0];
  return refusing ? settingFault(attack, String(name), refusing, value) : message;
};

/**
 * What is wrong with `written`, an attack or a list of attacks, in sentences. `error`: what its schema threw. Each sentence names the
 * setting, its bounds and the value.
 */
export const attackFaults = ({ issues }: z.ZodError, written: unknown): readonly string[] => {
  const faults = issues.map((issue) => {
    const isInList = Array.isArray(written) && typeof issue.path[0] === 'number';
    return describeIssue(issue, isInList ? written[issue.path[0] as number] : written);
  });
  return [...new Set(faults)];
};
