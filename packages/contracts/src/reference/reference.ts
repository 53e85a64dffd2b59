/** The reference: every name that a person may write in a sweep file or read in a result, from its one declaration. */
import { attackTopic, datasetTopic, presetTopic } from './attacks.ts';
import { hyperparameterTopic, recipeTopic } from './hyperparameters.ts';
import { checkTopic, metricTopic, statusTopic } from './results.ts';
import type { Topic } from './topic.ts';

/** In the order of a sweep file, then of its results. */
export const reference = {
  recipes: recipeTopic,
  datasets: datasetTopic,
  hyperparameters: hyperparameterTopic,
  attacks: attackTopic,
  presets: presetTopic,
  metrics: metricTopic,
  checks: checkTopic,
  statuses: statusTopic,
} as const satisfies Record<string, Topic>;

export type ReferenceTopic = keyof typeof reference;
export const referenceTopics = Object.keys(reference) as ReferenceTopic[];
export { referencePage } from './page.ts';
export type { Entry, Topic } from './topic.ts';
