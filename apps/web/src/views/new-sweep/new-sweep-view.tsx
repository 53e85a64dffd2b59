import { type HyperparameterName, SweepDefinition } from '@funnel/contracts';
import { useMemo, useRef, useState } from 'react';
import { Segmented } from '../../components/segmented.tsx';
import { ErrorNotice, Skeleton } from '../../components/states.tsx';
import { useDebounced } from '../../components/use-debounced.ts';
import { call } from '../../data/api.ts';
import { planQuery } from '../../data/queries.ts';
import { useQuery } from '../../data/use-query.ts';
import { href, navigate, useLocation } from '../../router.ts';
import { AttacksSection } from './attacks-section.tsx';
import { BasicsSection } from './basics-section.tsx';
import { type Draft, definitionDraft, draftInput, type HyperparameterDraft } from './draft.ts';
import { HyperparametersSection } from './hyperparameters-section.tsx';
import { issuesOf } from './issues.ts';
import { PlanPanel } from './plan-panel.tsx';
import { randomKey } from './random-key.ts';
import { forgetDraft, useDraft } from './use-draft.ts';
import { YamlEditor, type YamlState } from './yaml-editor.tsx';
import './new-sweep.css';

/** Typing pauses this long before a plan is asked for. */
const pauseMs = 300;

export const NewSweepView = () => {
  const { query } = useLocation();
  const { draft, setDraft, error } = useDraft(
    query.get('sweep') ?? undefined,
    query.get('trial') ?? undefined,
  );
  return (
    <>
      {error === undefined ? null : <ErrorNotice error={error} />}
      {draft === null ? <Skeleton height={600} /> : <Editor draft={draft} setDraft={setDraft} />}
    </>
  );
};

const Editor = ({
  draft,
  setDraft,
}: {
  readonly draft: Draft;
  readonly setDraft: (draft: Draft) => void;
}) => {
  const [yaml, setYaml] = useState<YamlState | null>(null);
  const [mode, setMode] = useState<'form' | 'yaml'>('form');
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState<unknown>(undefined);
  const input = useMemo(() => (mode === 'form' ? draftInput(draft) : yaml?.value), [mode, draft, yaml]);
  const parsed = useMemo(() => SweepDefinition.safeParse(input), [input]);
  const issues = useMemo(() => issuesOf(parsed.error), [parsed]);

  // A plan needs no name: one sees the size of a sweep before one knows what to call it.
  const unnamed = useMemo(() => ({ ...(input as object), name: 'plan' }), [input]);
  const readable = useMemo(() => SweepDefinition.safeParse(unnamed), [unnamed]);
  const plannable = useDebounced(readable.success ? unnamed : null, pauseMs);
  const plan = useQuery(plannable === null ? null : planQuery(plannable));
  const last = useRef(plan.data);
  if (plan.data) last.current = plan.data;
  const current = plan.data !== undefined && JSON.stringify(plannable) === JSON.stringify(unnamed);

  const body = JSON.stringify(input);
  // The same text under the same key is the same sweep, however often the button is pressed.
  // A key per text.
  const key = useMemo(randomKey, [body]);

  const change = (part: Partial<Draft>) => setDraft({ ...draft, ...part });
  const hyperparameter = (name: HyperparameterName, value: HyperparameterDraft) =>
    change({ hyperparameters: { ...draft.hyperparameters, [name]: value } });
  const switchTo = (next: 'form' | 'yaml') => {
    if (next === mode) return;
    if (next === 'yaml') setYaml(null);
    else if (yaml !== null) {
      if (!readable.success) {
        setTried(true);
        return;
      }
      const { name } = yaml.value as { readonly name?: unknown };
      setDraft({ ...definitionDraft(readable.data), name: typeof name === 'string' ? name : '' });
    }
    setMode(next);
  };
  const submit = async () => {
    setTried(true);
    setRefused(undefined);
    if (!parsed.success) {
      document.querySelector<HTMLElement>('.field-error')?.scrollIntoView({ block: 'center' });
      return;
    }
    setBusy(true);
    try {
      const sweep = await call('createSweep', { body: input as never, headers: { 'idempotency-key': key } }); // parsed above
      forgetDraft();
      navigate(href(['sweeps', sweep.id]));
    } catch (fault) {
      setRefused(fault);
      setBusy(false);
    }
  };
  const faults = (tried || mode === 'yaml' ? [...issues] : []).map(([path, message]) =>
    path === '' ? message : `${path}: ${message}`,
  );

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
      onKeyDown={(event) => event.key === 'Enter' && (event.ctrlKey || event.metaKey) && void submit()}
    >
      <header className="page-head">
        <div className="page-head-text">
          <h1>New sweep</h1>
          <p className="muted">
            One trial for every point of the search space and seed. What trials have in common is trained
            once.
          </p>
        </div>
        <Segmented
          label="Written as"
          value={mode}
          options={[
            { value: 'form', title: 'Form' },
            { value: 'yaml', title: 'YAML' },
          ]}
          onChange={switchTo}
        />
      </header>
      <div className="new-sweep">
        <div className="stack">
          {mode === 'form' ? (
            <>
              <BasicsSection draft={draft} issues={issues} onChange={change} tried={tried} />
              <HyperparametersSection draft={draft} issues={issues} onHyperparameter={hyperparameter} />
              <AttacksSection draft={draft} issues={issues} onChange={change} />
            </>
          ) : (
            <YamlEditor start={draftInput(draft)} state={yaml} onChange={setYaml} />
          )}
        </div>
        <PlanPanel
          plan={plan.data ?? last.current}
          current={current}
          error={refused ?? plan.error}
          faults={faults}
          busy={busy}
          onSubmit={() => void submit()}
        />
      </div>
    </form>
  );
};
