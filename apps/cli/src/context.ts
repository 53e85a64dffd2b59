import { type Client, createClient } from '@funnel/client';
import { readAddress } from './address.ts';
import { type Env, readEnv } from './env.ts';
import { Exit, exitCodes } from './exit-codes.ts';
import { createOutput, type Output } from './output/output.ts';
import { endWithReader } from './output/streams.ts';

/** What every command gets. */
export type Context = {
  readonly env: Env;
  /** The environment as it came, for parts that read more of it. */
  readonly variables: NodeJS.ProcessEnv;
  readonly output: Output;
  /** Of the API that `--url`, FUNNEL_URL or the running `funnel up` of this folder names, in this order. */
  readonly client: () => Client;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
};

type GlobalOptions = { readonly json?: boolean; readonly url?: string };

const addressOf = (env: Env, { url }: GlobalOptions): string => {
  const address =
    url ?? env.FUNNEL_URL ?? readAddress(env.FUNNEL_HOME)?.url ?? `http://127.0.0.1:${env.FUNNEL_PORT}`;
  if (URL.canParse(address) && /^https?:/.test(address)) return address;
  throw new Exit(
    exitCodes.usage,
    `Expected the address of an API, such as http://127.0.0.1:7070, but got ${address} (${url === undefined ? 'FUNNEL_URL' : '--url'})`,
  );
};

export const createContext = (variables: NodeJS.ProcessEnv, options: GlobalOptions): Context => {
  const env = readEnv(variables);
  const interruption = new AbortController();
  return {
    env,
    variables,
    output: createOutput(options.json ?? false, process.stdout, process.stderr),
    client: () =>
      createClient({ url: addressOf(env, options), token: env.FUNNEL_TOKEN ?? env.FUNNEL_ADMIN_TOKEN }),
    get signal() {
      // Only who asks for the signal ends gently: elsewhere Ctrl-C ends the process as usual.
      if (process.listenerCount('SIGINT') === 0) {
        process.once('SIGINT', () => interruption.abort());
        endWithReader(() => process.exit(exitCodes.readerGone));
      }
      return interruption.signal;
    },
  };
};
