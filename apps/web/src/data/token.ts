/** The access token of a server that asks for one. Kept in this browser only. */
const key = 'funnel-token';

export const readToken = (): string | null => {
  try {
    return localStorage.getItem(key);
  } catch {
    return null; // storage is off
  }
};

export const writeToken = (token: string): void => {
  if (token === '') localStorage.removeItem(key);
  else localStorage.setItem(key, token);
};
