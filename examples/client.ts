/**
 * Submits a sweep, follows it, and prints its leaderboard, with the typed client. `notebook.ipynb` does the same in Python.
 * While `npm start` serves, in another terminal:
 *   npx tsx examples/client.ts
 * In a project of your own, install the client first (docs/libraries.md).
 */
import { createClient, type Input } from '@funnel/client';

// A misspelt hyperparameter, attack or metric does not compile.
const sweep: Input<'createSweep'>['body'] = {
  name: 'From a program',
  recipes: ['funn', 'classic'],
  dataset: { name: 'glyphs', train: 1000, test: 500, attack: 100 },
  space: {
    filters: '16-32',
    latent: 32,
    batchSize: 32,
    initialiseEpochs: 4,
    initialiseAttackerRate: 2e-3,
    initialiseDefenderRate: 2e-3,
    optimiseEpochs: 3,
    optimiseAttackerRate: 1e-3,
    optimiseDefenderRate: 1e-4,
    gamma: [1, 5, 25], // classic does not read γ, so it has one trial
    beta: 0.05,
    classifierEpochs: 8,
  },
  attacks: [{ attack: 'fgsm', search: false, epsilon: 0.05 }],
};

const client = createClient({
  url: process.env.FUNNEL_URL ?? 'http://127.0.0.1:7070', // the address that `npm start` prints
  token: process.env.FUNNEL_TOKEN, // only where the service asks for one
});

// With the same key, a second call gives the same sweep. So you may run this program again.
const { id } = await client.createSweep({ body: sweep, headers: { 'idempotency-key': 'example-client' } });
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
  query: { sweep: id, attack: 'fgsm', metric: 'robustAccuracy' },
});
for (const { rank, recipe, hyperparameters, value } of items) {
  if (value === null) continue; // the model classifies no image correctly even without an attack
  const share = Number(value); // of the attacked images, still classified correctly
  const bar = '#'.repeat(Math.round(40 * share));
  console.log(
    `${rank}  ${recipe.padEnd(8)} γ ${String(hyperparameters.gamma ?? '–').padEnd(3)} ${share.toFixed(2)} ${bar}`,
  );
}
