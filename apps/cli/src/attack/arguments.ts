import {
  type AttackInput,
  type AttackListEntry,
  AttackName,
  type AttackResource,
  type AttackSpec,
  attackFaults,
  attackKey,
  attackNames,
  attackSpec,
  attacks,
  type Budgets,
  epsilonFaultAmong,
  expandAttacks,
  largeBalls,
  type Preset,
  presetNames,
  presets,
  readFraction,
  resembling,
  threatModelOf,
  threatModelText,
  unknownSettingFault,
  whyUnreadable,
} from '@funnel/contracts';
import { InvalidArgumentError } from 'commander';
import { z } from 'zod';
import { readBounded } from '../bounded-file.ts';
import { Exit, exitCodes } from '../exit.ts';
import { readYaml } from '../sweep-file.ts';

/** Reads `steps=50`, `search=false` or `epsilons=[0.1,0.2]`, and adds it to the earlier settings. */
export const readSetting = (text: string, earlier: Readonly<Record<string, unknown>> = {}) => {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError(`Expected NAME=VALUE, such as steps=50, but got ${text}`);
  return {
    ...earlier,
    [text.slice(0, at).trim()]: readFraction(text.slice(at + 1)) ?? readYaml(text.slice(at + 1)),
  };
};

const usage = (message: string): Exit =>
  new Exit(
    exitCodes.usage,
    `${message}\n→ \`npx funnel attacks\` lists the attacks, \`npx funnel attacks NAME\` the settings of one.`,
  );

/** Resources that some attacks need and that the folder of a model does not contain. */
const resources = { encoder: 'the model’s encoder', surrogates: 'other models' } as const;

/** The resources that the attack needs besides a model and images, as text, or null. */
export const missingFor = (name: AttackName): string | null => {
  const declaration = attacks[name];
  const needs: readonly AttackResource[] = 'needs' in declaration ? (declaration.needs ?? []) : [];
  return needs.length > 0 ? needs.map((need) => resources[need]).join(' and ') : null;
};

/** Throws Exit for an attack that needs more than a model. */
const checkName = (name: string): void => {
  const known = AttackName.safeParse(name).data;
  const missing = known && missingFor(known); // The schema refuses an unknown name later, and lists all names.
  if (missing)
    throw usage(
      `Expected an attack that needs a model and images only, but ${name} needs ${missing}: run it in a sweep`,
    );
};

type Settings = Readonly<Record<string, unknown>>;

const settingNames = ({ attack }: AttackSpec): readonly string[] =>
  Object.keys(attacks[attack].settings.shape);

/** The result of `read`. Throws Exit, with the faults of `written` and further ones in words, where a schema refuses it. */
const refusing = <Result>(
  written: unknown,
  read: () => Result,
  further: () => readonly string[] = () => [],
): Result => {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error;
    throw usage([...attackFaults(error, written), ...further()].join('\n'));
  }
};

/** The settings that none of these attacks has. None without an attack. */
const settingFaults = (
  settings: Settings,
  specs: readonly AttackSpec[],
  names: readonly string[],
): readonly string[] => {
  const known = [...new Set(specs.flatMap(settingNames))];
  const unknown = Object.keys(settings).filter((name) => specs.length > 0 && !known.includes(name));
  return unknown.map((name) => unknownSettingFault(name, known, names.join(', ')));
};

/** The attacks that these names may stand for, of which some are misspelt. */
const specsMeant = (names: readonly string[]): readonly AttackSpec[] => {
  const known = [...attackNames, ...presetNames.map((name) => `preset:${name}`)];
  const meant = names.flatMap((name) => (known.includes(name) ? [name] : resembling(name, known)));
  return expandAttacks(meant as AttackName[]);
};

/** The attack with those of the settings that it has. Throws Exit for a wrong value. */
const withSettings = (spec: AttackSpec, settings: Settings): AttackSpec => {
  const read = (changes: Settings): AttackSpec => {
    const own = Object.entries(changes).filter(([name]) => settingNames(spec).includes(name));
    const written = { attack: spec.attack, ...spec.settings, ...Object.fromEntries(own) };
    return refusing(written, () => attackSpec(written as AttackInput));
  };
  const changed = read(settings);
  // A search ends at the ε that the user gave, also where that is the default (`epsilon=0.3`), which the settings alone cannot tell.
  return 'epsilon' in settings ? read({ largestEpsilon: settings.epsilon, ...settings }) : changed;
};

