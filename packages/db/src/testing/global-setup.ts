/**
 * For `globalSetup` of vitest: every test file shares one server, which runs only when some test asks. Test processes ask over a
 * loopback port, whose number they inherit in FUNNEL_TEST_SERVER.
 */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { startTestServer, type TestServer } from './test-server.ts';

export const setup = async (): Promise<() => Promise<void>> => {
  let starting: Promise<TestServer> | undefined;
  const broker = createServer(async (socket) => {
    socket.on('error', () => {}); // a test process that ended while it waited
    try {
      starting ??= startTestServer();
      const { url, template } = await starting;
      socket.end(JSON.stringify({ url, template }));
    } catch (error) {
      socket.end(JSON.stringify({ error: String(error) }));
    }
  });
  broker.listen(0, '127.0.0.1');
  await once(broker, 'listening');
  const address = broker.address();
  if (typeof address === 'object' && address) process.env.FUNNEL_TEST_SERVER = String(address.port);
  return async () => {
    broker.close();
    await (await starting)?.stop();
  };
};
