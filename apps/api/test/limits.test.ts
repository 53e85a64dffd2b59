/** The limits: their table in the documents, and clients that reach them while others do not notice. */
import { readFile } from 'node:fs/promises';
import {
  errors,
  formatAmount,
  formatBytes,
  type Limit,
  type LimitState,
  limitNames,
  limits,
} from '@funnel/contracts';
import { type Db, saveToken } from '@funnel/db';
import { describe, expect, onTestFinished, test } from 'vitest';
import { hashToken } from '../src/access/tokens.ts';
import type { ApiOptions } from '../src/app.ts';
import { answerWithin } from '../src/request/time-limits.ts';
import { build, oneTrial } from './build.ts';

const valueText = ({ unit, default: value }: Limit): string => {
  if (value === null) return '';
  return {
    bytes: formatBytes,
    seconds: (seconds: number) => `${formatAmount(seconds)} s`,
    number: formatAmount,
  }[unit](value);
};
const rowOf = (limit: Limit): string => {
  const { text, variable, code, otherwise } = limit;
  const beyond = code === null ? otherwise : `${errors[code].status} \`${code}\``;
  return `| ${text} | ${valueText(limit)} | ${variable === null ? '' : `\`${variable}\``} | ${beyond} |`;
};

test('docs/operations.md has the table of all limits', async () => {
  const document = await readFile(new URL('../../../docs/operations.md', import.meta.url), 'utf8');
  const table = [
    '| limit | default | variable | beyond it |',
    '|---|---|---|---|',
    ...limitNames.map((name) => rowOf(limits[name])),
  ].join('\n');
  expect(document).toContain(table);
});

const header = (token: string) => ({ authorization: `Bearer ${token}` });
const addTokens = async (db: Db): Promise<void> => {
  for (const name of ['alice', 'bob']) await saveToken(db, { name, role: 'submit', hash: hashToken(name) });
};
const open = async (options: Partial<ApiOptions>) => {
  const api = await build({ prepare: addTokens, ...options });
  onTestFinished(api.close);
  const call = (token: string, url: string, payload?: object) =>
    api.app.inject({
      ...{ method: payload ? 'POST' : 'GET', url, headers: header(token) },
      ...(payload && { payload }),
    });
  const stateOf = async (token: string, name: string): Promise<LimitState> => {
    const { items } = (await call(token, '/v1/limits')).json<{ items: LimitState[] }>();
    return items.find((item) => item.name === name)!;
  };
  return { ...api, call, stateOf };
};

/** Plans wait for the returned function, because they read stages. */
const holdStages = async (db: Db): Promise<() => Promise<void>> => {
  const client = await db.connect();
  await client.query('BEGIN; LOCK TABLE stages IN ACCESS EXCLUSIVE MODE');
  let isHeld = true;
  const release = async (): Promise<void> => {
    if (!isHeld) return;
    isHeld = false;
    await client.query('ROLLBACK');
    client.release();
  };
  onTestFinished(release);
  return release;
};

/** 1,600 trials: planned in a process. */
const medium = {
  ...oneTrial,
  space: { ...oneTrial.space, gamma: { min: 1, max: 2, count: 40 }, beta: { min: 0.1, max: 1, count: 40 } },
};

describe('a token', () => {
  test('that has its number of sweeps is refused, and another one is not', async () => {
    const { app, call, stateOf } = await open({ limits: { ownSweeps: 2 } });
    const submit = (token: string, seed: number) =>
      call(token, '/v1/sweeps', { ...oneTrial, name: `${token} ${seed}`, seeds: [seed] });
    const [first, second] = [await submit('alice', 1), await submit('alice', 2)];
    expect([first.statusCode, second.statusCode]).toEqual([201, 201]);
    const refused = await submit('alice', 3);
    expect(refused.statusCode).toBe(403);
    expect(refused.json()).toMatchObject({
      code: 'TOO_MANY_OWN_SWEEPS',
      detail: expect.stringContaining('at most 2 unfinished sweeps of one token or address') as string,
      hint: expect.stringMatching(/cancel some, .*FUNNEL_MAX_SWEEPS_PER_TOKEN/) as string,
    });
    expect((await submit('bob', 1)).statusCode).toBe(201);
    expect(await stateOf('alice', 'ownSweeps')).toMatchObject({ value: 2, used: 2 });
    expect(await stateOf('bob', 'ownSweeps')).toMatchObject({
      ...{ value: 2, used: 1, unit: 'number', variable: 'FUNNEL_MAX_SWEEPS_PER_TOKEN' },
    });
    const url = `/v1/sweeps/${first.json().id}/cancel`;
    expect((await app.inject({ method: 'POST', url, headers: header('alice') })).statusCode).toBe(200);
    expect((await submit('alice', 3)).statusCode).toBe(201);
  });

  test('that stores its number of bytes is refused, with the estimate of the sweep, and another one is not', async () => {
    const { call, stateOf } = await open({ limits: { ownBytes: 60e6 } });
    const submit = (token: string, seed: number) =>
      call(token, '/v1/sweeps', { ...oneTrial, name: `${token} ${seed}`, seeds: [seed] });
    const { estimate } = (await call('bob', '/v1/sweeps/plan', oneTrial)).json();
    const fits = Math.floor(60e6 / estimate.storedBytes);
    for (let seed = 0; seed < fits; seed++) expect((await submit('alice', seed)).statusCode).toBe(201);
    expect((await stateOf('alice', 'ownBytes')).used).toBe(fits * estimate.storedBytes);
    const refused = await submit('alice', fits);
    expect(refused.statusCode).toBe(403);
    expect(refused.json()).toMatchObject({
      code: 'TOO_MANY_OWN_BYTES',
      detail: expect.stringMatching(
        /at most 57\.2 MiB .*\(FUNNEL_MAX_BYTES_PER_TOKEN\).*store 0 B, may store .* [KM]iB more until they end/,
      ) as string,
    });
    expect((await submit('bob', fits)).statusCode).toBe(201);
  });

  test('that plans too much at once waits, and is refused with Retry-After; another one gets its plan', async () => {
    const { call, app, db } = await open({ limits: { ownPlans: 1, planSeconds: 60 } });
    const release = await holdStages(db);
    const first = call('alice', '/v1/sweeps/plan', medium);
    await expect.poll(() => app.planning.plansOf('token alice')).toBe(1);
    const refused = await call('alice', '/v1/sweeps/plan', medium);
    expect(refused.statusCode).toBe(429);
    expect(refused.headers['retry-after']).toBe('60');
    expect(refused.json()).toMatchObject({
      code: 'TOO_MANY_OWN_PLANS',
      detail:
        'Expected at most 1 plan of one token or address at a time (FUNNEL_MAX_PLANS_PER_TOKEN), but this one waited for 3 s while that many were being made',
    });
    const other = call('bob', '/v1/sweeps/plan', medium);
    await expect.poll(() => app.planning.plansOf('token bob')).toBe(1);
    await release();
    expect([(await first).statusCode, (await other).statusCode]).toEqual([200, 200]);
  });
});

/** Real connections, because `inject` ends a request in another way than Node. */
const asking = async (planSeconds: number) => {
  const own = await open({ limits: { planSeconds } });
  const url = await own.app.listen({ host: '127.0.0.1', port: 0 });
  const plan = (signal?: AbortSignal) =>
    fetch(`${url}/v1/sweeps/plan`, {
      method: 'POST',
      headers: { ...header('alice'), 'content-type': 'application/json' },
      body: JSON.stringify(medium),
      ...(signal && { signal }),
    });
  return { ...own, url, plan, plans: () => own.app.planning.plansOf('token alice') };
};
const longWait = { timeout: 30_000 };

describe('a plan', () => {
  test('that is not made in time is refused, and its process has ended', async () => {
    const { app, db, plan, plans } = await asking(3);
    // Until a planning process is ready, the service says so.
    await expect
      .poll(
        async () => {
          const { status, headers } = await plan();
          if (status !== 200) expect([status, headers.get('retry-after')]).toEqual([503, '5']);
          return status;
        },
        { timeout: 60_000 },
      )
      .toBe(200);
    await holdStages(db);
    const refused = await plan();
    expect(refused.status).toBe(422);
    expect(await refused.json()).toMatchObject({
      code: 'SWEEP_TOO_LARGE',
      detail:
        'Expected a plan within 3 s (FUNNEL_PLAN_SECONDS), but this one takes more. Its largest dimension is space.gamma with 40 values.',
      issues: [{ path: 'space.gamma', expected: 'fewer values', received: '40 values' }],
    });
    expect(plans()).toBe(0);
    expect(app.planning.processes().length).toBeLessThanOrEqual(1); // one waits for the next question
  });

  test('whose client has gone is stopped', async () => {
    const { db, plan, plans } = await asking(100);
    await holdStages(db);
    const leaving = new AbortController();
    const asked = plan(leaving.signal);
    const left = expect(asked).rejects.toThrow();
    await expect.poll(plans, longWait).toBe(1);
    leaving.abort();
    await left;
    await expect.poll(plans, longWait).toBe(0);
  });
});

test('an answer that takes too long is UNAVAILABLE, and one that is there in time is given', async () => {
  await expect(answerWithin(0.01, () => new Promise(() => {}))).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: 'Expected an answer within 0.01 s, but it takes longer',
  });
  expect(await answerWithin(60, async () => 1)).toBe(1);
});

describe('an address', () => {
  const from = (remoteAddress: string, forwarded?: string) => ({
    remoteAddress,
    ...(forwarded !== undefined && { headers: { ...header('alice'), 'x-forwarded-for': forwarded } }),
  });

  test('has a share of its own while no token is needed', async () => {
    const { app, close } = await build({ limits: { ownSweeps: 1 } });
    onTestFinished(close);
    const submit = async (remoteAddress: string, seed: number) => {
      const payload = { ...oneTrial, seeds: [seed] };
      return (await app.inject({ method: 'POST', url: '/v1/sweeps', payload, remoteAddress })).statusCode;
    };
    expect([await submit('10.0.0.1', 1), await submit('10.0.0.1', 2), await submit('10.0.0.2', 2)]).toEqual([
      201, 403, 201,
    ]);
  });

  test('behind a proxy is the one that the proxy adds, and none if no proxy is trusted', async () => {
    const proxied = await open({ trustProxy: true, limits: { requestsPerMinute: 2 } });
    const ask = async (app: typeof proxied.app, address: string, forwarded: string) =>
      (await app.inject({ url: '/healthz', ...from(address, forwarded) })).statusCode;
    // The caller writes the first address anew each time; the proxy adds the second.
    const statuses = [];
    for (const forwarded of [
      '1.1.1.1, 10.0.0.1',
      '2.2.2.2, 10.0.0.1',
      '3.3.3.3, 10.0.0.1',
      '3.3.3.3, 10.0.0.2',
    ])
      statuses.push(await ask(proxied.app, '192.168.0.1', forwarded));
    expect(statuses).toEqual([200, 200, 429, 200]);

    const direct = await open({ limits: { requestsPerMinute: 2 } });
    const written = [];
    for (const forwarded of ['1.1.1.1', '2.2.2.2', '3.3.3.3'])
      written.push(await ask(direct.app, '10.0.0.1', forwarded));
    expect(written).toEqual([200, 200, 429]);
    expect(await ask(direct.app, '10.0.0.2', '1.1.1.1')).toBe(200);
  });
});
