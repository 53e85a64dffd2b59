/** What `funnel doctor` says about a running service: its data sets and its limits. Without a service it says nothing, which is no fault. */
import { type Client, FunnelError } from '@funnel/client';
import {
  type DatasetEntry,
  limits as declared,
  formatAmount,
  formatBytes,
  type LimitState,
  plural,
} from '@funnel/contracts';
import type { Finding } from './doctor.ts';
import { Exit } from './exit.ts';

/** Milliseconds for both answers. */
const patienceMs = 3000;

const describeDataset = ({ name, bytes, workers, isStored, train, test }: DatasetEntry): Finding => {
  const what = `Stored data: ${name}`;
  const images = `${formatAmount(train)} + ${formatAmount(test)} images`;
  if (isStored) return { what, verdict: 'ok', detail: `${images}, ${formatBytes(bytes ?? 0)}` };
  const detail = `${images}, not stored; ${workers === 0 ? 'no live worker has them' : `${plural(workers, 'live worker')} can read them`}`;
  return { what, verdict: 'note', detail };
};

const valueText = ({ unit }: LimitState, value: number): string => {
  if (unit === 'bytes') return formatBytes(value);
  return unit === 'seconds' ? `${formatAmount(value)} s` : formatAmount(value);
};

/** The share of a limit from which on it is worth a look. */
const nearlyUsed = 0.8;

/** The limits that somebody has changed, or that the caller has nearly used up. */
const describeLimits = (items: readonly LimitState[]): readonly Finding[] => {
  const all: Finding = {
    ...{ what: 'Limits', verdict: 'ok' },
    detail: `${formatAmount(items.length)}, explained in docs/operations.md`,
  };
  const worthSaying = items.flatMap((limit): Finding | readonly [] => {
    const { name, variable, value, used, text } = limit;
    const standard = declared[name].default;
    const isNear = used !== null && used >= nearlyUsed * value;
    const isChanged = standard !== null && value !== standard;
    if (!isNear && !isChanged) return [];
    const own = used === null ? '' : `; you use ${valueText(limit, used)}`;
    const usual = isChanged ? ` instead of ${valueText(limit, standard)}` : '';
    const raise = isNear && variable !== null ? { hint: `An operator can raise ${variable}.` } : {};
    return {
      what: `Limit: ${variable ?? name}`,
      verdict: isNear ? 'note' : 'ok',
      detail: `${valueText(limit, value)}${usual}: ${text}${own}`,
      ...raise,
    };
  });
  return [all, ...worthSaying];
};

/** `clientOf`: a client of the service that runs in this folder, or that FUNNEL_URL names. */
export const examineService = async (
  clientOf: () => Pick<Client, 'listDatasets' | 'listLimits'>,
): Promise<readonly Finding[]> => {
  const signal = AbortSignal.timeout(patienceMs);
  try {
    const client = clientOf();
    const datasets = await client.listDatasets({}, { signal });
    const limits = await client.listLimits({}, { signal });
    return [
      ...datasets.items.filter(({ isBuiltIn, isStored }) => isStored || !isBuiltIn).map(describeDataset),
      ...describeLimits(limits.items),
    ];
  } catch (error) {
    const isSaid = error instanceof FunnelError || error instanceof Exit;
    const [detail] = isSaid ? error.message.split('\n') : ['none answers'];
    return [{ what: 'Service', verdict: 'note', detail: detail!, hint: '`npm start` starts one.' }];
  }
};
