import { useEffect, useState } from 'react';

/** Browsers give the clipboard only to pages that are served securely; elsewhere the old way still works. */
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
      await copyText(await props.text());
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
