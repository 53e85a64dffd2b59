/** Sends requests, checks each answer, and counts answers by route. */
import { Problem } from '@funnel/contracts';
import { expect } from 'vitest';
import type { ChangedRequest } from './change-request.ts';

export type Answer = { readonly status: number; readonly body: string };

/** Bytes of a refusal, of the plan of any sweep, and of what the small database of the fuzz holds. */
const longestAnswer = 64 * 1024;
/** Bytes of a sweep: its definition may have 10,000 seeds and 1,000 attacks with their settings. */
const longestSweep = 1024 * 1024;
/** Bytes of a page of 1,000 rows. A long run writes so many entries of the audit log. */
const longestPage = 1024 * 1024;

/** `route`: the name of a route. */
const longest = (route: string, { status }: Answer): number => {
  if (status >= 400) return longestAnswer;
  if (route === 'createSweep') return longestSweep;
  return route.startsWith('list') ? longestPage : longestAnswer;
};

const outcomes = ['accepted', 'refused', 'limited'] as const;
type Outcome = (typeof outcomes)[number];

/** The codes that say that a request is too much, not that it is wrong. */
const limits = ['SWEEP_TOO_LARGE', 'BODY_TOO_LARGE', 'RATE_LIMITED', 'TOO_MANY_OWN_STREAMS'];

const outcomeOf = ({ status, body }: Answer): Outcome => {
  if (status < 400) return 'accepted';
  const problem = Problem.safeParse(JSON.parse(body));
  return problem.success && limits.includes(problem.data.code) ? 'limited' : 'refused';
};

type Slowest = { readonly ms: number; readonly what: string };

export type FuzzClient = {
  /** Sends the request, and fails for an answer that is a fault of the service, too long, or no problem document. `what`: says what it tries. */
  readonly send: (route: string, request: ChangedRequest, what: string) => Promise<Answer>;
  /** The slowest answer since the last call, and the number of answers of each route by outcome. */
  readonly takeReport: () => {
    readonly slowest: Slowest;
    readonly counts: Readonly<Record<string, Readonly<Record<Outcome, number>>>>;
  };
};

/** `faults`: the last errors in the log of the API. */
export const createFuzzClient = (url: string, faults: () => string): FuzzClient => {
  let slowest: Slowest = { ms: 0, what: '' };
  let counts: Record<string, Record<Outcome, number>> = {};

  const ask = async ({ method, url: path, headers, body }: ChangedRequest): Promise<Answer> => {
    const stop = new AbortController();
    const response = await fetch(url + path, {
      method,
      headers,
      ...(body !== undefined && { body }),
      signal: stop.signal,
    });
    if (!response.headers.get('content-type')?.startsWith('text/event-stream'))
      return { status: response.status, body: await response.text() };
    stop.abort();
    return { status: response.status, body: '' };
  };

  return {
    send: async (route, request, what) => {
      const start = performance.now();
      const answer = await ask(request);
      const ms = Math.round(performance.now() - start);
      if (ms > slowest.ms) slowest = { ms, what: `${route}: ${what}` };
      const shown = `${route}: ${what} → ${answer.status} ${answer.body.slice(0, 300)}`;
      if (answer.status >= 500) throw new Error(`${shown}\n${faults()}`);
      expect(Buffer.byteLength(answer.body), shown).toBeLessThan(longest(route, answer));
      if (answer.status >= 400) expect(Problem.safeParse(JSON.parse(answer.body)).success, shown).toBe(true);
      counts[route] ??= { accepted: 0, refused: 0, limited: 0 };
      counts[route][outcomeOf(answer)]++;
      return answer;
    },
    takeReport: () => {
      const report = {
        slowest,
        counts: Object.fromEntries(Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1))),
      };
      slowest = { ms: 0, what: '' };
      counts = {};
      return report;
    },
  };
};
