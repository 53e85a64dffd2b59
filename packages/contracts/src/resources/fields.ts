/** Fields that many answers of the API have. An infinite median distance is "Infinity" (`json.ts`); a number that does not exist is null. */
import { z } from 'zod';

/** ISO 8601 in UTC. */
export const Time = z.iso.datetime();
export const Count = z.int().min(0);
