import { type Backend, type BackendDriver, type BackendName, BackendUnavailable } from './backend.ts';
import { cpu } from './cpu.ts';
import { wasm } from './wasm.ts';

const drivers: readonly BackendDriver[] = [wasm, cpu];

/**
 * Makes tfjs run on the named backend; `auto` takes the best that this machine has.
 * Throws BackendUnavailable, saying what is missing.
 */
export async function openBackend(name: 'auto' | BackendName): Promise<Backend> {
  const wanted = drivers.filter((driver) => name === 'auto' || driver.name === name);
  const reasons: string[] = [];
  for (const driver of wanted) {
    try {
      return await driver.open();
    } catch (error) {
      if (!(error instanceof BackendUnavailable)) throw error;
      reasons.push(`${driver.name}: ${error.message}`);
    }
  }
  throw new BackendUnavailable(`No backend for '${name}' here. ${reasons.join(' ')}`);
}
