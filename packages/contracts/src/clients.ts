/** The name under which limits, submissions and sweeps count a client: that of its token, or its address. */

const prefix = 'token ';

export const clientWithToken = (name: string): string => `${prefix}${name}`;

/** The name of the token; null for an address, or for a client that nobody recorded. */
export const tokenOfClient = (client: string | null): string | null =>
  client?.startsWith(prefix) ? client.slice(prefix.length) : null;
