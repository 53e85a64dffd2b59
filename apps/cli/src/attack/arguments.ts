import { readFileSync } from 'node:fs';
import {
  type AttackListEntry,
  AttackName,
  type AttackResource,
  type AttackSpec,
  attacks,
  type DatasetName,
  expandAttacks,
} from '@funnel/contracts';
import { InvalidArgumentError } from 'commander';
import { Exit, exitCodes } from '../exit.ts';
import { readYaml } from '../sweep-file.ts';

/** Reads `steps=50`, `search=false` or `epsilons=[0.1,0.2]`, and adds it to the earlier settings. */
export const readSetting = (text: string, earlier: Readonly<Record<string, unknown>> = {}) => {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError(`Expected NAME=VALUE, such as steps=50, but got ${text}`);
  return { ...earlier, [text.slice(0, at).trim()]: readYaml(text.slice(at + 1)) };
};

const usage = (message: string): Exit =>
  new Exit(
    exitCodes.usage,
    `${message}\n→ \`npx funnel attack --list\` shows every attack with its settings.`,
  );

/** Resources that some attacks need and that the folder of a model does not contain. */
const resources = { encoder: 'the model’s encoder', surrogates: 'other models' } as const;

/** The resources that the attack needs besides a model and images, as text, or null. */
export const missingFor = (name: AttackName): string | null => {
  const declaration = attacks[name];
  const needs: readonly AttackResource[] = 'needs' in declaration ? (declaration.needs ?? []) : [];
  return needs.length > 0 ? needs.map((need) => resources[need]).join(' and ') : null;
};

/** Throws Exit for an attack that needs more than a model, and for a setting that the attack does not have. */
const checkNames = (name: string, settings: Readonly<Record<string, unknown>>): void => {
  const known = AttackName.safeParse(name).data;
  if (known === undefined) return; // The schema refuses an unknown name later, and lists all names.
  const missing = missingFor(known);
  if (missing !== null)
    throw usage(
      `Expected an attack that needs a model and images only, but ${name} needs ${missing}: run it in a sweep`,
    );
  const names = Object.keys(attacks[known].settings.shape);
  const unknown = Object.keys(settings).find((setting) => !names.includes(setting));
  if (unknown !== undefined)
    throw usage(`Expected settings of ${name} (${names.join(', ') || 'none'}), but got ${unknown}`);
};

/**
 * The attacks that `--attack` and `--set` name. Settings go with exactly one attack. Attacks of a preset that need more than a model are
 * left out; `leftOut` names them. Throws Exit, or a ZodError that names an unknown attack or a wrong setting.
 */
export const readAttacks = (
  names: readonly string[],
  settings: Readonly<Record<string, unknown>>,
  dataset: DatasetName,
): { readonly specs: readonly AttackSpec[]; readonly leftOut: readonly AttackName[] } => {
  const set = Object.keys(settings).length > 0;
  if (set && (names.length > 1 || names[0]?.startsWith('preset:')))
    throw usage('Expected --set with one attack, but got several attacks or a preset');
  for (const name of names) checkNames(name, settings);
  const entries = names.map((attack) => ({ attack, ...settings }));
  // expandAttacks checks names and values.
  const all = expandAttacks(entries as unknown as AttackListEntry[], { dataset });
  return {
    specs: all.filter(({ attack }) => missingFor(attack) === null),
    leftOut: [...new Set(all.map(({ attack }) => attack).filter((attack) => missingFor(attack) !== null))],
  };
};

const refusedIndices = (text: string, why: string): Exit =>
  new Exit(
    exitCodes.usage,
    `Expected a range such as 0-99, ranges joined by commas, or a file with a JSON array of indices, but got ${text}: ${why}`,
  );

const fromRange = (text: string): number[] => {
  const match = /^(\d+)(?:-(\d+))?$/.exec(text.trim());
  if (!match) throw refusedIndices(text, 'it is neither a number nor a range');
  const start = Number(match[1]);
  const end = Number(match[2] ?? match[1]);
  if (end < start) throw refusedIndices(text, 'the last index lies before the first');
  return Array.from({ length: end - start + 1 }, (_, i) => start + i);
};

const fromFile = (path: string): number[] => {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw refusedIndices(path, error instanceof Error ? error.message : String(error));
  }
  if (
    !Array.isArray(content) ||
    content.length === 0 ||
    !content.every((index) => Number.isInteger(index) && index >= 0)
  )
    throw refusedIndices(path, 'the file has no JSON array of indices, or an empty one');
  return content;
};

/** Reads `0-99`, `3,5,10-19`, or the path of a file with a JSON array. Returns each index once, in the given order. */
export const readIndices = (text: string): number[] => {
  const indices = /^[\d\s,-]+$/.test(text) ? text.split(',').flatMap(fromRange) : fromFile(text);
  return [...new Set(indices)];
};
