/** The context of every command: the environment, the output, and a client of the API. */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Client, createClient } from '@funnel/client';
import { type Env, readEnv } from './env.ts';
import { Exit, exitCodes } from './exit.ts';
import { fetchOverHttp, fetchThroughProxy } from './http.ts';
import { createOutput, endWithReader, type Output } from './output/terminal.ts';
import { hasProxy } from './proxy.ts';

export type Service = { readonly url: string; readonly token: string | undefined };

export type Context = {
  readonly env: Env;
  /** All environment variables. API and worker read their own variables from them. */
  readonly variables: NodeJS.ProcessEnv;
  readonly output: Output;
  /** The API that `--url`, FUNNEL_URL or the running `funnel up` of this folder names, in this order, and the token for it. */
  readonly service: () => Service;
  /** A client of this API. */
  readonly client: () => Client;
  /** Ctrl-C aborts it. */
  readonly signal: AbortSignal;
};

/** `funnel up` writes its address into its folder. Every other command in the same folder reads it. */
export type Address = { readonly url: string; readonly pid: number };

const addressFile = (home: string): string => join(resolve(home), 'address.json');

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
};

/** Null when no `funnel up` runs in this folder. A killed `funnel up` leaves its address behind, and this one is ignored. */
export const readAddress = (home: string): Address | null => {
  try {
    const address: Address = JSON.parse(readFileSync(addressFile(home), 'utf8'));
    return isAlive(address.pid) ? address : null;
  } catch {
    return null;
  }
};

export const writeAddress = (home: string, url: string): void => {
  mkdirSync(resolve(home), { recursive: true });
  const next = `${addressFile(home)}.${process.pid}`;
  writeFileSync(next, JSON.stringify({ url, pid: process.pid } satisfies Address));
  renameSync(next, addressFile(home));
};

export const removeAddress = (home: string): void => rmSync(addressFile(home), { force: true });

type GlobalOptions = { readonly json?: boolean; readonly url?: string };

const chooseUrl = (env: Env, { url }: GlobalOptions): string => {
  const chosen =
    url ?? env.FUNNEL_URL ?? readAddress(env.FUNNEL_HOME)?.url ?? `http://127.0.0.1:${env.FUNNEL_PORT}`;
  if (URL.canParse(chosen) && /^https?:/.test(chosen)) return chosen;
  throw new Exit(
    exitCodes.usage,
    `Expected the address of an API, such as http://127.0.0.1:7070, but got ${chosen} (${url === undefined ? 'FUNNEL_URL' : '--url'})`,
  );
};

export const createContext = (variables: NodeJS.ProcessEnv, options: GlobalOptions): Context => {
  const env = readEnv(variables);
  const interruption = new AbortController();
  const service = (): Service => ({
    url: chooseUrl(env, options),
    token: env.FUNNEL_TOKEN ?? env.FUNNEL_ADMIN_TOKEN,
  });
  return {
    env,
    variables,
    output: createOutput(options.json ?? false, process.stdout, process.stderr),
    service,
    client: () =>
      createClient({ ...service(), fetch: hasProxy(variables) ? fetchThroughProxy : fetchOverHttp }),
    get signal() {
      // A command that reads this property ends itself when the signal is aborted. Ctrl-C ends the process of every other command.
      if (process.listenerCount('SIGINT') === 0) {
        process.once('SIGINT', () => interruption.abort());
        endWithReader(() => process.exit(exitCodes.readerGone));
      }
      return interruption.signal;
    },
  };
};
