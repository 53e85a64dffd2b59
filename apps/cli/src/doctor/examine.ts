/** Every check of `funnel doctor`. None changes anything. */
import os from 'node:os';
import { datasetNames, datasets } from '@funnel/contracts';
import { BackendUnavailable, backendNames, findDataset, openBackend } from '@funnel/engine';
import { defaultSlots } from '@funnel/worker';
import type { Env } from '../env.ts';
import { placesOf } from '../places.ts';
import type { Finding } from './finding.ts';
import { examineDatabase, examineQueue } from './services.ts';

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error));
const gibibytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`;

const machine = (): Finding[] => [
  { what: 'Node', verdict: 'ok', detail: `${process.version} on ${os.platform()} ${os.arch()}` },
  {
    what: 'Machine',
    verdict: 'ok',
    detail: `${os.availableParallelism()} cores, ${gibibytes(os.totalmem())}: ${defaultSlots()} trainers by default`,
  },
];

const dataSets = (env: Env): Finding[] =>
  datasetNames.map((name): Finding => {
    const what = `Data: ${name}`;
    if (datasets[name].files.length === 0) return { what, verdict: 'ok', detail: 'generated' };
    const folder = findDataset(name, placesOf(env));
    if (folder) return { what, verdict: 'ok', detail: folder };
    return {
      what,
      verdict: 'note',
      detail: 'not on this machine',
      hint: `funnel data get ${name}, or set FUNNEL_DATA`,
    };
  });

/** One after the other: tfjs has one backend at a time. */
const backends = async (): Promise<Finding[]> => {
  const findings: Finding[] = [];
  for (const name of backendNames) {
    const what = `Backend: ${name}`;
    try {
      const { device, versions } = await openBackend(name);
      const libraries = Object.entries(versions).map(([library, version]) => `${library} ${version}`);
      findings.push({ what, verdict: 'ok', detail: [device, ...libraries].join(', ') });
    } catch (error) {
      findings.push({
        what,
        verdict: error instanceof BackendUnavailable ? 'note' : 'fault',
        detail: reason(error),
      });
    }
  }
  const usable = findings.some(({ verdict }) => verdict === 'ok');
  return usable
    ? findings
    : [...findings, { what: 'Backends', verdict: 'fault', detail: 'none can be used here' }];
};

export const examine = async (env: Env): Promise<readonly Finding[]> => [
  ...machine(),
  await examineDatabase(env),
  await examineQueue(env),
  ...dataSets(env),
  ...(await backends()),
];
