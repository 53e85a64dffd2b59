/** Places among the streams: so many in all, and so many of one caller, so that no caller can shut the others out. */
import { AppError } from '@funnel/contracts';

export type Places = {
  /**
   * Takes a place; `caller` null: one who is counted among all only. Returns what gives it back, however often it is called. Throws
   * TOO_MANY_OWN_STREAMS, TOO_MANY_STREAMS.
   */
  readonly take: (caller: string | null) => () => void;
};

export type PlacesOptions = { readonly inAll: number; readonly ofOneCaller: number };

/** Of one caller where nothing else is said: a quarter, but enough for a person with some pages open and a few scripts. */
export const shareOfOneCaller = (inAll: number): number => Math.max(8, Math.floor(inAll / 4));

export const createPlaces = ({ inAll, ofOneCaller }: PlacesOptions): Places => {
  let taken = 0;
  /** Only callers that have one: a name that is gone costs nothing. */
  const byCaller = new Map<string, number>();

  const add = (caller: string, change: 1 | -1): void => {
    const count = (byCaller.get(caller) ?? 0) + change;
    if (count > 0) byCaller.set(caller, count);
    else byCaller.delete(caller);
  };

  return {
    take: (caller) => {
      // Their own first: whoever has too many is told so, even when it is they who fill the service.
      if (caller !== null && (byCaller.get(caller) ?? 0) >= ofOneCaller)
        throw new AppError(
          'TOO_MANY_OWN_STREAMS',
          `Expected at most ${ofOneCaller} streams at once with the token ${JSON.stringify(caller)}, but there are as many`,
        );
      if (taken >= inAll)
        throw new AppError(
          'TOO_MANY_STREAMS',
          `Expected at most ${inAll} streams at once, but there are as many`,
        );
      taken++;
      if (caller !== null) add(caller, 1);
      let held = true;
      return () => {
        if (!held) return;
        held = false;
        taken--;
        if (caller !== null) add(caller, -1);
      };
    },
  };
};
