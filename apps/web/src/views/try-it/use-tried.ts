import { useEffect, useMemo, useRef, useState } from 'react';
import type { AttackChoice } from '../../model/attack-image.ts';
import type { BrowserModel } from '../../model/load-model.ts';
import type { Tried } from '../../model/try-attack.ts';

/** One question, told from others by what it is and not by what it says. */
type Wish = { readonly run: () => Promise<Tried> };
type Done = { readonly wish: Wish; readonly tried: Tried | null; readonly fault: unknown };

/** Runs the attack whenever image or choice change; of the wishes that came while one ran, only the last is done. */
export const useTried = (
  model: BrowserModel | null,
  pixels: Float32Array | null,
  shape: readonly [number, number, number],
  choice: AttackChoice,
): { readonly tried: Tried | null; readonly busy: boolean; readonly fault: unknown } => {
  const wish = useMemo<Wish | null>(
    () =>
      model === null || pixels === null
        ? null
        : {
            run: async () =>
              (await import('../../model/try-attack.ts')).tryAttack(model, pixels, shape, choice),
          },
    [model, pixels, shape, choice],
  );
  const [done, setDone] = useState<Done | null>(null);
  const last = useRef<Wish | null>(null);
  const running = useRef(false);

  useEffect(() => {
    last.current = wish;
    const work = async () => {
      running.current = true;
      for (let next = last.current; next !== null; next = last.current === next ? null : last.current) {
        const current = next;
        const [tried, fault] = await current.run().then(
          (result) => [result, undefined] as const,
          (error: unknown) => [null, error] as const,
        );
        setDone((before) => ({ wish: current, tried: tried ?? before?.tried ?? null, fault }));
      }
      running.current = false;
    };
    if (!running.current) void work();
  }, [wish]);
  // Until the answer to the newest question is there, what is on show is the answer to another one. Nothing asked, nothing answered.
  return {
    tried: wish === null ? null : (done?.tried ?? null),
    busy: wish !== null && done?.wish !== wish,
    fault: wish === null ? undefined : done?.fault,
  };
};
