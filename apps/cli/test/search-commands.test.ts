/** The commands about a search. A stand-in server plays the service. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { describeDecisions } from '../src/output/search.ts';
import { funnel, type Ran } from './funnel.ts';
import { decisions, state, sweep, sweepId, trial } from './search-fixtures.ts';

/** A sweep whose search takes a point before the answer comes. */
const taken = 'fedcba9876543210';

describe('funnel', () => {
  const requests: { readonly method: string; readonly url: string; readonly body: string }[] = [];
  const server = createServer(async (request, response) => {
    const { method = '', url = '' } = request;
    let body = '';
    for await (const chunk of request) body += chunk;
    requests.push({ method, url, body });
    const answers: Readonly<Record<string, unknown>> = {
      // A follower that asks for the third time learns that the sweep has ended.
      [`/v1/sweeps/${sweepId}`]:
        requests.filter((each) => each.url === url).length < 3 ? sweep : { ...sweep, status: 'completed' },
      [`/v1/sweeps/${sweepId}/search`]: state(),
      [`/v1/sweeps/${sweepId}/extend`]: sweep,
      [`/v1/sweeps/${sweepId}/points`]: state({ waitingPoints: [{ gamma: 5, beta: 0.01 }] }),
      [`/v1/sweeps/${taken}/points`]: state(),
      [`/v1/sweeps/${sweepId}/decisions`]: url.endsWith('limit=4')
        ? { items: decisions.slice(0, 4), next: '4' }
        : { items: decisions, next: null },
      [`/v1/trials/${trial.id}`]: trial,
      '/v1/workers': { items: [], next: null },
      '/v1/leaderboard': { items: [], next: null },
    };
    const answer = answers[url.replace(/\?.*/, '')];
    response.setHeader('content-type', 'application/json');
    response.statusCode = answer ? 200 : 404;
    const missing = {
      type: 'x',
      title: 'There is no such thing',
      status: 404,
      code: 'NOT_FOUND',
      detail: url,
      hint: 'h',
    };
    response.end(JSON.stringify(answer ?? missing));
  });
  let address = '';
  beforeAll(async () => {
    await once(server.listen(0, '127.0.0.1'), 'listening');
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  beforeEach(() => void requests.splice(0));
  const run = (...args: string[]): Promise<Ran> => funnel([...args, '--url', address]);

  it('decisions: as a table, as CSV, and as JSON with the state of the search', async () => {
    const table = await run('decisions', sweepId);
    expect([table.status, table.stderr]).toEqual([0, '']);
    expect(table.stdout).toBe(`${describeDecisions(state(), decisions)}\n`);
    const csv = await run('decisions', sweepId, '--csv');
    const [titles, first, ...rest] = csv.stdout.split('\r\n');
    expect(titles).toBe(
      'decision,source,configuration,rung,epochs,latent,gamma,beta,outcome,pgd-linf robustAccuracy,reason,promoted,note',
    );
    expect(first).toBe(
      '0,start,0,0,1,32,5,0.012345678,measured,0.4,,true,One of the first points. 1st of 2 at rung 0; the best 1 went on.',
    );
    expect(rest).toHaveLength(5);
    const json = await run('decisions', sweepId, '--json');
    expect(JSON.parse(json.stdout)).toEqual({ search: state(), decisions });
    const both = await run('decisions', sweepId, '--json', '--csv');
    expect([both.status, both.stdout]).toEqual([2, '']);
    const cut = await run('decisions', sweepId, '--limit', '4');
    expect(requests.map(({ url }) => url)).toContain(`/v1/sweeps/${sweepId}/decisions?limit=4`);
    expect([cut.status, cut.stderr]).toEqual([
      0,
      'These are the first 4 decisions; there are more. --limit shows more.\n',
    ]);
  });

  it('show: the state of the search below its sweep, and the decision below a trial', async () => {
    const shown = await run('show', sweepId);
    expect(shown.stdout).toContain(
      '\nsearch    hyperband: 3 of 27 configurations; at most 24 trials to come\n',
    );
    expect(shown.stdout).toContain('\nepochs    0 trained of about 45 planned; ');
    expect(shown.stdout).toContain('\nbest      decision 3, robust accuracy (pgd-linf) 43.1 %\n');
    const made = await run('show', trial.id);
    expect(made.stderr).toBe('');
    expect(made.stdout).toMatch(/\ndecision 3 at rung 1 \(3 epochs\)\n$/);
    expect(requests.at(-1)!.url).toBe(`/v1/sweeps/${sweepId}/decisions?limit=4`);
  });

  it('extend and try send what was asked for', async () => {
    const extended = await run('extend', sweepId, '--trials', '20');
    expect([extended.status, requests.at(-1)]).toEqual([
      0,
      { method: 'POST', url: `/v1/sweeps/${sweepId}/extend`, body: '{"trials":20}' },
    ]);
    const tried = await run('try', sweepId, '--set', 'gamma=5', '--set', 'beta=0.01', '--set', 'recipe=funn');
    expect([tried.status, JSON.parse(requests.at(-1)!.body)]).toEqual([
      0,
      { point: { gamma: 5, beta: 0.01, recipe: 'funn' } },
    ]);
    expect(tried.stdout).toBe('Points that the next proposals take: 1.\n');
    expect((await run('try', taken, '--set', 'gamma=5')).stdout).toBe(
      `The search has taken the point. \`npx funnel decisions ${taken}\` shows its decision.\n`,
    );
  });

  it('watch: the best so far, once', async () => {
    const { status, stderr } = await run('watch', sweepId);
    expect(status, stderr).toBe(0);
    expect(stderr.match(/^searched best so far: .*$/gm)).toEqual([
      'searched best so far: decision 3, robust accuracy (pgd-linf) 43.1 %',
    ]);
    // The command asks for the search again only when something has changed.
    expect(requests.filter(({ url }) => url === `/v1/sweeps/${sweepId}`)).toHaveLength(3);
    expect(requests.filter(({ url }) => url.endsWith('/search'))).toHaveLength(1);
  });

  it('best --all-rungs asks for one ranking of all rungs', async () => {
    const query = async (...args: string[]) => {
      await run('best', '--attack', 'fgsm', ...args);
      return new URL(requests.at(-1)!.url, address).searchParams.get('rungs');
    };
    expect(await query('--all-rungs')).toBe('all');
    expect(await query()).toBeNull();
  });

  it.each([
    [['extend', sweepId], /required option '--trials <number>'/],
    [['extend', sweepId, '--trials', '0'], /Expected a whole number of at least 1/],
    [['try', sweepId], /required option '--set <hyperparameter=value>'/],
    [['try', sweepId, '--set', 'gamma'], /Expected PATH=VALUE/],
    [
      ['try', sweepId, '--set', 'gamma=[1, 2]'],
      /Expected HYPERPARAMETER=VALUE, such as gamma=5, but got gamma=\[1, 2\]/,
    ],
    [['try', sweepId, '--set', 'space.gamma=1'], /Expected HYPERPARAMETER=VALUE/],
  ] as const)('%j is refused before anything is asked', async (args, words) => {
    const { status, stderr } = await run(...args);
    expect(stderr).toMatch(words);
    expect([status, requests]).toEqual([2, []]);
  });
});
