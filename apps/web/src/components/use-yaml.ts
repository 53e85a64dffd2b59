import { useEffect, useState } from 'react';
import { definitionYaml } from '../yaml.ts';

/** A value as YAML; null until the writer has been fetched. `key` says when the value is another. */
export const useYaml = (value: object, key: string): string | null => {
  const [text, setText] = useState<string | null>(null);
  // The key stands for the value.
  useEffect(() => {
    let current = true;
    void definitionYaml(value).then((yaml) => current && setText(yaml));
    return () => {
      current = false;
    };
  }, [key]);
  return text;
};
