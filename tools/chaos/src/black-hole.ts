/** A TCP relay that can go silent: connections stay open and nothing passes, as when a cable is cut or a firewall forgets a flow. */
import { once } from 'node:events';
import { createServer, connect as dial, type Socket } from 'node:net';

export type BlackHole = {
  readonly port: number;
  /** Nothing passes until `heal`, which cuts the silent connections. */
  readonly swallow: () => void;
  readonly heal: () => void;
  readonly close: () => Promise<void>;
};

export const openBlackHole = async (target: {
  readonly host: string;
  readonly port: number;
}): Promise<BlackHole> => {
  const sockets = new Set<Socket>();
  let silent = false;
  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    return socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket));
  };
  const relay = (from: Socket, to: Socket): void => {
    from.on('data', (bytes) => {
      if (!silent) to.write(bytes);
    });
    from.on('close', () => {
      if (!silent) to.destroy();
    });
  };
  const server = createServer((near) => {
    const far = keep(dial(target.port, target.host));
    keep(near);
    relay(near, far);
    relay(far, near);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    swallow: () => {
      silent = true;
    },
    heal: () => {
      silent = false;
      cut();
    },
    close: async () => {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
};
