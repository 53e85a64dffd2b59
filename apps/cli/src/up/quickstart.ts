import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { Client } from '@funnel/client';
import type { DatasetName, SweepDetail, SweepInput } from '@funnel/contracts';
import { readSweepFile } from '../sweep-file.ts';

const file = fileURLToPath(new URL('../../../../examples/quickstart.yaml', import.meta.url));

const titles: Partial<Record<DatasetName, string>> = { glyphs: 'Quickstart on generated digits' };

/** The quickstart sweep as its file says, on the data set that is there. */
const definition = (dataset: DatasetName): SweepInput => {
  const written = readSweepFile(file);
  return {
    ...written,
    name: titles[dataset] ?? written.name,
    dataset: { ...written.dataset, name: dataset },
  };
};

/**
 * The quickstart sweep: found again when it was submitted before (its key is the hash of what it says), made to go on when it is
 * paused, submitted anew when it was cancelled.
 */
export const submitQuickstart = async (client: Client, dataset: DatasetName): Promise<SweepDetail> => {
  const body = definition(dataset);
  const key = `quickstart-${createHash('sha256').update(JSON.stringify(body)).digest('hex').slice(0, 16)}`;
  const sweep = await client.createSweep({ body, headers: { 'idempotency-key': key } });
  const { status } = await client.getSweep({ params: { id: sweep.id } });
  if (status === 'cancelled') return client.createSweep({ body });
  if (status === 'paused') await client.resumeSweep({ params: { id: sweep.id } });
  return sweep;
};
