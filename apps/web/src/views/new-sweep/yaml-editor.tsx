/** The sweep file as text, and its mistakes with their lines, in the words of `funnel plan FILE`. */
import { AppError, mistakesTitle, type ProblemIssue } from '@funnel/contracts';
import { useEffect, useState } from 'react';
import { Panel } from '../../components/controls.tsx';
import { ErrorNotice, Skeleton } from '../../components/states.tsx';
import { loadYaml, type Yaml } from '../../yaml.ts';

export type YamlState = { readonly text: string; readonly value: unknown; readonly fault: string | null };

export const readText = ({ read }: Pick<Yaml, 'read'>, text: string): YamlState => {
  try {
    return { text, value: read(text), fault: null };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { text, value: undefined, fault: error.message.replace(/^In the body, /, '') };
  }
};

const Mistakes = ({ texts }: { readonly texts: readonly string[] }) =>
  texts.length === 0 ? null : (
    <div className="field-error yaml-mistakes" role="alert">
      <p>{mistakesTitle('The file', texts.length)}</p>
      <ul>
        {texts.map((text) => (
          <li key={text}>{text}</li>
        ))}
      </ul>
    </div>
  );

/**
 * An editor for the sweep file. It appears once the parser has loaded. Text and value change together, so the form and the submission
 * always use the text that is shown.
 */
export const YamlEditor = (props: {
  readonly start: object;
  readonly state: YamlState | null;
  /** What is wrong with the sweep of this text. */
  readonly issues: readonly ProblemIssue[];
  readonly onChange: (state: YamlState) => void;
}) => {
  const { state, issues, onChange } = props;
  const [start] = useState(props.start);
  const [yaml, setYaml] = useState<Yaml | null>(null);
  const [error, setError] = useState<unknown>(undefined);
  useEffect(() => {
    let current = true;
    const onLoaded = (loaded: Yaml) => {
      if (!current) return;
      setYaml(loaded);
      onChange({ text: loaded.write(start), value: start, fault: null });
    };
    loadYaml().then(onLoaded, (fault: unknown) => current && setError(fault));
    return () => {
      current = false;
    };
  }, [start]);

  if (error !== undefined) return <ErrorNotice error={error} />;
  if (yaml === null || state === null) return <Skeleton height={600} />;
  const mistakes = state.fault === null ? yaml.mistakesIn(state.text, issues) : [state.fault];
  return (
    <Panel
      title="Sweep file"
      note={
        <>
          YAML or JSON, as for <code>npx funnel submit FILE</code>.
        </>
      }
    >
      <textarea
        className="input mono"
        style={{ minHeight: 'min(520px, 50vh)', lineHeight: 1.55 }}
        aria-label="Sweep file"
        spellCheck={false}
        value={state.text}
        aria-invalid={mistakes.length > 0}
        onChange={(event) => onChange(readText(yaml, event.target.value))}
      />
      <Mistakes texts={mistakes} />
    </Panel>
  );
};
