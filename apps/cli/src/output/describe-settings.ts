import { type AttackName, attackSpec, attacks } from '@funnel/contracts';

type Run = { readonly attack: AttackName; readonly settings: Readonly<Record<string, unknown>> };

/** Without these no share means anything: how far, and whether that far at once or in search of the smallest change. */
const always = new Set(['epsilon', 'search']);

/** These, and what was set to something else than the attack's default. */
export const settingsText = ({ attack, settings }: Run): string => {
  const usual: Readonly<Record<string, unknown>> = attackSpec(attack).settings;
  return Object.keys(attacks[attack].settings.shape)
    .map((name) => ({ name, value: settings[name], text: JSON.stringify(settings[name]) }))
    .filter(({ name, text }) => text && (always.has(name) || text !== JSON.stringify(usual[name])))
    .map(({ name, value, text }) => `${name}=${typeof value === 'string' ? value : text}`)
    .join(' ');
};
