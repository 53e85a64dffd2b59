import { CopyButton } from '../../components/copy-button.tsx';
import { Panel } from '../../components/panel.tsx';
import { Skeleton } from '../../components/states.tsx';
import { useYaml } from '../../components/use-yaml.ts';
import { definitionYaml } from '../../yaml.ts';
import type { SweepTabProps } from './tab.ts';

export const DefinitionTab = ({ sweep }: SweepTabProps) => {
  const text = useYaml(sweep.definition, sweep.id);
  return (
    <Panel
      title="Definition"
      note="As submitted, defaults filled in."
      actions={<CopyButton title="Copy as YAML" text={() => definitionYaml(sweep.definition)} />}
    >
      {text === null ? (
        <Skeleton height={320} />
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a long file is scrolled by keyboard
        <pre className="yaml" tabIndex={0}>
          {text}
        </pre>
      )}
    </Panel>
  );
};
