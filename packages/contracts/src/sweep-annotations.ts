/**
 * What people write about a sweep while they work with it: notes, and tags to find it by. Annotations are no part of the definition: they
 * change no identity, no plan and no result.
 */
import { z } from 'zod';
import { linesFault } from './text.ts';

/** Capital letters become small ones, so that a tag has one spelling. */
export const SweepTag = z
  .string()
  .trim()
  .toLowerCase()
  .regex(
    /^[a-z0-9][a-z0-9._:/-]{0,39}$/,
    'Expected 1 to 40 of the characters a–z, 0–9, “.”, “_”, “-”, “:” and “/”, the first a letter or a digit',
  );

/** How many tags a sweep may have. */
export const maxTags = 20;

/** In the order in which people gave them. A tag that comes twice counts once. */
export const SweepTags = z
  .array(SweepTag)
  .overwrite((tags) => [...new Set(tags)])
  .max(maxTags);

/** Lines of plain text. Each line ends with a line feed, also where a client sends carriage returns. */
export const SweepNotes = z
  .string()
  .overwrite((text) => text.replace(/\r\n?/g, '\n'))
  .max(10_000)
  .check(({ value, issues }) => {
    const message = linesFault(value);
    if (message !== null) issues.push({ code: 'custom', input: value, message });
  });

/**
 * `notes` and `tags` replace the old ones. `addTags` and `removeTags` change the tags that the sweep has at that moment, so that two people may
 * change them at once.
 */
export const AnnotateSweep = z
  .strictObject({
    notes: SweepNotes.optional(),
    tags: SweepTags.optional().meta({ description: 'All tags of the sweep from now on.' }),
    addTags: SweepTags.optional().meta({ description: 'Tags that the sweep gets beside those that it has.' }),
    removeTags: SweepTags.optional().meta({
      description: 'Tags that the sweep loses. One that it does not have changes nothing.',
    }),
  })
  .superRefine((change, context) => {
    const { tags, addTags, removeTags = [] } = change;
    const fault = (path: string[], message: string) =>
      context.addIssue({ code: 'custom', path, message, input: change });
    if (Object.values(change).every((value) => value === undefined))
      fault([], 'Expected `notes`, `tags`, `addTags` or `removeTags`, but got none of them');
    for (const key of ['addTags', 'removeTags'] as const)
      if (tags !== undefined && change[key] !== undefined)
        fault([key], `Expected \`tags\` without \`${key}\`, but got both`);
    const both = addTags?.find((tag) => removeTags.includes(tag));
    if (both !== undefined)
      fault(['removeTags'], `Expected other tags than those of \`addTags\`, but got ${both} in both`);
  })
  .meta({ id: 'AnnotateSweep' });
export type AnnotateSweep = z.infer<typeof AnnotateSweep>;
