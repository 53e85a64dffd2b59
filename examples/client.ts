/**
 * Submits a sweep, follows it, and prints its leaderboard, with the typed client. `notebook.ipynb` does the same in Python.
 * While `npm start` serves, in another terminal:
 *   npx tsx examples/client.ts
 * In a project of your own, install the client first (docs/libraries.md).
 */
import { createHash } from 'node:crypto';
import { createClient, type Input } from '@funnel/client';

// A misspelt hyperparameter, attack or metric does not compile.
const sweep: Input<'createSweep'>['body'] = {
  name: 'From a program',
  recipes: 'adversarial-training',
  dataset: { name: 'glyphs', train: 1000, test: 500, attack: 100 }, // generated digits
  space: {
    trainingEpsilon: [0, 0.025, 0.05, 0.1], // the largest change of a pixel during training; 0 is a plain classifier
    trainingSteps: 3,
    warmupEpochs: 2,
    classifierEpochs: 8,
    filters: '16-32',
    latent: 32,
    batchSize: 32,
  },
  attacks: [{ attack: 'pgd-linf', epsilon: 0.1 }],
};

const client = createClient({
  url: process.env.FUNNEL_URL ?? 'http://127.0.0.1:7070', // the address that `npm start` prints
  token: process.env.FUNNEL_TOKEN, // only where the service asks for one
});

// The key is a hash of the sweep. So a second run of this program finds the same sweep, and after a change it submits another one.
const key = createHash('sha256').update(JSON.stringify(sweep)).digest('hex');
const { id } = await client.createSweep({ body: sweep, headers: { 'idempotency-key': key } });
const { plan } = await client.getSweep({ params: { id } });
console.log(`${plan.trials} trials, ${plan.epochs.needed} epochs to train`);

const ended = ['completed', 'completed-with-failures', 'failed', 'cancelled'];
// '0-0' begins with the oldest event, so none is missed. The iterator connects again by itself when a connection is lost.
for await (const { event } of client.events({ sweep: id, lastEventId: '0-0' })) {
  if (event.type === 'trial' && !['waiting', 'running'].includes(event.status))
    console.log(event.trialId, event.status);
  if (event.type === 'sweep' && ended.includes(event.status)) break;
}

const { items } = await client.leaderboard({
  query: { sweep: id, attack: 'pgd-linf', metric: 'robustAccuracy' },
});
for (const { rank, hyperparameters, value } of items) {
  if (value === null) continue; // the model classifies no image correctly even without an attack
  const share = Number(value); // of the attacked images, still classified correctly
  const epsilon = String(hyperparameters.trainingEpsilon).padEnd(5);
  console.log(`${rank}  training ε ${epsilon} ${share.toFixed(2)} ${'#'.repeat(Math.round(40 * share))}`);
}
