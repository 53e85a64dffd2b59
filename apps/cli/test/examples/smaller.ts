/** The sizes of a sweep file, replaced by ones that a test has the time for. Everything else stays as it stands in the file. */
import {
  type HyperparameterName,
  hyperparameterDeclaration,
  hyperparameterNames,
  hyperparametersOf,
  isNumeric,
  type RecipeName,
  type SweepInput,
} from '@funnel/contracts';

const countsEpochs = (name: HyperparameterName): boolean => {
  const declaration = hyperparameterDeclaration(name);
  return isNumeric(declaration) && declaration.unit === 'epochs';
};

/** Small networks, one epoch of every stage, and a fidelity of one or three epochs. */
const shorter = ({ recipes, space, search }: SweepInput): Pick<SweepInput, 'space' | 'search'> => {
  const fidelity = search && 'fidelity' in search ? search.fidelity : undefined;
  const read = ([recipes ?? 'funn'].flat() as RecipeName[]).flatMap(hyperparametersOf);
  const epochs = hyperparameterNames.filter(
    (name) => countsEpochs(name) && read.includes(name) && name !== fidelity?.hyperparameter,
  );
  return {
    space: { ...space, filters: '4-8', latent: 8, ...Object.fromEntries(epochs.map((name) => [name, 1])) },
    ...(search && {
      search: {
        ...search,
        ...('trials' in search && { trials: 5 }),
        ...(fidelity && { fidelity: { ...fidelity, max: 3 } }),
      } as SweepInput['search'],
    }),
  };
};

export const smaller = (sweep: SweepInput): SweepInput => ({
  ...sweep,
  ...shorter(sweep),
  dataset: { ...sweep.dataset, train: 64, test: 16, attack: 2 },
  seeds: 1,
});
