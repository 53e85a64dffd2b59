/** `funnel attack --list`: every attack with its settings, and every preset. */
import { type AttackName, attackNames, attacks, presetNames, presets } from '@funnel/contracts';
import { z } from 'zod';
import { formatTable } from '../output/format.ts';

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

export const describeAttacks = ({
  attacks: all,
  presets: groups,
}: ReturnType<typeof listAttacks>): string => {
  const one = ({ name, title, description, family, norm, access, settings }: (typeof all)[number]): string =>
    [
      `${name}  ${title} (${family}, ${norm}, ${access})`,
      `  ${description}`,
      ...settings.map(
        (setting) => `    --set ${setting.name}=${JSON.stringify(setting.default)}  ${setting.description}`,
      ),
    ].join('\n');
  const presetTable = formatTable(
    [
      { title: 'preset', value: (preset: (typeof groups)[number]) => preset.name },
      { title: '', value: (preset) => preset.description },
    ],
    groups,
  );
  return `${all.map(one).join('\n\n')}\n\n${presetTable}`;
};
