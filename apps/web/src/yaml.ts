import type { ProblemIssue } from '@funnel/contracts';
import { useEffect, useState } from 'react';

/** Writes and reads sweep files. */
export type Yaml = {
  /** Lists of plain values stay on one line. */
  readonly write: (definition: object) => string;
  /** As the API and the command line read the file. Throws AppError if the text is not YAML. It does not check the definition. */
  readonly read: (text: string) => unknown;
  /** The mistakes in this text, which is YAML, each with its line. */
  readonly mistakesIn: (text: string, issues: readonly ProblemIssue[]) => readonly string[];
};

/** Loads the `yaml` package, which is a chunk of its own. */
export const loadYaml = async (): Promise<Yaml> => {
  const [{ Document, isSeq, visit }, { readSweepYaml }, { mistakesIn }] = await Promise.all([
    import('yaml'),
    import('@funnel/contracts/sweep-yaml'),
    import('@funnel/contracts/sweep-lines'),
  ]);
  return {
    write: (definition) => {
      const document = new Document(definition);
      visit(document, {
        Seq: (_, node) => {
          if (isSeq(node) && node.items.every((item) => 'value' in (item as object))) node.flow = true;
        },
      });
      return document.toString({ lineWidth: 100 });
    },
    read: (text) => readSweepYaml(text),
    mistakesIn,
  };
};

export const definitionYaml = async (definition: object): Promise<string> =>
  (await loadYaml()).write(definition);

/** A value as YAML; null until the package has loaded. `key` identifies the value. */
export const useYaml = (value: object, key: string): string | null => {
  const [text, setText] = useState<string | null>(null);
  // The key identifies the value.
  useEffect(() => {
    let current = true;
    void definitionYaml(value).then((yaml) => current && setText(yaml));
    return () => {
      current = false;
    };
  }, [key]);
  return text;
};
