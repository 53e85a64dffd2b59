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

/** `steps=50`, `search=false`, `epsilons=[0.1,0.2]`: the value is read as YAML, so numbers are numbers. */
export const readSetting = (text: string, earlier: Readonly<Record<string, unknown>> = {}) => {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError(`Expected NAME=VALUE, such as steps=50, but got ${text}`);
  return { ...earlier, [text.slice(0, at).trim()]: readYaml(text.slice(at + 1)) };
};

const usage = (message: string): Exit =>
  new Exit(exitCodes.usage, `${message}\n→ funnel attack --list shows every attack with its settings.`);

/** What an attack needs that a folder does not hold, in words. */
const resources = { encoder: 'the model’s encoder', surrogates: 'other models' } as const;

/** Null where a model and images are enough. */
export const missingFor = (name: AttackName): string | null => {
  const declaration = attacks[name];
  const needs: readonly AttackResource[] = 'needs' in declaration ? (declaration.needs ?? []) : [];
  return needs.length > 0 ? needs.map((need) => resources[need]).join(' and ') : null;
};

/** One attack and its settings, as far as they can be checked by name. */
const checkOne = (name: string, settings: Readonly<Record<string, unknown>>): void => {
  const known = AttackName.safeParse(name).data;
  if (known === undefined) return; // refused by the schema, which lists all names
  const missing = missingFor(known);
  if (missing !== null)
    throw usage(
      `Expected an attack that needs a model and images only, but ${name} needs ${missing}: run it in a sweep`,
    );
  const names = Object.keys(attacks[known].settings.shape);
  const stray = Object.keys(settings).find((setting) => !names.includes(setting));
  if (stray !== undefined)
    throw usage(`Expected settings of ${name} (${names.join(', ') || 'it has none'}), but got ${stray}`);
};

/**
 * The attacks that `--attack` and `--set` name. Settings belong to one attack; a preset brings its own, and what needs more than a model
 * from disk is left out of it: `left` names those. Throws Exit or a ZodError that names an unknown attack or setting.
 */
export const readAttacks = (
  names: readonly string[],
  settings: Readonly<Record<string, unknown>>,
  dataset: DatasetName,
): { readonly specs: readonly AttackSpec[]; readonly left: readonly AttackName[] } => {
  const set = Object.keys(settings).length > 0;
  if (set && (names.length > 1 || names[0]?.startsWith('preset:')))
    throw usage('Expected --set with one attack, but got several attacks or a preset: their settings differ');
  for (const name of names) checkOne(name, settings);
  const entries = names.map((attack) => ({ attack, ...settings }));
  // Checked by the schema inside, which says what is wrong with a name or a value.
  const all = expandAttacks(entries as unknown as AttackListEntry[], { dataset });
  return {
    specs: all.filter(({ attack }) => missingFor(attack) === null),
    left: [...new Set(all.map(({ attack }) => attack).filter((attack) => missingFor(attack) !== null))],
  };
};

const refusedIndices = (text: string, why: string): Exit =>
  new Exit(
    exitCodes.usage,
    `Expected a range such as 0-99, ranges joined by commas, or a file with a JSON array of indices: ${why} (${text})`,
  );

const fromRange = (text: string): number[] => {
  const match = /^(\d+)(?:-(\d+))?$/.exec(text.trim());
  if (!match) throw refusedIndices(text, 'this is neither');
  const first = Number(match[1]);
  const last = Number(match[2] ?? match[1]);
  if (last < first) throw refusedIndices(text, 'the last index lies before the first');
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
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
    throw refusedIndices(path, 'the file holds something else');
  return content;
};

/** `0-99`, `3,5,10-19`, or the path of a file with a JSON array. Each index once, in the order given. */
export const readIndices = (text: string): number[] => {
  const indices = /^[\d\s,-]+$/.test(text) ? text.split(',').flatMap(fromRange) : fromFile(text);
  return [...new Set(indices)];
};
