/** The reference of attacks and presets, and of the data sets that give presets their ε. */
import { z } from 'zod';
import { describeValues } from '../attacks/attack-faults.ts';
import { type AttackAccess, type AttackDeclaration, normTitles } from '../attacks/define-attack.ts';
import { type PresetName, presetAttacks, presetNames, presets } from '../attacks/presets.ts';
import {
  type AttackInput,
  type AttackName,
  attackNames,
  attackSpec,
  attacks,
  queriesOf,
} from '../attacks.ts';
import { budgetsOf, type DatasetName, datasetNames, datasets } from '../datasets.ts';
import { fractionText } from '../fractions.ts';
import { formatAmount } from '../text.ts';
import { defineTopic, valueText } from './topic.ts';

const accessText = {
  gradient: 'gradients (white box)',
  score: 'logits (black box)',
  decision: 'the predicted class (black box)',
  transfer: 'gradients of other models (black box)',
} as const satisfies Record<AttackAccess, string>;

const settingsOf = (name: AttackName) => {
  const { properties = {} } = z.toJSONSchema(attacks[name].settings, { io: 'input' });
  return Object.entries(properties).map(([key, property]) => {
    const schema = property as Readonly<Record<string, unknown>>;
    return {
      name: key,
      title: String(schema.title),
      default: schema.default,
      values: describeValues(schema),
      description: String(schema.description),
    };
  });
};

const budgetText = ({ settings, family }: AttackDeclaration): string => {
  if ('search' in settings.shape)
    return 'a search for the smallest ε (`search: true`, the default), or exactly ε (`search: false`)';
  return family === 'fixed' ? 'a fixed ε' : 'none: it looks for the smallest change';
};

/** The settings that raise the number of queries: those whose doubled default gives a larger number. */
const costlySettings = (name: AttackName): readonly string[] => {
  const { settings } = attackSpec(name);
  const { queries }: AttackDeclaration = attacks[name];
  return Object.entries(settings).flatMap(([setting, value]) =>
    typeof value === 'number' && queries({ ...settings, [setting]: 2 * value }) > queries(settings)
      ? [setting]
      : [],
  );
};

const attackRow = (name: AttackName) => {
  const declaration: AttackDeclaration = attacks[name];
  const { title, description, citation, family, norm, access, needs = [] } = declaration;
  return {
    name,
    title,
    description,
    citation,
    family,
    norm,
    access,
    needs,
    budget: budgetText(declaration),
    /** Per image, with the default settings. */
    queries: queriesOf(attackSpec(name)),
    queriesGrowWith: costlySettings(name),
    settings: settingsOf(name),
  };
};

export const attackTopic = defineTopic<ReturnType<typeof attackRow>>({
  title: 'Attacks',
  about:
    'The names below `attacks:` of a sweep file. A setting stands beside the name: `{ attack: pgd-linf, epsilon: 0.1 }`. Pixels lie in [0, 1]; a number may be a fraction such as 8/255. Queries are passes of one image through the model, forward or for a gradient: the most that the attack takes with its default settings.',
  rows: () => attackNames.map(attackRow),
  fields: [
    { title: 'norm', text: ({ norm }) => normTitles[norm], isListed: true },
    { title: 'queries', text: ({ queries }) => formatAmount(queries), isListed: true },
    { title: 'meaning', text: ({ title, description }) => `${title}: ${description}`, isListed: true },
    { title: 'budget', text: ({ budget }) => budget },
    { title: 'more queries with', text: (row) => row.queriesGrowWith.join(', ') || 'no setting' },
    {
      title: 'sees',
      text: ({ access, needs }) =>
        `${accessText[access]}${needs.length > 0 ? `; needs ${needs.map((need) => (need === 'encoder' ? 'an encoder' : 'other models')).join(' and ')}` : ''}`,
    },
    { title: 'paper', text: ({ citation }) => citation },
    {
      title: 'settings',
      text: ({ settings }) =>
        settings.map(
          ({ name, default: value, values, description }) =>
            `${name} = ${valueText(value)}: ${description} Takes ${values}.`,
        ),
    },
  ],
});

