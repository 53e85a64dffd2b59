/**
 * Stages that another version of Funnel made. Versions are parts of the identity of a stage, so a result of an older version stays beside
 * that of the present one, and a new sweep makes such a stage anew.
 */
import { z } from 'zod';
import { StageKind } from './statuses.ts';

/** One version in the identity of a stage that differs from the present one. */
export const VersionChange = z
  .strictObject({
    kind: StageKind,
    method: z
      .string()
      .meta({ description: 'The recipe of a training stage, the attack of an attack stage.' }),
    part: z.enum(['engine', 'recipe', 'attack', 'checks', 'unknown']).meta({
      description:
        'The part with another version. `checks`: of the evaluation. `unknown`: no version of these parts gives this identity.',
    }),
    made: z.string().nullable().meta({ description: 'The version that made the stage; null if unknown.' }),
    now: z.string().nullable().meta({ description: 'The present version; null if the part is unknown.' }),
  })
  .meta({ id: 'VersionChange' });
export type VersionChange = z.infer<typeof VersionChange>;

const madeText = ({ part, made }: VersionChange): string =>
  made === null ? 'another version' : `${part} ${made}`;

/** For a table, the versions that made a result: `engine 1, checks 1`. Empty if all are the present ones. */
export const versionText = (changes: readonly VersionChange[]): string =>
  [...new Set(changes.map(madeText))].join(', ');

/** For a sentence, each stage with its versions: `classify funn (engine 1, now 2), attack fgsm (engine 1, now 2; checks 1, now 2)`. */
export const describeChanges = (changes: readonly VersionChange[]): string => {
  const stages = new Map<string, string[]>();
  for (const change of changes) {
    const name = `${change.kind} ${change.method}`;
    const text = change.now === null ? madeText(change) : `${madeText(change)}, now ${change.now}`;
    stages.set(name, [...new Set([...(stages.get(name) ?? []), text])]);
  }
  return [...stages].map(([name, texts]) => `${name} (${texts.join('; ')})`).join(', ');
};
