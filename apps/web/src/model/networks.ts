/** The networks of a checkpoint: their names in the recipes and their titles on the pages. */
import { type Recipe, recipes, type Stage } from '@funnel/contracts';

export const networkTitles = {
  'attacker-encoder': 'Attacker’s encoder',
  'attacker-generator': 'Attacker’s generator',
  'defender-encoder': 'Defender’s encoder',
  'defender-generator': 'Defender’s generator',
  head: 'Classifier on the codes',
  classifier: 'Encoder and classifier in one',
  teacher: 'Teacher',
  reformer: 'Reformer: auto-encoder I',
  'second-reformer': 'Auto-encoder II',
  detector: 'Detector, from the image',
  'detector-head': 'Detector on the first feature map',
} as const;

/** The title of a network. A recipe without an attacker has one encoder, which nobody calls the defender’s. */
export const networkTitle = (recipe: Stage['recipe'], network: NetworkName): string => {
  const stages: Recipe['stages'] = recipes[recipe].stages;
  const hasAttacker = stages.some(({ networks }) => networks.includes('attacker-encoder'));
  const part = /^Defender’s (.)(.*)$/.exec(networkTitles[network]);
  return part && !hasAttacker ? `${part[1]!.toUpperCase()}${part[2]}` : networkTitles[network];
};

export type NetworkName = keyof typeof networkTitles;

/** The networks in the checkpoint of a stage, as its recipe declares them. */
export const networksOf = ({ recipe, kind }: Pick<Stage, 'recipe' | 'kind'>): readonly NetworkName[] => {
  const stages: Recipe['stages'] = recipes[recipe].stages;
  return (stages.find((stage) => stage.kind === kind)?.networks ?? []) as readonly NetworkName[]; // a test compares the two lists
};

/** The checkpoints of a trained trial: its classifier and the auto-encoder below it. */
export type ModelCheckpoints = { readonly classifier: string; readonly autoEncoder: string | null };

/** The checkpoints of a trial from its stages; null until the classifier is trained. */
export const modelCheckpointsOf = (stages: readonly Stage[]): ModelCheckpoints | null => {
  const last = (wanted: (stage: Stage) => boolean) =>
    stages.findLast((stage) => stage.checkpoint !== null && wanted(stage))?.checkpoint ?? null;
  const classifier = last(({ kind }) => kind === 'classify');
  return classifier === null
    ? null
    : { classifier, autoEncoder: last((stage) => networksOf(stage).includes('defender-generator')) };
};

/** The path of a network for `tf.loadLayersModel`, from the server's root. */
export const modelPath = (checkpoint: string, network: NetworkName): string =>
  `/v1/checkpoints/${checkpoint}/${network}/model.json`;
export const weightsPath = (checkpoint: string, network: NetworkName): string =>
  `/v1/checkpoints/${checkpoint}/${network}/weights.bin`;
