import { useEffect, useState } from 'react';
import { Panel } from '../../components/panel.tsx';
import { definitionYaml, parseYaml } from '../../yaml.ts';

export type YamlState = { readonly text: string; readonly value: unknown; readonly fault: string | null };

/** The sweep file itself, for those who have one or like to write. */
export const YamlEditor = (props: {
  readonly start: object;
  readonly state: YamlState | null;
  readonly onChange: (state: YamlState) => void;
}) => {
  const { state, onChange } = props;
  const [start] = useState(props.start);
  // Only for the first text.
  useEffect(() => {
    if (state === null)
      void definitionYaml(start).then((text) => onChange({ text, value: start, fault: null }));
  }, [start]);
  const type = async (text: string) => {
    onChange({ text, value: state?.value, fault: state?.fault ?? null });
    try {
      onChange({ text, value: await parseYaml(text), fault: null });
    } catch (error) {
      onChange({ text, value: undefined, fault: error instanceof Error ? error.message : String(error) });
    }
  };
  return (
    <Panel title="Sweep file" note="YAML or JSON, the same as `funnel submit` takes.">
      <textarea
        className="input mono"
        style={{ minHeight: 520, lineHeight: 1.55 }}
        aria-label="Sweep file"
        spellCheck={false}
        value={state?.text ?? ''}
        aria-invalid={state?.fault !== null && state !== null}
        onChange={(event) => void type(event.target.value)}
      />
      {state?.fault ? <pre className="field-error">{state.fault}</pre> : null}
    </Panel>
  );
};
