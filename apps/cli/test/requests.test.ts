import type { Client } from '@funnel/client';
import { expect, it } from 'vitest';
import { findSweep } from '../src/requests.ts';

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