const writtenOf = (
  input: AttackInput,
): { readonly attack: AttackName } & Readonly<Record<string, unknown>> =>
  typeof input === 'string' ? { attack: input } : input;

/** The values of ε with the data sets that have each: `epsilon=0.3 (mnist, glyphs) or 0.1 (fashion-mnist)`; one value where all agree. */
const epsilonText = (
  values: readonly { readonly dataset: DatasetName; readonly epsilon: number }[],
): string => {
  const distinct = [...new Set(values.map(({ epsilon }) => epsilon))];
  if (distinct.length === 1) return `epsilon=${fractionText(distinct[0]!)}`;
  const groups = distinct.map((epsilon) => {
    const names = values.filter((value) => value.epsilon === epsilon).map(({ dataset }) => dataset);
    return `${fractionText(epsilon)} (${names.join(', ')})`;
  });
  return `epsilon=${groups.join(', ')}`;
};

const presetRow = (name: PresetName) => {
  const byDataset = datasetNames.map((dataset) => ({
    dataset,
    attacks: presetAttacks(name, budgetsOf(dataset)).map(writtenOf),
  }));
  return {
    name: `preset:${name}`,
    title: presets[name].title,
    description: presets[name].description,
    queries: presetAttacks(name).reduce((sum, input) => sum + queriesOf(attackSpec(input)), 0),
    attacks: Object.fromEntries(byDataset.map(({ dataset, attacks: members }) => [dataset, members])),
    members: byDataset[0]!.attacks.map(({ attack, epsilon, ...settings }, i) => {
      const values = byDataset.flatMap(({ dataset, attacks: members }) => {
        const value = members[i]!.epsilon;
        return typeof value === 'number' ? [{ dataset, epsilon: value }] : [];
      });
      const others = Object.entries(settings).map(([setting, value]) => `${setting}=${valueText(value)}`);
      return [attack, ...(values.length > 0 ? [epsilonText(values)] : []), ...others].join(' ');
    }),
  };
};

export const presetTopic = defineTopic<ReturnType<typeof presetRow>>({
  title: 'Presets',
  about:
    'Named lists of attacks. Write `preset:quick`, or with settings `{ attack: preset:autoattack, epsilon: 0.1 }`: each setting goes to the attacks that have it. Without an ε a preset takes the one that published results use for the data set. A data set of your own takes the ε of its kind: L∞ 0.1 and L2 1.5 for one channel, L∞ 8/255 and L2 0.5 for small coloured images, L∞ 4/255 and L2 3 for larger ones.',
  rows: () => presetNames.map(presetRow),
  fields: [
    { title: 'attacks', text: ({ members }) => String(members.length), isListed: true },
    { title: 'queries', text: ({ queries }) => formatAmount(queries), isListed: true },
    { title: 'meaning', text: ({ description }) => description, isListed: true },
    { title: 'members', text: ({ members }) => members },
  ],
});

const datasetRow = (name: DatasetName) => {
  const { title, classes, shape, train, test, budgets } = datasets[name];
  return { name, title, classes, shape, train, test, budgets };
};

export const datasetTopic = defineTopic<ReturnType<typeof datasetRow>>({
  title: 'Data sets',
  about:
    'The names of `dataset:` in a sweep file that need no data set of your own. `npx funnel data get mnist` downloads one; the generated ones are always there.',
  rows: () => datasetNames.map(datasetRow),
  fields: [
    { title: 'meaning', text: ({ title }) => title, isListed: true },
    {
      title: 'images',
      text: ({ shape: [height, width, channels] }) =>
        `${height} × ${width}, ${channels === 1 ? 'grey' : 'colour'}`,
      isListed: true,
    },
    {
      title: 'training, test',
      text: ({ train, test }) => `${formatAmount(train)}, ${formatAmount(test)}`,
      isListed: true,
    },
    {
      title: 'ε of presets',
      text: ({ budgets }) => `L∞ ${fractionText(budgets.linf)}, L2 ${fractionText(budgets.l2)}`,
      isListed: true,
    },
    { title: 'classes', text: ({ classes }) => classes.join(', ') },
  ],
});
