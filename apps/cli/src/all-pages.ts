type Page<Item> = { readonly items: readonly Item[]; readonly next: string | null };

/** Every item of a paged route, one page after the other, at most `most`. */
export const allPages = async <Item>(
  ask: (page: { limit: number; cursor?: string }) => Promise<Page<Item>>,
  most = Number.POSITIVE_INFINITY,
): Promise<Item[]> => {
  const items: Item[] = [];
  let cursor: string | undefined;
  do {
    const limit = Math.min(1000, most - items.length);
    const page: Page<Item> = await ask({ limit, ...(cursor === undefined ? {} : { cursor }) });
    items.push(...page.items);
    cursor = page.next ?? undefined;
  } while (cursor !== undefined && items.length < most);
  return items;
};
