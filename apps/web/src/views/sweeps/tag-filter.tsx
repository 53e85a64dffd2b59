/** The filter of the list by tags, which is a part of the address: `#/sweeps?tag=baseline,paper/v2`. No tag has a comma. */
import { SweepTag } from '@funnel/contracts';
import { href, useAddressQuery, useQueryValue } from '../../router.ts';

export type TagFilter = {
  /** The sweeps of the list have all of these. */
  readonly tags: readonly string[];
  /** The address of the list with this tag, too. */
  readonly hrefWith: (tag: string) => string;
  readonly set: (tags: readonly string[]) => void;
};

/** The valid tags of an address. */
export const readTags = (text: string | null | undefined): string[] =>
  (text ?? '').split(',').flatMap((word) => SweepTag.safeParse(word).data ?? []);

export const useTagFilter = (): TagFilter => {
  const query = useAddressQuery();
  const [text, setText] = useQueryValue('tag');
  const tags = readTags(text);
  return {
    tags,
    hrefWith: (tag) =>
      href(['sweeps'], { ...Object.fromEntries(query), tag: [...new Set([...tags, tag])].join(',') }),
    set: (next) => setText(next.length === 0 ? undefined : next.join(',')),
  };
};

/** The tags of the filter, each with a button that leaves it out. */
export const ChosenTags = ({ filter: { tags, set } }: { readonly filter: TagFilter }) =>
  tags.length === 0 ? null : (
    <ul className="sweeps-chosen" aria-label="Only sweeps with these tags">
      {tags.map((tag) => (
        <li key={tag} className="chip">
          {tag}
          <button
            type="button"
            aria-label={`Also sweeps without the tag ${tag}`}
            onClick={() => set(tags.filter((other) => other !== tag))}
          >
            ×
          </button>
        </li>
      ))}
    </ul>
  );

/** A row has room for so many tags. */
const maxShown = 2;

/** The first tags of a sweep. Each adds itself to the filter. */
export const RowTags = (props: {
  readonly tags: readonly string[];
  readonly filter: Pick<TagFilter, 'hrefWith'>;
}) => {
  const { tags, filter } = props;
  const rest = tags.slice(maxShown);
  return (
    <>
      {tags.slice(0, maxShown).map((tag) => (
        <a key={tag} className="tag" href={filter.hrefWith(tag)} title={`Only sweeps with the tag ${tag}`}>
          {tag}
        </a>
      ))}
      {rest.length === 0 ? null : (
        <span className="tag" title={rest.join(', ')}>
          +{rest.length}
        </span>
      )}
    </>
  );
};
