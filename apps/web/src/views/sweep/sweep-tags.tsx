/** The tags of a sweep: links to the sweeps with the same tag, and a field that adds some. */
import { type Sweep, SweepTag } from '@funnel/contracts';
import { useState } from 'react';
import { ErrorNotice } from '../../components/states.tsx';
import { useAnnotate } from '../../data/annotate.ts';
import { href } from '../../router.ts';

type Typed = { readonly tags: readonly string[]; readonly fault: string | null };

/** Spaces and commas separate tags. */
const readTyped = (text: string): Typed => {
  const words = text.split(/[\s,]+/).filter((word) => word !== '');
  for (const word of words) {
    const { error } = SweepTag.safeParse(word);
    if (error) return { tags: [], fault: `${error.issues[0]?.message}, but got ${word}` };
  }
  return { tags: words.map((word) => SweepTag.parse(word)), fault: null };
};

export const SweepTags = ({ sweep: { id, tags = [] } }: { readonly sweep: Sweep }) => {
  const { annotate, busy, error, clearError } = useAnnotate(id);
  const [text, setText] = useState('');
  const [fault, setFault] = useState<string | null>(null);
  const change = (value: string) => {
    setText(value);
    setFault(null);
    clearError();
  };
  const add = async () => {
    const typed = readTyped(text);
    setFault(typed.fault);
    if (typed.tags.length > 0 && (await annotate({ addTags: [...typed.tags] }))) setText('');
  };
  return (
    <div className="stack" style={{ gap: 6 }}>
      <div className="sweep-tags">
        <ul aria-label="Tags">
          {tags.map((tag) => (
            <li key={tag} className="chip">
              <a href={href(['sweeps'], { tag })} title={`Sweeps with the tag ${tag}`}>
                {tag}
              </a>
              <button
                type="button"
                disabled={busy}
                aria-label={`Remove the tag ${tag}`}
                onClick={() => void annotate({ removeTags: [tag] })}
              >
                ×
              </button>
            </li>
          ))}
        </ul>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            void add();
          }}
        >
          <input
            className="input"
            aria-label="Add a tag"
            aria-invalid={fault !== null}
            placeholder="Add a tag"
            autoCapitalize="none"
            value={text}
            onChange={(event) => change(event.target.value)}
            onKeyDown={(event) => event.key === 'Escape' && change('')}
          />
          {text.trim() === '' ? null : (
            <button type="submit" className="button" data-size="small" disabled={busy}>
              Add
            </button>
          )}
        </form>
      </div>
      {fault === null ? null : (
        <p className="field-error" role="alert">
          {fault}
        </p>
      )}
      <ErrorNotice error={error} />
    </div>
  );
};
