import { type HyperparameterName, mistakeText, SweepDefinition } from '@funnel/contracts';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useRef, useState } from 'react';
import { Segmented } from '../../components/controls.tsx';
import { useDebounced } from '../../components/hooks.ts';
import { ErrorNotice, Skeleton } from '../../components/states.tsx';
import { call } from '../../data/api.ts';
import { planQuery } from '../../data/queries.ts';
import { href, navigate, useAddressQuery } from '../../router.ts';
import { AttacksSection } from './attacks-section.tsx';
import { BasicsSection } from './basics-section.tsx';
import {
  type Draft,
  definitionDraft,
  draftInput,
  emptyDraft,
  type HyperparameterDraft,
  trialDefinition,
} from './draft.ts';
import { PlanPanel } from './plan-panel.tsx';
import { issuesOf, parseSweep, refusalsOf } from './schema.ts';
import { SearchSection } from './search-section.tsx';
import { HyperparametersSection } from './search-space-section.tsx';
import { TemplatesRow } from './templates-row.tsx';
import { YamlEditor, type YamlState } from './yaml-editor.tsx';
import './new-sweep.css';

/** 128 random bits in hex. Not `crypto.randomUUID`, which only secure pages have. */
const randomKey = (): string =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');

/** The key in the session storage. The stored draft survives a visit to another page. */
const storageKey = 'funnel-draft';

const readStoredDraft = (): Draft | null => {
  try {
    const text = sessionStorage.getItem(storageKey);
    // This page wrote the text. A draft of an older version may lack fields; they get their defaults.
    return text === null ? null : { ...emptyDraft, ...(JSON.parse(text) as Draft) };
  } catch {
    return null;
  }
};

const forgetDraft = (): void => {
  try {
    sessionStorage.removeItem(storageKey);
  } catch {
    // Storage is off: nothing was stored.
  }
};

const fetchCopy = async (sweepId: string | undefined, trialId: string | undefined): Promise<Draft> => {
  if (trialId !== undefined) {
    const trial = await call('getTrial', { params: { id: trialId } });
    const sweep = await call('getSweep', { params: { id: trial.sweepId } });
    return definitionDraft(SweepDefinition.parse(trialDefinition(trial, sweep)));
  }
  const { definition } = await call('getSweep', { params: { id: sweepId! } });
  return definitionDraft({ ...definition, name: `${definition.name}, again` });
};

/** The draft: a copy of a sweep or trial if one is given, else the stored draft, else an empty one. */
const useDraft = (sweepId: string | undefined, trialId: string | undefined) => {
  const isCopy = sweepId !== undefined || trialId !== undefined;
  const [draft, setDraft] = useState<Draft | null>(() => (isCopy ? null : (readStoredDraft() ?? emptyDraft)));
  const [error, setError] = useState<unknown>(undefined);
  useEffect(() => {
    if (!isCopy) return;
    fetchCopy(sweepId, trialId).then(setDraft, (fault: unknown) => {
      setError(fault);
      setDraft(emptyDraft);
    });
  }, [isCopy, sweepId, trialId]);
  useEffect(() => {
    if (draft === null) return;
    try {
      sessionStorage.setItem(storageKey, JSON.stringify(draft));
    } catch {
      // Storage is off or full: the draft is lost when the page is left.
    }
  }, [draft]);
  return { draft, setDraft, error };
};

/** A plan is requested once typing has paused for this long. */
const pauseMs = 300;

