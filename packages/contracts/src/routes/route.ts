/** The declaration of a route, and parameters that many routes share. */
import { z } from 'zod';
import type { ErrorCode } from '../errors.ts';

export const roles = ['read', 'submit', 'admin'] as const;
export type Role = (typeof roles)[number];

export type Route = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Parameters in Fastify's notation: `:id`. */
  readonly url: string;
  readonly summary: string;
  /** The lowest role that may call the route; null: everybody may. */
  readonly role: Role | null;
  readonly params?: z.ZodType;
  readonly query?: z.ZodType;
  readonly body?: z.ZodType;
  /** The body is bytes (`application/octet-stream`), at most so many. */
  readonly bytes?: number;
  /** The handler reads these bytes while they arrive. */
  readonly isStreamed?: true;
  /** A second call has no further effect, although the method is POST. */
  readonly isRepeatable?: true;
  readonly headers?: z.ZodType;
  /** Absent for event streams, texts and binary answers; for these `produces` gives the content type. */
  readonly response?: z.ZodType;
  readonly produces?: string;
  readonly status?: 200 | 201 | 204;
  /** The content of an answer 202: the service has taken the request, and carries it out later. */
  readonly accepted?: z.ZodType;
  /** Seconds until the answer begins. (Default: `answerSeconds`) */
  readonly seconds?: number;
  readonly errors: readonly ErrorCode[];
};

export const Id = z.string().min(1).max(100);
export const ById = z.strictObject({ id: Id });

/** A text of digits as a number. Other texts stay texts, so the schema refuses them: `Number` would also read 1e3, 0x10 and spaces. */
const readDigits = (value: number | string): number | string =>
  typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value;

const notDigits = ({ code }: { readonly code?: string }): string | undefined =>
  code === 'invalid_type' ? 'Expected a whole number in digits' : undefined;

/** Keyset paging: `cursor` is the field `next` of the previous page. */
export const page = {
  limit: z.preprocess(readDigits, z.number({ error: notDigits }).int().min(1).max(1000)).default(50),
  cursor: z.string().max(200).optional(),
};
export const pageOf = <T extends z.ZodType>(item: T) =>
  z.strictObject({ items: z.array(item), next: z.string().nullable() });
/** A query parameter that may be repeated. */
export const many = <T extends z.ZodType>(item: T) =>
  z
    .union([z.array(item).max(100), item.transform((value: z.output<T>): z.output<T>[] => [value])])
    .pipe(z.array(z.custom<z.output<T>>()))
    .default([]);
