/**
 * A supervisor that stops reading. It starts a trainer, runs the task of its first argument on it, and suspends itself (SIGSTOP) at the first
 * progress of the second epoch. When it continues, it reports the messages that it received, in order.
 */
import { pino } from 'pino';
import { startTrainer } from '../src/trainer-process.ts';

const { simulation, spec } = JSON.parse(process.argv[2] ?? '{}');
const trainer = startTrainer({ folders: {}, backend: 'auto', simulation }, pino({ level: 'silent' }));
await trainer.ready;
process.send?.({ trainer: trainer.pid });

/** Epochs count from 0; the checkpoint of epoch n holds the epochs before n. */
const received: { readonly what: 'checkpoint' | 'progress'; readonly epoch: number }[] = [];
let slept = false;
const end = await trainer.run(
  { spec, start: null, surrogates: [] },
  {
    onCheckpoint: async ({ manifest }) =>
      void received.push({ what: 'checkpoint', epoch: manifest.position.epoch }),
    onProgress: ({ position }) => {
      const { epoch } = position!; // progress of training has a position
      received.push({ what: 'progress', epoch });
      if (slept || epoch === 0) return;
      slept = true;
      process.kill(process.pid, 'SIGSTOP');
    },
  },
);
process.send?.({ status: end.status, received }, () => process.exit(0));
