import type { Client } from '@funnel/client';
import type { Sweep, TrialDetail, TrialStatus } from '@funnel/contracts';

/** Ends of a trial that somebody should look at. */
const troubled = ['failed', 'diverged', 'collapsed'] as const satisfies readonly TrialStatus[];

/** So many of each are looked at: the rest mostly ended for the same reason. */
const maxEach = 3;

const reasonOf = ({ stages }: TrialDetail): string => {
  const stage = stages.find(
    ({ error, status }) => error !== null || status === 'diverged' || status === 'collapsed',
  );
  if (!stage) return '';
  return `${stage.kind}${stage.error ? `: ${stage.error.code}: ${stage.error.message}` : ''}`;
};

/** Why trials of a sweep did not complete: a line for each of the first few, and what to ask for the others. Empty where all went well. */
export const readTroubles = async (client: Client, { id, trials }: Sweep): Promise<readonly string[]> => {
  const there = troubled.filter((status) => (trials[status] ?? 0) > 0);
  const lists = await Promise.all(
    there.map((status) => client.listTrials({ params: { id }, query: { status, limit: maxEach } })),
  );
  const details = await Promise.all(
    lists.flatMap(({ items }) => items.map((trial) => client.getTrial({ params: { id: trial.id } }))),
  );
  const lines = details.map((trial) => {
    const reason = reasonOf(trial);
    return `✗ trial ${trial.number} (${trial.id}) ${trial.status}${reason === '' ? '' : `, ${reason}`}`;
  });
  const all = there.reduce((sum, status) => sum + (trials[status] ?? 0), 0);
  const more =
    all > details.length
      ? [`  … and ${all - details.length} more: funnel trials ${id} --status ${there[0]}`]
      : [];
  const retry = there.includes('failed')
    ? [`→ funnel log TRIAL says more; funnel retry ${id} gives what failed new attempts.`]
    : [];
  return [...lines, ...more, ...retry];
};