export const NewSweepView = () => {
  const query = useAddressQuery();
  const { draft, setDraft, error } = useDraft(
    query.get('sweep') ?? undefined,
    query.get('trial') ?? undefined,
  );
  return (
    <>
      <ErrorNotice error={error} />
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
  const [submitted, setSubmitted] = useState(false);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<{ readonly body: string; readonly error: unknown } | null>(null);
  const input = useMemo(() => (mode === 'form' ? draftInput(draft) : yaml?.value), [mode, draft, yaml]);
  const parsed = useMemo(() => parseSweep(input), [input]);
  // The plan is shown before the sweep has a name, so the request uses this name.
  const unnamed = useMemo(() => ({ ...(input as object), name: 'plan' }), [input]);
  const parsedUnnamed = useMemo(() => parseSweep(unnamed), [unnamed]);
  const planInput = useDebounced(parsedUnnamed.definition ? unnamed : null, pauseMs);
  const plan = useQuery({ ...planQuery(planInput ?? {}), enabled: planInput !== null });
  const last = useRef(plan.data);
  if (plan.data) last.current = plan.data;
  const isOfInput = JSON.stringify(planInput) === JSON.stringify(unnamed);
  const current = plan.data !== undefined && isOfInput;
  const body = JSON.stringify(input);
  // An error of a submission belongs to what was submitted.
  const submitError = failure !== null && failure.body === body ? failure.error : undefined;
  const refusal = submitError ?? (isOfInput ? plan.error : null);
  const allIssues = useMemo(() => [...refusalsOf(refusal), ...parsed.issues], [parsed, refusal]);
  const issues = useMemo(() => issuesOf(allIssues), [allIssues]);
  // While the plan of the new text is on its way, the last one stays. A text that has none shows none.
  const isPlanned = parsedUnnamed.definition !== undefined && refusal === null;

  // One key per definition, so the server creates one sweep even if the user presses the button twice.
  const key = useMemo(randomKey, [body]);

  const change = (part: Partial<Draft>) => setDraft({ ...draft, ...part });
  const hyperparameter = (name: HyperparameterName, value: HyperparameterDraft) =>
    change({ hyperparameters: { ...draft.hyperparameters, [name]: value } });
  const switchTo = (next: 'form' | 'yaml') => {
    if (next === mode) return;
    if (next === 'yaml') setYaml(null);
    else if (yaml !== null) {
      if (!parsedUnnamed.definition) {
        setSubmitted(true);
        return;
      }
      const { name } = yaml.value as { readonly name?: unknown };
      setDraft({ ...definitionDraft(parsedUnnamed.definition), name: typeof name === 'string' ? name : '' });
    }
    setMode(next);
  };
  const submit = async () => {
    setSubmitted(true);
    setFailure(null);
    if (!parsed.definition) {
      document.querySelector<HTMLElement>('.field-error')?.scrollIntoView({ block: 'center' });
      return;
    }
    setBusy(true);
    try {
      const sweep = await call('createSweep', { body: input as never, headers: { 'idempotency-key': key } }); // parsed above
      forgetDraft();
      navigate(href(['sweeps', sweep.id]));
    } catch (fault) {
      setFailure({ body, error: fault });
      setBusy(false);
    }
  };
  const faults = mode === 'form' && submitted ? allIssues.map((issue) => mistakeText(issue)) : [];

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
            A sweep has one trial for every point of the search space and every seed. Funnel trains shared
            stages once. The <a href="reference">reference</a> says what every name means.
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
              <TemplatesRow onChoose={setDraft} />
              <BasicsSection
                draft={draft}
                issues={issues}
                onChange={change}
                submitted={submitted}
                plan={current ? plan.data : undefined}
              />
              <HyperparametersSection draft={draft} issues={issues} onHyperparameter={hyperparameter} />
              <SearchSection draft={draft} issues={issues} onChange={change} />
              <AttacksSection draft={draft} issues={issues} onChange={change} />
            </>
          ) : (
            <YamlEditor
              start={draftInput(draft)}
              state={yaml}
              issues={yaml?.fault === null ? allIssues : []}
              onChange={setYaml}
            />
          )}
        </div>
        <PlanPanel
          plan={isPlanned ? (plan.data ?? last.current) : null}
          current={current}
          // Beside the file stands each mistake with its line.
          error={mode === 'yaml' && allIssues.length > 0 ? undefined : refusal}
          faults={faults}
          busy={busy}
          onSubmit={() => void submit()}
        />
      </div>
    </form>
  );
};
