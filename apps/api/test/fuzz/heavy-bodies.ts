/** Bodies within the size limits that would keep a service busy for long, if it read all of their content. */

const times = <T>(count: number, make: (i: number) => T): readonly T[] =>
  Array.from({ length: count }, (_, i) => make(i));
const keys = (count: number) => Object.fromEntries(times(count, (i) => [`key${i}`, 1]));
const values = times(9999, (i) => (i + 1) / 1e5);
const wrong = times(9999, () => 'x');
const hyperparameters = ['gamma', 'beta', 'tradesBeta', 'classifierRate', 'optimiseAttackerRate'];
const random = (trials: number) => ({ strategy: 'random', trials });

const sweeps: Readonly<Record<string, object>> = {
  'one of a hundred million values': {
    space: { gamma: { min: 0, max: 1e6, step: 0.01 } },
    search: random(1),
  },
  'points of 100,000 values': { space: { gamma: { min: 1, max: 64, count: 100_000 } }, search: random(100) },
  'points of five long lists': {
    recipes: ['funn', 'trades'],
    space: Object.fromEntries(hyperparameters.map((hyperparameter) => [hyperparameter, values])),
    search: random(300),
  },
  'unknown hyperparameters': { space: keys(70_000) },
  'unknown keys': keys(70_000),
  'unknown recipes': { recipes: times(60_000, (i) => `recipe${i}`) },
  'known recipes': { recipes: times(130_000, () => 'funn') },
  'a long key': { ['k'.repeat(900_000)]: 1 },
  'a long hyperparameter': { space: { ['k'.repeat(900_000)]: 1 } },
  'a long attack': { attacks: ['x'.repeat(900_000)] },
  'long unknown attacks': { attacks: times(999, () => 'x'.repeat(900)) },
  'a long name': { name: 'x'.repeat(900_000) },
  'wrong values': {
    space: Object.fromEntries(hyperparameters.map((hyperparameter) => [hyperparameter, wrong])),
  },
  'wrong settings': { attacks: times(1000, () => ({ attack: 'fgsm', ...keys(60) })) },
  'many presets': { attacks: times(999, () => 'preset:full') },
  'many seeds': { seeds: times(150_000, (i) => i) },
  'a long ε grid': { attacks: [{ attack: 'gradient', epsilons: times(100_000, (i) => i + 1) }] },
};

const yamlBytes = 64 * 1024;
const yamls: Readonly<Record<string, string>> = {
  'a list in YAML': `[${'1,'.repeat(yamlBytes)}`,
  'commas in YAML': `[${','.repeat(yamlBytes)}`,
  'brackets in YAML': '- [[[[[]]]]]\n'.repeat(yamlBytes),
  'quotes in YAML': '"'.repeat(yamlBytes - 1),
  'anchors in YAML': times(5000, (i) => `- &a${i} 1\n- *a${i}\n`).join(''),
  'aliases of a list in YAML': `a: &a [${'1,'.repeat(15_000)}1]\nb: [${'*a,'.repeat(99)}1]`,
  'unknown hyperparameters in YAML': `space:\n${times(yamlBytes, (i) => ` k${i}: 1\n`).join('')}`,
};

const texts: Readonly<Record<string, string>> = {
  brackets: '['.repeat(1_000_000),
  numbers: `[${'1,'.repeat(500_000)}1]`,
  'a key twice': `{"${'k'.repeat(450_000)}":1,"${'k'.repeat(450_000)}":1}`,
};

export type HeavyBody = { readonly name: string; readonly type: string; readonly payload: string };

const trained = { name: 'heavy', dataset: { name: 'glyphs', train: 100, test: 100, attack: 10 } };

export const heavyBodies: readonly HeavyBody[] = [
  ...Object.entries(sweeps).map(([name, change]) => ({
    name,
    type: 'application/json',
    payload: JSON.stringify({ ...trained, ...change }),
  })),
  ...Object.entries(texts).map(([name, payload]) => ({ name, type: 'application/json', payload })),
  ...Object.entries(yamls).map(([name, text]) => ({
    name,
    type: 'application/yaml',
    payload: text.slice(0, yamlBytes),
  })),
];
