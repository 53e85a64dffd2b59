/** The floor of HTTP: Fastify with one route that answers a constant object. */
import { fastify } from 'fastify';

const app = fastify();
app.get('/', async () => ({ status: 'ok' }));
const url = await app.listen({ host: '127.0.0.1', port: 0 });
process.once('disconnect', () => void app.close().then(() => process.exit(0)));
process.on('SIGINT', () => {}); // the parent process decides when
process.send?.(url);
