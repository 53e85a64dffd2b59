import { type AttackSpec, attackKey, attacks } from '@funnel/contracts';
import { formatNumber } from './format.ts';

type Run = { readonly attack: AttackSpec['attack']; readonly settings: Readonly<Record<string, unknown>> };

const keys = new WeakMap<Run, string>();

/** Equal attacks with equal settings have equal keys. Kept per object: thousands of trials are judged by it again and again. */
export const keyOfRun = (run: Run): string => {
  const known = keys.get(run);
  if (known !== undefined) return known;
  const key = attackKey(run as AttackSpec); // the wire's settings are an evaluation's own
  keys.set(run, key);
  return key;
};

const written = (value: unknown): string =>
  typeof value === 'number'
    ? formatNumber(value)
    : Array.isArray(value)
      ? `${value.length} values`
      : String(value);

/** Settings that differ from the declared defaults, ε and steps always first: `ε 0.3 · 40 steps · margin`. */
export const settingsLabel = (run: Run): string => {
  const declared = attacks[run.attack].settings;
  const defaults: Readonly<Record<string, unknown>> = declared.parse({});
  const fields = Object.entries(declared.shape).map(([name, schema]) => {
    const value = run.settings[name];
    const title = schema.meta()?.title ?? name;
    if (name === 'epsilon')
      return run.settings.search === true ? `ε up to ${written(value)}` : `ε ${written(value)}`;
    if (name === 'steps') return `${written(value)} steps`;
    if (JSON.stringify(value) === JSON.stringify(defaults[name])) return '';
    if (typeof value === 'boolean') return value ? title.toLowerCase() : `no ${title.toLowerCase()}`;
    return typeof value === 'string' ? value : `${title.toLowerCase()} ${written(value)}`;
  });
  return fields.filter((field) => field !== '').join(' · ');
};

export const attackTitle = (run: Run): string => attacks[run.attack].title;

/** `PGD L∞ · ε 0.3 · 40 steps`. */
export const attackLabel = (run: Run): string => {
  const settings = settingsLabel(run);
  return settings === '' ? attackTitle(run) : `${attackTitle(run)} · ${settings}`;
};
