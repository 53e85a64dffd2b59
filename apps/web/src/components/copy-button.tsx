import { useEffect, useState } from 'react';

/** Copies a text, made when it is asked for. Says that it has. */
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
      await navigator.clipboard.writeText(await props.text());
      setState('copied');
    } catch {
      setState('failed');
    }
  };
  return (
    <button type="button" className="button" onClick={copy} aria-live="polite">
      {state === 'copied' ? 'Copied' : state === 'failed' ? 'Cannot copy here' : props.title}
    </button>
  );
};
