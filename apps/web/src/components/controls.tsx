import { type ReactNode, useEffect, useId, useState } from 'react';

export const Panel = (props: {
  readonly title: string;
  readonly note?: ReactNode;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
  readonly flush?: boolean;
}) => {
  const id = useId();
  return (
    <section className="panel" aria-labelledby={id}>
      <header className="panel-head">
        <div>
          <h2 id={id}>{props.title}</h2>
          {props.note ? <p>{props.note}</p> : null}
        </div>
        {props.actions ? <div className="row">{props.actions}</div> : null}
      </header>
      <div className="panel-body" style={props.flush ? { paddingInline: 0, paddingBottom: 6 } : undefined}>
        {props.children}
      </div>
    </section>
  );
};

/** A choice of one option among few, all visible. */
export const Segmented = <V extends string>(props: {
  readonly label: string;
  readonly value: V;
  readonly options: readonly { readonly value: V; readonly title: string }[];
  readonly onChange: (value: V) => void;
}) => (
  <fieldset className="segmented" style={{ border: 0, margin: 0 }}>
    <legend className="hidden-visually">{props.label}</legend>
    {props.options.map(({ value, title }) => (
      <button
        key={value}
        type="button"
        aria-pressed={value === props.value}
        onClick={() => props.onChange(value)}
      >
        {title}
      </button>
    ))}
  </fieldset>
);

/** Browsers allow `navigator.clipboard` only on secure pages; `execCommand` works on the others. */
const copyText = async (text: string): Promise<void> => {
  if (navigator.clipboard !== undefined) return navigator.clipboard.writeText(text);
  const area = document.createElement('textarea');
  area.value = text;
  area.style.position = 'fixed';
  document.body.append(area);
  area.select();
  const copied = document.execCommand('copy');
  area.remove();
  if (!copied) throw new Error('The browser refused to copy');
};

/** Makes a text on click, copies it, and shows whether this worked. */
export const CopyButton = (props: {
  readonly title: string;
  readonly text: () => string | Promise<string>;
}) => {
  const [state, setState] = useState<'idle' | 'copied' | 'failed'>('idle');
  useEffect(() => {
    if (state === 'idle') return;
    const timer = setTimeout(() => setState('idle'), 2000);
    return () => clearTimeout(timer);
  }, [state]);
  const copy = async () => {
    try {
      await copyText(await props.text());
      setState('copied');
    } catch {
      setState('failed');
    }
  };
  return (
    <button type="button" className="button" onClick={copy} aria-live="polite">
      {state === 'copied' ? 'Copied' : state === 'failed' ? 'Could not copy' : props.title}
    </button>
  );
};

/** A sentence from the contracts; text between backticks is shown as code. */
export const Prose = ({ text }: { readonly text: string }) => (
  <>{text.split('`').map((part, i) => (i % 2 === 1 ? <code key={i}>{part}</code> : part))}</>
);
