import { describe, expect, it } from 'vitest';
import { createPagedList, type Page } from '../../src/data/paged-list.ts';

type Item = { readonly id: string; readonly value: number };

/** A server with a list that can change between pages. */
const server = (items: Item[], size = 2) => {
  const state = { items, calls: 0, fault: null as Error | null };
  const load = async (cursor: string | undefined): Promise<Page<Item>> => {
    state.calls += 1;
    if (state.fault) throw state.fault;
    const from = cursor === undefined ? 0 : state.items.findIndex(({ id }) => id === cursor) + 1;
    const page = state.items.slice(from, from + size);
    const next = from + size < state.items.length ? page.at(-1)!.id : null;
    return { items: page, next };
  };
  return { state, list: createPagedList(load, (item) => item.id) };
};

const numbers = (n: number): Item[] => Array.from({ length: n }, (_, i) => ({ id: `i${i}`, value: i }));

describe('a list in pages', () => {
  it('has every item once, in order, after all pages', async () => {
    const { list } = server(numbers(5));
    await list.all(new AbortController().signal);
    expect(list.read()).toMatchObject({ partial: false, loading: false });
    expect(list.read().items.map(({ id }) => id)).toEqual(['i0', 'i1', 'i2', 'i3', 'i4']);
  });

  it('fetches a page once, however often it is asked for at the same time', async () => {
    const { state, list } = server(numbers(5));
    await Promise.all([list.more(), list.more(), list.more()]);
    expect(state.calls).toBe(1);
  });

  it('says what went wrong, and goes on where it was', async () => {
    const { state, list } = server(numbers(3));
    await list.more();
    state.fault = new Error('away');
    await list.more();
    expect(list.read()).toMatchObject({ error: state.fault, partial: true });
    state.fault = null;
    await list.more();
    expect(list.read()).toMatchObject({ error: undefined, partial: false });
    expect(list.read().items).toHaveLength(3);
  });

  it('patches in place and names what it does not have', async () => {
    const { list } = server(numbers(4));
    await list.all(new AbortController().signal);
    const change = (item: Item) => ({ ...item, value: 9 });
    expect(
      list.patch(
        new Map([
          ['i2', change],
          ['elsewhere', change],
        ]),
      ),
    ).toEqual(['elsewhere']);
    expect(list.read().items.map(({ value }) => value)).toEqual([0, 1, 9, 3]);
  });

  it('refreshes only pages of interest, and takes in what is new without losing what slid down', async () => {
    const { state, list } = server(numbers(4));
    await list.all(new AbortController().signal);
    state.calls = 0;
    state.items = [
      { id: 'new', value: 7 },
      ...state.items.map((item) => ({ ...item, value: item.value + 10 })),
    ];
    await list.refresh(({ id }) => id === 'i0');
    expect(state.calls).toBe(1);
    expect(list.read().items.map(({ id, value }) => `${id}:${value}`)).toEqual([
      'new:7',
      'i0:10',
      'i1:1',
      'i2:2',
      'i3:3',
    ]);
  });

  it('forgets what was deleted', async () => {
    const { list } = server(numbers(3));
    await list.all(new AbortController().signal);
    list.remove('i1');
    expect(list.has('i1')).toBe(false);
    expect(list.read().items.map(({ id }) => id)).toEqual(['i0', 'i2']);
  });
});
