/** The networks of a checkpoint by name, as the recipes call them, and what a person calls them. */
import type { Stage } from '@funnel/contracts';

export const networkTitles = {
  'attacker-encoder': 'Attacker’s encoder',
  'attacker-generator': 'Attacker’s generator',
  'defender-encoder': 'Defender’s encoder',
  'defender-generator': 'Defender’s generator',
  head: 'Classifier on the codes',
  classifier: 'Encoder and classifier in one',
} as const;

export type NetworkName = keyof typeof networkTitles;

const defender: readonly NetworkName[] = ['defender-encoder', 'defender-generator'];
const attacker: readonly NetworkName[] = ['attacker-encoder', 'attacker-generator'];

/** What the checkpoint of a stage holds. */
export const networksOf = ({ recipe, kind }: Stage): readonly NetworkName[] => {
  if (kind === 'attack') return [];
  if (kind === 'classify') return ['classifier', 'defender-encoder', 'head'];
  return recipe === 'classic' ? defender : [...defender, ...attacker];
};

/** Where the networks of a trained trial are: its classifier's checkpoint, and that of the auto-encoder that it stands on. */
export type ModelPlace = { readonly classifier: string; readonly autoEncoder: string | null };

/** Null until the classifier is trained. */
export const modelPlaceOf = (stages: readonly Stage[]): ModelPlace | null => {
  const last = (wanted: (stage: Stage) => boolean) =>
    stages.findLast((stage) => stage.checkpoint !== null && wanted(stage))?.checkpoint ?? null;
  const classifier = last(({ kind }) => kind === 'classify');
  return classifier === null
    ? null
    : { classifier, autoEncoder: last((stage) => networksOf(stage).includes('defender-generator')) };
};

/** Where `tf.loadLayersModel` finds a network, from the server's root. */
export const modelPath = (checkpoint: string, network: NetworkName): string =>
  `/v1/checkpoints/${checkpoint}/${network}/model.json`;
export const weightsPath = (checkpoint: string, network: NetworkName): string =>
  `/v1/checkpoints/${checkpoint}/${network}/weights.bin`;
