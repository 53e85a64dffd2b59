/** The context of every command: the environment, the output, and a client of the API. */
import { resolve } from 'node:path';
import { type Client, createClient } from '@funnel/client';
import { type Env, readEnv } from './env.ts';
import { Exit, exitCodes } from './exit.ts';
import { namesFunnel, readAddress } from './home.ts';
import { fetchOverHttp } from './http.ts';
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

/**
 * Where FUNNEL_HOME is set and its Funnel does not run, the port may be that of another Funnel, and a command must not change that one. Throws
 * Exit then.
 */
const assertOwn = (
  { FUNNEL_HOME: home, FUNNEL_URL }: Env,
  variables: NodeJS.ProcessEnv,
  url?: string,
): void => {
  const isNamed = url !== undefined || FUNNEL_URL !== undefined;
  if (isNamed || !variables.FUNNEL_HOME || readAddress(home) !== null || !namesFunnel(home)) return;
  throw new Exit(
    exitCodes.unreachable,
    `Expected a running Funnel in ${resolve(home)} (FUNNEL_HOME), but none runs there.\n→ Start it with \`npm start\`, or name the API by --url or FUNNEL_URL.`,
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
    client: () => {
      assertOwn(env, variables, options.url);
      // Behind a proxy the client's default serves: the global `fetch`, which then uses the proxy (proxy.ts).
      return createClient({ ...service(), ...(!hasProxy(variables) && { fetch: fetchOverHttp }) });
    },
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
