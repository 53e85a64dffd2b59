/** What is declared of a route. `role` is the least role that may call it; `null` is open to all. */
import type { z } from 'zod';
import type { ErrorCode } from '../errors.ts';

export const roles = ['read', 'submit', 'admin'] as const;
export type Role = (typeof roles)[number];

export type Route = {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Fastify's notation: `:id`. */
  readonly url: string;
  readonly summary: string;
  readonly role: Role | null;
  readonly params?: z.ZodType;
  readonly query?: z.ZodType;
  readonly body?: z.ZodType;
  readonly headers?: z.ZodType;
  /** `text/event-stream` and binary routes have no schema: `produces` names their type. */
  readonly response?: z.ZodType;
  readonly produces?: string;
  readonly status?: 200 | 201 | 204;
  readonly errors: readonly ErrorCode[];
};
