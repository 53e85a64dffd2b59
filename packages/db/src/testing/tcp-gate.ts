/** A way to a server that can be shut: what a client meets when its server is away in one way or another. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export type Gate = {
  readonly port: number;
  /** Connections that were asked for while somebody listened. */
  readonly attempts: () => number;
  /** Lets everybody through, those who were held included. */
  readonly open: () => Promise<void>;
  /** Cuts everybody, and nobody listens any more. */
  readonly close: () => Promise<void>;
  /** Cuts everybody, and whoever comes, at once. */
  readonly slam: () => void;
  /** Nothing goes through, and nobody is told: those who come are held. */
  readonly stall: () => void;
};

/** In front of the server at this port of 127.0.0.1. */
export const startGate = async (target: number): Promise<Gate> => {
  let attempts = 0;
  let manner: 'open' | 'slam' | 'stall' = 'open';
  /** Clients, each with its connection to the server once it has one. */
  const clients = new Map<Socket, Socket | null>();

  const pass = (client: Socket): void => {
    const behind = clients.get(client) ?? connect(target, '127.0.0.1');
    clients.set(client, behind);
    behind.on('error', () => {}).once('close', () => client.destroy());
    client.pipe(behind).pipe(client);
  };
  const hold = (client: Socket): void => {
    const behind = clients.get(client);
    client.unpipe().pause();
    behind?.unpipe().pause();
  };
  const cut = (client: Socket): void => void client.destroy();

  const server = createServer({ pauseOnConnect: true }, (client) => {
    attempts++;
    clients.set(client, null);
    client
      .on('error', () => {})
      .once('close', () => {
        clients.get(client)?.destroy();
        clients.delete(client);
      });
    ({ open: pass, slam: cut, stall: hold })[manner](client);
  });
  const listen = async (port: number): Promise<void> => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  };
  await listen(0);
  const { port } = server.address() as AddressInfo; // of a TCP server that listens
  const cutAll = (): void => {
    for (const client of clients.keys()) cut(client);
  };

  return {
    port,
    attempts: () => attempts,
    open: async () => {
      if (manner === 'open' && server.listening) return;
      manner = 'open';
      if (!server.listening) await listen(port);
      for (const client of clients.keys()) pass(client);
    },
    close: async () => {
      const closed = server.listening && once(server, 'close');
      server.close();
      cutAll();
      await closed;
    },
    slam: () => {
      manner = 'slam';
      cutAll();
    },
    stall: () => {
      manner = 'stall';
      for (const client of clients.keys()) hold(client);
    },
  };
};

/** The same address by way of the gate. */
export const throughGate = (address: string, { port }: Gate): string => {
  const url = new URL(address);
  url.host = `127.0.0.1:${port}`;
  return url.href;
};
