/** What many routes take in the same way. */
import { z } from 'zod';

export const Id = z.string().min(1).max(100);
export const ById = z.strictObject({ id: Id });
/** Keyset paging: `cursor` is what the last page answered as `next`. */
export const page = {
  limit: z.coerce.number<number | string>().int().min(1).max(1000).default(50),
  cursor: z.string().max(200).optional(),
};
export const pageOf = <T extends z.ZodType>(item: T) =>
  z.strictObject({ items: z.array(item), next: z.string().nullable() });
/** A query value given once or many times. */
export const many = <T extends z.ZodType>(item: T) =>
  z
    .union([z.array(item).max(100), item.transform((value: z.output<T>): z.output<T>[] => [value])])
    .pipe(z.array(z.custom<z.output<T>>()))
    .default([]);
