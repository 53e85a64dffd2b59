/** `funnel attack --list`: every attack with its settings, and every preset. */
import { type AttackName, attackNames, attacks, normTitles, presetNames, presets } from '@funnel/contracts';
import { z } from 'zod';
import { wrapToWidth } from '../output/width.ts';

type Setting = {
  readonly name: string;
  readonly title: string;
  readonly default: unknown;
  readonly description: string;
};

const settingsOf = (name: AttackName): Setting[] => {
  const { properties = {} } = z.toJSONSchema(attacks[name].settings, { io: 'input' });
  return Object.entries(properties).map(([key, property]) => {
    const {
      title = key,
      description = '',
      default: value,
    } = property as { title?: string; description?: string; default?: unknown };
    return { name: key, title, default: value, description };
  });
};

/** Every attack with its settings, and every preset, as the contracts declare them. */
export const listAttacks = () => ({
  attacks: attackNames.map((name) => {
    const { title, description, citation, family, norm, access } = attacks[name];
    return { name, title, description, citation, family, norm, access, settings: settingsOf(name) };
  }),
  presets: presetNames.map((name) => ({ name: `preset:${name}`, description: presets[name].description })),
});

/** `width`: the columns of the terminal. */
export const describeAttacks = (
  { attacks: all, presets: groups }: ReturnType<typeof listAttacks>,
  width: number | null,
): string => {
  const one = ({ name, title, description, family, norm, access, settings }: (typeof all)[number]): string =>
    [
      wrapToWidth(`${name}  ${title} (${family}, ${normTitles[norm]}, ${access})`, width),
      wrapToWidth(`  ${description}`, width),
      ...settings.map((setting) => {
        const value = JSON.stringify(setting.default);
        return wrapToWidth(`    --set ${setting.name}=${value}  ${setting.description}`, width, '        ');
      }),
    ].join('\n');
  const group = ({ name, description }: (typeof groups)[number]): string =>
    wrapToWidth(`${name}  ${description}`, width);
  return [...all.map(one), groups.map(group).join('\n')].join('\n\n');
};
