import { useEffect, useState } from 'react';
import { Panel } from '../../components/panel.tsx';
import { ErrorNotice, Skeleton } from '../../components/states.tsx';
import { loadYaml, type Yaml } from '../../yaml.ts';

export type YamlState = { readonly text: string; readonly value: unknown; readonly fault: string | null };

const read = ({ parse }: Yaml, text: string): YamlState => {
  try {
    return { text, value: parse(text), fault: null };
  } catch (error) {
    return { text, value: undefined, fault: error instanceof Error ? error.message : String(error) };
  }
};

/**
 * The sweep file itself, for those who have one or like to write. It appears with its parser: text and value change in one step,
 * so what is submitted, or taken back into the form, is what stands there.
 */
export const YamlEditor = (props: {
  readonly start: object;
  readonly state: YamlState | null;
  readonly onChange: (state: YamlState) => void;
}) => {
  const { state, onChange } = props;
  const [start] = useState(props.start);
  const [yaml, setYaml] = useState<Yaml | null>(null);
  const [error, setError] = useState<unknown>(undefined);
  useEffect(() => {
    let current = true;
    const opened = (loaded: Yaml) => {
      if (!current) return;
      setYaml(loaded);
      onChange({ text: loaded.write(start), value: start, fault: null });
    };
    loadYaml().then(opened, (fault: unknown) => current && setError(fault));
    return () => {
      current = false;
    };
  }, [start]);

  if (error !== undefined) return <ErrorNotice error={error} />;
  if (yaml === null || state === null) return <Skeleton height={600} />;
  return (
    <Panel
      title="Sweep file"
      note={
        <>
          YAML or JSON, the same as <code>funnel submit</code> takes.
        </>
      }
    >
      <textarea
        className="input mono"
        style={{ minHeight: 520, lineHeight: 1.55 }}
        aria-label="Sweep file"
        spellCheck={false}
        value={state.text}
        aria-invalid={state.fault !== null}
        onChange={(event) => onChange(read(yaml, event.target.value))}
      />
      {state.fault === null ? null : <pre className="field-error">{state.fault}</pre>}
    </Panel>
  );
};