/** Throws Exit for an ε that cannot be meant. */
const checkEpsilon = (specs: readonly AttackSpec[]): void => {
  const fault = epsilonFaultAmong(specs, 'run the attacks of each norm in a command of their own');
  if (fault !== null) throw usage(fault);
};

/**
 * The attacks that `--attack` and `--set` name. A setting goes with every attack that has it. Attacks of a preset that need more than a model
 * are left out; `leftOut` names them. Throws Exit for an unknown attack, a setting that no attack has, and a wrong value.
 */
export const readAttacks = (
  names: readonly string[],
  settings: Settings,
  budgets?: Budgets,
): { readonly specs: readonly AttackSpec[]; readonly leftOut: readonly AttackName[] } => {
  for (const name of names) checkName(name);
  const list = names.map((attack) => ({ attack })) as unknown as AttackListEntry[];
  const all = refusing(
    list,
    () => expandAttacks(list, budgets === undefined ? {} : { budgets }),
    () => settingFaults(settings, specsMeant(names), names),
  );
  const unknown = settingFaults(settings, all, names);
  if (unknown.length > 0) throw usage(unknown.join('\n'));
  const changed = all.map((spec) => withSettings(spec, settings));
  const specs = [...new Map(changed.map((spec) => [attackKey(spec), spec])).values()];
  const runnable = specs.filter(({ attack }) => missingFor(attack) === null);
  checkEpsilon(runnable);
  const leftOut = specs.map(({ attack }) => attack).filter((attack) => missingFor(attack) !== null);
  return { specs: runnable, leftOut: [...new Set(leftOut)] };
};

/**
 * Says where attacks have an ε that the images do not suit, by the rule of sweeps. `usual`: of their data set; absent for images of the user, whose usual ε
 * nobody knows. Then an ε that the user gives needs no word (`isGiven`).
 */
export const epsilonNotes = (
  specs: readonly AttackSpec[],
  {
    usual,
    isGiven = false,
  }: {
    readonly usual?: { readonly budgets: Budgets; readonly dataset: string } | undefined;
    readonly isGiven?: boolean;
  },
): readonly string[] => {
  if (usual) return largeBalls(specs, usual.budgets, usual.dataset);
  if (isGiven) return [];
  const balls = threatModelText(threatModelOf(specs));
  return balls === ''
    ? []
    : [`The attacks take ε = ${balls}, as for MNIST, which is too large for photographs`];
};

const presetOf = (name: string): Preset | undefined => {
  const preset = presetNames.find((known) => name === `preset:${known}`);
  return preset && presets[preset];
};

export const namesPreset = (names: readonly string[]): boolean => names.some((name) => presetOf(name));

/** Returns true if the attacks together are one measurement, so that each needs only the images that still stand. */
export const areEnsemble = (names: readonly string[]): boolean =>
  names.every((name) => presetOf(name)?.isEnsemble ?? false);

const refusedIndices = (text: string, why: string): Exit =>
  new Exit(
    exitCodes.usage,
    `Expected a range such as 0-99, ranges joined by commas, or a file with a JSON array of indices, but got ${text}: ${why}`,
  );

/** More images than any data set has. */
const maxIndices = 100_000;

const fromRange = (text: string): number[] => {
  const match = /^(\d+)(?:-(\d+))?$/.exec(text.trim());
  if (!match) throw refusedIndices(text, 'it is neither a number nor a range');
  const start = Number(match[1]);
  const end = Number(match[2] ?? match[1]);
  if (end - start >= maxIndices)
    throw refusedIndices(text, `at most ${maxIndices} images are attacked at once`);
  if (end < start) throw refusedIndices(text, 'the last index lies before the first');
  return Array.from({ length: end - start + 1 }, (_, i) => start + i);
};

const fromFile = (path: string): number[] => {
  let content: unknown;
  try {
    content = JSON.parse(readBounded(path).toString());
  } catch (error) {
    throw refusedIndices(path, whyUnreadable(error));
  }
  if (
    !Array.isArray(content) ||
    content.length === 0 ||
    content.length > maxIndices ||
    !content.every((index) => Number.isInteger(index) && index >= 0)
  )
    throw refusedIndices(path, `the file has no JSON array of 1 to ${maxIndices} indices`);
  return content;
};

/** Reads `0-99`, `3,5,10-19`, or the path of a file with a JSON array. Returns each index once, in the given order. */
export const readIndices = (text: string): number[] => {
  if (text.trim() === '') throw refusedIndices('an empty text', 'it names no image');
  const indices = /^[\d\s,-]+$/.test(text) ? text.split(',').flatMap(fromRange) : fromFile(text);
  return [...new Set(indices)];
};
