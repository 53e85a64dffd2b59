/** The names in a PromQL expression, by Prometheus' own grammar. */
import { parser } from '@prometheus-io/lezer-promql';

export type Selector = { readonly metric: string; readonly labels: readonly string[] };

export type Expression = {
  /** The first part that is not PromQL, if there is one. */
  readonly fault: string | null;
  readonly selectors: readonly Selector[];
  /** Labels of `by (…)` and `without (…)`. */
  readonly grouping: readonly string[];
};

export const parsePromql = (text: string): Expression => {
  const selectors: { metric: string; labels: string[] }[] = [];
  const grouping: string[] = [];
  let fault: string | null = null;
  parser.parse(text).iterate({
    enter: (node) => {
      const said = text.slice(node.from, node.to);
      if (node.type.isError) fault ??= `at ${node.from}: ${text.slice(node.from, node.from + 20)}`;
      if (node.name === 'VectorSelector') selectors.push({ metric: '', labels: [] });
      if (node.name === 'Identifier' && node.node.parent?.name === 'VectorSelector')
        selectors.at(-1)!.metric = said;
      if (node.name !== 'LabelName') return;
      if (node.node.parent?.name === 'GroupingLabels') grouping.push(said);
      else selectors.at(-1)?.labels.push(said);
    },
  });
  return { fault, selectors, grouping };
};
