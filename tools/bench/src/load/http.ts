/** Requests over connections that stay open, with as little of a client's own work as possible. */
import { Agent, request } from 'node:http';

export type HttpClient = {
  /** The body. Throws when the status is not the one that is expected. */
  readonly call: (
    method: string,
    path: string,
    options?: { readonly body?: unknown; readonly status?: number },
  ) => Promise<string>;
  readonly close: () => void;
};

const slowest = 120_000;

export const createHttpClient = (url: string, clients: number): HttpClient => {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  return {
    call: (method, path, { body, status = 200 } = {}) =>
      new Promise((resolve, reject) => {
        const payload = body === undefined ? undefined : JSON.stringify(body);
        const headers = payload === undefined ? {} : { 'content-type': 'application/json' };
        const sent = request(new URL(path, url), { method, agent, headers, timeout: slowest }, (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () => {
            const text = Buffer.concat(chunks).toString();
            if (response.statusCode === status) resolve(text);
            else
              reject(
                new Error(`Expected ${status} of ${method} ${path}, but got ${response.statusCode}: ${text}`),
              );
          });
        });
        sent.on('timeout', () =>
          sent.destroy(new Error(`Expected an answer of ${path} within ${slowest / 1000} s`)),
        );
        sent.on('error', reject);
        sent.end(payload);
      }),
    close: () => agent.destroy(),
  };
};
