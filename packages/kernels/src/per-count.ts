/** Remembers what `make` gives for each small number: kernels and tables that differ by how many images they take. */
export function perCount<T>(make: (count: number) => T): (count: number) => T {
  const made: T[] = [];
  return (count) => {
    const known = made[count];
    if (known !== undefined) return known;
    const fresh = make(count);
    made[count] = fresh;
    return fresh;
  };
}
