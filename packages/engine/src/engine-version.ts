/**
 * Part of every stage's identity. Raise it when the same inputs would give other bits: another network for the same hyperparameters, another
 * random stream, another order of summation.
 */
export const engineVersion = '1';
