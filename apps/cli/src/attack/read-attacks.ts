import { type AttackListEntry, type AttackSpec, expandAttacks } from '@funnel/contracts';
import { InvalidArgumentError } from 'commander';
import { parse } from 'yaml';

/** `steps=50`, `search=false`, `epsilons=[0.1,0.2]`: the value is read as YAML, so numbers are numbers. */
export const readSetting = (text: string, earlier: Readonly<Record<string, unknown>> = {}) => {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError(`Expected NAME=VALUE, such as steps=50, but got ${text}`);
  return { ...earlier, [text.slice(0, at).trim()]: parse(text.slice(at + 1)) as unknown };
};

/**
 * The attacks that `--attack` and `--set` name. Settings belong to one attack; a preset brings its own.
 * Throws a ZodError that names an unknown attack or setting.
 */
export const readAttacks = (
  names: readonly string[],
  settings: Readonly<Record<string, unknown>>,
  dataset: string,
): readonly AttackSpec[] => {
  const set = Object.keys(settings).length > 0;
  if (set && (names.length > 1 || names[0]?.startsWith('preset:')))
    throw new InvalidArgumentError(
      'Expected --set with one attack, but got several attacks or a preset: their settings differ',
    );
  const entries = names.map((attack) => ({ attack, ...settings }));
  // Checked by the schema inside, which says what is wrong with a name or a setting.
  return expandAttacks(entries as unknown as AttackListEntry[], { dataset });
};
