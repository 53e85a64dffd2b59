import { useEffect, useRef, useState } from 'react';
import type { AttackChoice } from '../../model/attack-image.ts';
import type { BrowserModel } from '../../model/load-model.ts';
import type { Tried } from '../../model/try-attack.ts';

/** Runs the attack whenever image or choice change; of the wishes that came while one ran, only the last is done. */
export const useTried = (
  model: BrowserModel | null,
  pixels: Float32Array | null,
  shape: readonly [number, number, number],
  choice: AttackChoice,
): { readonly tried: Tried | null; readonly busy: boolean; readonly fault: unknown } => {
  const [tried, setTried] = useState<Tried | null>(null);
  const [fault, setFault] = useState<unknown>(undefined);
  const [busy, setBusy] = useState(false);
  const wish = useRef<(() => Promise<Tried>) | null>(null);
  const running = useRef(false);

  useEffect(() => {
    if (model === null || pixels === null) {
      wish.current = null;
      setTried(null);
      return;
    }
    wish.current = async () =>
      (await import('../../model/try-attack.ts')).tryAttack(model, pixels, shape, choice);
    const work = async () => {
      running.current = true;
      setBusy(true);
      try {
        while (wish.current !== null) {
          const next = wish.current;
          wish.current = null;
          const result = await next();
          setFault(undefined);
          setTried(result);
        }
      } catch (error) {
        setFault(error);
      }
      running.current = false;
      setBusy(false);
    };
    if (!running.current) void work();
  }, [model, pixels, shape, choice]);
  // An image that was wiped meanwhile has no outcome.
  return { tried: pixels === null ? null : tried, busy, fault };
};
