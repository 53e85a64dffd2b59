/** A process that starts an embedded server, prints its address, and stays: `node --import tsx embedded-process.ts DIR`. */
import { startEmbedded } from '../../src/index.ts';

const [dir] = process.argv.slice(2);
const { url, port } = await startEmbedded({ dir: dir!, settings: { fsync: 'off' } });
process.send?.({ url, port });
process.on('disconnect', () => process.exit(0));
