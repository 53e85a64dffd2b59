/**
 * Numbers that may be infinite, such as a median distance where most images withstand. JSON has no infinity: there it is the text
 * "Infinity", which `Number`, PostgreSQL's `::float8` and Python's `float` read.
 */
import { z } from 'zod';

export const orInfinity = (finite: z.ZodNumber) => z.union([finite, z.literal('Infinity')]);
export const ExtendedNumber = orInfinity(z.number());
export type ExtendedNumber = z.infer<typeof ExtendedNumber>;

/** `value` must not be NaN or −∞: a number that does not exist is null. */
export const writeExtended = (value: number): ExtendedNumber =>
  value === Number.POSITIVE_INFINITY ? 'Infinity' : value;

export const readExtended = <Missing extends null | undefined>(
  value: ExtendedNumber | Missing,
): number | Missing => (value === null || value === undefined ? value : Number(value));
