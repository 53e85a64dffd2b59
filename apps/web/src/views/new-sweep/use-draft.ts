import { SweepDefinition } from '@funnel/contracts';
import { useEffect, useState } from 'react';
import { call } from '../../data/api.ts';
import { trialDefinition } from '../trial/trial-definition.ts';
import { type Draft, definitionDraft, emptyDraft } from './draft.ts';

/** What one types survives going to another page and back. */
const key = 'funnel-draft';

const stored = (): Draft | null => {
  try {
    const text = sessionStorage.getItem(key);
    // Written by this page; an older version's lacks fields, which then take their defaults.
    return text === null ? null : { ...emptyDraft, ...(JSON.parse(text) as Draft) };
  } catch {
    return null;
  }
};

export const forgetDraft = (): void => {
  try {
    sessionStorage.removeItem(key);
  } catch {
    // Storage is off: nothing was kept.
  }
};

const fetchStart = async (sweepId: string | undefined, trialId: string | undefined): Promise<Draft> => {
  if (trialId !== undefined) {
    const trial = await call('getTrial', { params: { id: trialId } });
    const sweep = await call('getSweep', { params: { id: trial.sweepId } });
    return definitionDraft(SweepDefinition.parse(trialDefinition(trial, sweep)));
  }
  const { definition } = await call('getSweep', { params: { id: sweepId! } });
  return definitionDraft({ ...definition, name: `${definition.name}, again` });
};

/** The draft: from a sweep or trial to start from, else what was typed last, else empty. */
export const useDraft = (sweepId: string | undefined, trialId: string | undefined) => {
  const started = sweepId !== undefined || trialId !== undefined;
  const [draft, setDraft] = useState<Draft | null>(() => (started ? null : (stored() ?? emptyDraft)));
  const [error, setError] = useState<unknown>(undefined);
  useEffect(() => {
    if (!started) return;
    fetchStart(sweepId, trialId).then(setDraft, (fault: unknown) => {
      setError(fault);
      setDraft(emptyDraft);
    });
  }, [started, sweepId, trialId]);
  useEffect(() => {
    if (draft === null) return;
    try {
      sessionStorage.setItem(key, JSON.stringify(draft));
    } catch {
      // Storage is off or full: the draft lasts as long as the page.
    }
  }, [draft]);
  return { draft, setDraft, error };
};
