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

/** In the order in which people gave them. A tag that comes twice counts once. */
export const SweepTags = z
  .array(SweepTag)
  .overwrite((tags) => [...new Set(tags)])
  .max(20);

/** Lines of plain text. Each line ends with a line feed, also where a client sends carriage returns. */
export const SweepNotes = z
  .string()
  .overwrite((text) => text.replace(/\r\n?/g, '\n'))
  .max(10_000)
  .check(({ value, issues }) => {
    const message = linesFault(value);
    if (message !== null) issues.push({ code: 'custom', input: value, message });
  });

/** Each given field replaces the old one. */
export const AnnotateSweep = z
  .strictObject({ notes: SweepNotes.optional(), tags: SweepTags.optional() })
  .refine(({ notes, tags }) => notes !== undefined || tags !== undefined, {
    error: 'Expected `notes`, `tags` or both, but got neither',
  })
  .meta({ id: 'AnnotateSweep' });
export type AnnotateSweep = z.infer<typeof AnnotateSweep>;
