import { InfiniteQueryObserver } from '@tanstack/react-query';
import { describe, expect, it } from 'vitest';
import { itemsOf, listChanges, listOptions, type Page } from '../../src/data/paged-list.ts';
import { createQueryClient } from '../../src/data/query-client.ts';

type Item = { readonly id: string; readonly value: number };

/** A server with a list that can change between pages, and a list of its pages. */
const setup = (items: Item[], size = 2, grows = false) => {
  const state = { items, calls: 0, fault: null as Error | null };
  const idOf = ({ id }: Item) => id;
  const load = async (cursor: string | undefined): Promise<Page<Item>> => {
    state.calls += 1;
    await Promise.resolve();
    if (state.fault) throw state.fault;
    const from = cursor === undefined ? 0 : state.items.findIndex(({ id }) => id === cursor) + 1;
    const page = state.items.slice(from, from + size);
    const next = from + size < state.items.length ? page.at(-1)!.id : null;
    return { items: page, next };
  };
  const client = createQueryClient();
  const query = { key: ['list'], load, idOf, grows };
  const observer = new InfiniteQueryObserver(client, listOptions<Item>(query));
  const more = () => observer.fetchNextPage({ cancelRefetch: false });
  const all = async () => {
    await more();
    while (observer.getCurrentResult().hasNextPage) await more();
  };
  const shown = () => itemsOf(client.getQueryData(['list']), idOf);
  const read = () => {
    const { error, hasNextPage } = observer.getCurrentResult();
    return { error, hasNextPage };
  };
  observer.subscribe(() => undefined);
  return { state, more, all, shown, read, list: listChanges<Item>(client, query) };
};

const numbers = (n: number): Item[] => Array.from({ length: n }, (_, i) => ({ id: `i${i}`, value: i }));
const ids = (items: readonly Item[]) => items.map(({ id }) => id);

describe('a paged list', () => {
  it('has every item once, in order, after all pages', async () => {
    const { all, shown, read } = setup(numbers(5));
    await all();
    expect(read().hasNextPage).toBe(false);
    expect(ids(shown())).toEqual(['i0', 'i1', 'i2', 'i3', 'i4']);
  });

  it('fetches a page once for several requests at the same time', async () => {
    const { state, more } = setup(numbers(5));
    await Promise.all([more(), more(), more()]);
    expect(state.calls).toBe(1);
  });

  it('keeps its items after an error, and continues', async () => {
    const { state, more, shown, read } = setup(numbers(3));
    await more();
    state.fault = new Error('away');
    await more();
    expect(read()).toMatchObject({ error: state.fault, hasNextPage: true });
    expect(shown()).toHaveLength(2);
    state.fault = null;
    await more();
    expect(read()).toMatchObject({ error: null, hasNextPage: false });
    expect(shown()).toHaveLength(3);
  });

  it('patches items in place and ignores unknown ones', async () => {
    const { all, list, shown } = setup(numbers(4));
    await all();
    const change = (item: Item) => ({ ...item, value: 9 });
    list.patch(
      new Map([
        ['i2', change],
        ['elsewhere', change],
      ]),
    );
    expect(shown().map(({ value }) => value)).toEqual([0, 1, 9, 3]);
    expect([list.has('i2'), list.has('elsewhere')]).toEqual([true, false]);
  });

  it('keeps a patch that is made while a page loads', async () => {
    const { more, list, shown } = setup(numbers(4));
    await more();
    const loading = more();
    list.patch(new Map([['i0', (item: Item) => ({ ...item, value: 9 })]]));
    expect(shown()[0]!.value).toBe(9);
    await loading;
    expect(shown().map(({ value }) => value)).toEqual([9, 1, 2, 3]);
  });

  it('refreshes only the pages with wanted items, and keeps items that moved down', async () => {
    const { state, all, list, shown } = setup(numbers(4));
    await all();
    state.calls = 0;
    state.items = [
      { id: 'new', value: 7 },
      ...state.items.map((item) => ({ ...item, value: item.value + 10 })),
    ];
    await list.refresh(({ id }) => id === 'i0');
    expect(state.calls).toBe(1);
    expect(shown().map(({ id, value }) => `${id}:${value}`)).toEqual([
      'new:7',
      'i0:10',
      'i1:1',
      'i2:2',
      'i3:3',
    ]);
  });

  it('finds new items at its end with a refresh, and the pages after them', async () => {
    const { state, all, list, shown, read } = setup(numbers(3), 2, true);
    await all();
    state.items = numbers(7);
    await list.refresh(() => false);
    expect(ids(shown())).toEqual(['i0', 'i1', 'i2', 'i3']);
    expect(read().hasNextPage).toBe(true);
    await all();
    expect(ids(shown())).toEqual(ids(numbers(7)));
  });

  it('fetches no page without wanted items if it does not grow', async () => {
    const { state, all, list } = setup(numbers(3));
    await all();
    state.calls = 0;
    await list.refresh(() => false);
    expect(state.calls).toBe(0);
  });

  it('keeps its items if a refresh fails, until a refresh succeeds', async () => {
    const { state, all, list, shown, read } = setup(numbers(4));
    await all();
    state.fault = new Error('away');
    await list.refresh(() => true);
    expect(read().error).toBe(state.fault);
    expect(shown()).toHaveLength(4);
    state.fault = null;
    await list.refresh(() => true);
    expect(read().error).toBeNull();
  });

  it('forgets a deleted item', async () => {
    const { all, list, shown } = setup(numbers(3));
    await all();
    list.remove('i1');
    expect(list.has('i1')).toBe(false);
    expect(ids(shown())).toEqual(['i0', 'i2']);
  });
});
