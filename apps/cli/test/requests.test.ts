import type { Client } from '@funnel/client';
import { describe, expect, it } from 'vitest';
import { findSweep, findSweepOrTrial, findTrial } from '../src/requests.ts';

/** A service with so many sweeps of this name, which counts the rows that it sends. */
const serviceWith = (count: number, name: string) => {
  let sent = 0;
  const listSweeps = async ({
    query: { cursor = '0', limit },
  }: {
    query: { cursor?: string; limit: number };
  }) => {
    const first = Number(cursor);
    const items = Array.from({ length: Math.min(limit, count - first) }, (_, i) => ({
      id: (first + i).toString(16).padStart(16, '0'),
      ...{ name, status: 'completed' },
    }));
    sent += items.length;
    return { items, next: first + limit < count ? String(first + limit) : null };
  };
  return { client: { listSweeps } as unknown as Client, sent: () => sent };
};

it('a name that too many sweeps share names none of them, and not all of them are read', async () => {
  const { client, sent } = serviceWith(100_000, 'nightly');
  await expect(findSweep(client, 'nightly')).rejects.toThrow(
    /^More than 1,000 sweeps have nightly in their name or id\. Give the id of one of them:\n {2}0000000000000000 {2}completed {2}nightly\n.*… and many more$/s,
  );
  expect(sent()).toBe(1000);
});

it('the name of one sweep is that sweep', async () => {
  const { client } = serviceWith(1, 'nightly');
  expect(await findSweep(client, 'nightly')).toBe('0000000000000000');
});

/** A service with one sweep of each name, newest first. */
const serviceOf = (...names: string[]): Client => {
  const sweeps = names.map((name, i) => ({ id: `${i}`.repeat(16), name, status: 'completed' }));
  const listSweeps = async ({ query: { search = '' } }: { query: { search?: string } }) => ({
    items: sweeps.filter(({ id, name }) => name.includes(search) || id.startsWith(search)),
    next: null,
  });
  return { listSweeps } as unknown as Client;
};

describe('a misspelt name', () => {
  const client = serviceOf('nightly', 'γ against β', 'First sweep of the week');
  const nightly =
    'There is no sweep with the id or the name nigthly. Did you mean one of these?\n  0000000000000000  completed  nightly';

  it('of a sweep is answered with the sweeps that resemble it', async () => {
    await expect(findSweep(client, 'nigthly')).rejects.toThrow(nightly);
    await expect(findSweep(client, 'agianst')).rejects.toThrow(
      'Did you mean one of these?\n  1111111111111111  completed  γ against β',
    );
  });

  it('of the sweep of a trial too', async () => {
    await expect(findTrial(client, 'nigthly-3')).rejects.toThrow(nightly);
    await expect(findSweepOrTrial(client, 'nigthly')).rejects.toThrow(nightly);
    await expect(findSweepOrTrial(client, 'nigthly-3')).rejects.toThrow(nightly);
  });

  it('without a letter is refused', async () => {
    for (const word of ['', ' '])
      await expect(findSweepOrTrial(client, word)).rejects.toThrow(
        /^Expected the id or the name of a sweep, but got an empty text/,
      );
  });

  it('like latest is answered with latest', async () => {
    await expect(findTrial(client, 'latst-0')).rejects.toThrow(
      'There is no sweep with the id or the name latst.\n→ Did you mean latest? It names the newest sweep.',
    );
  });

  it('that resembles none is answered with the command that lists them', async () => {
    await expect(findSweep(client, 'zzzzzzz')).rejects.toThrow(
      'There is no sweep with the id or the name zzzzzzz.\n→ `npx funnel ls` lists sweeps.',
    );
  });
});
