/** Rules and dashboard use only series that the API has, and their expressions are PromQL. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { createServiceMetrics } from '../../apps/api/src/metrics.ts';
import { dashboard } from '../observability/grafana/dashboard.ts';
import { rows } from '../observability/grafana/panels.ts';
import { parsePromql } from './promql.ts';

const folder = new URL('../observability/', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, folder), 'utf8');

type Rule = {
  alert: string;
  expr: string;
  for?: string;
  labels: { severity: string };
  annotations: { summary: string; description: string };
};
const rules: Rule[] = parse(read('prometheus/alerts.yml')).groups.flatMap(
  ({ rules }: { rules: Rule[] }) => rules,
);

const expressions = [
  ...rules.map(({ alert, expr }) => ({ title: alert, expr })),
  ...rows.flatMap(({ panels }) =>
    panels.flatMap(({ title, queries }) => queries.map(({ expr }) => ({ title, expr }))),
  ),
  // Grafana replaces `$__rate_interval` by a duration.
].map(({ title, expr }) => ({ title, ...parsePromql(expr.replaceAll('$__rate_interval', '5m')) }));

/** Label names by series name, as the API declares them, and those that Prometheus adds. */
const declared = (): Map<string, readonly string[]> => {
  const nothing = async () => {
    throw new Error('nothing is scraped here');
  };
  const { registry } = createServiceMetrics({
    pingDatabase: async () => {},
    readCounts: nothing,
    readQueue: nothing,
    streams: () => 0,
  });
  const series = new Map<string, readonly string[]>([['up', []]]);
  for (const metric of registry.getMetricsAsArray()) {
    const { name, type, labelNames } = metric as unknown as {
      name: string;
      type: string;
      labelNames: string[];
    };
    const names = type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name];
    for (const each of names) series.set(each, each.endsWith('_bucket') ? [...labelNames, 'le'] : labelNames);
  }
  return series;
};

describe('alert rules and dashboard', () => {
  it.each(expressions)(
    '$title is PromQL over metrics and labels that the API declares',
    ({ fault, selectors, grouping }) => {
      expect(fault).toBeNull();
      const series = declared();
      expect(selectors.length).toBeGreaterThan(0);
      for (const { metric, labels } of selectors) {
        expect([...series.keys()]).toContain(metric);
        expect(['job', 'instance', ...(series.get(metric) ?? [])]).toEqual(
          expect.arrayContaining([...labels]),
        );
      }
      const known = ['job', 'instance', ...selectors.flatMap(({ metric }) => series.get(metric) ?? [])];
      expect(known).toEqual(expect.arrayContaining([...grouping]));
    },
  );

  it('the check itself refuses a misspelt metric and broken PromQL', () => {
    expect(parsePromql('sum(funnel_stage{kind="attack"}) by (kind)')).toEqual({
      fault: null,
      selectors: [{ metric: 'funnel_stage', labels: ['kind'] }],
      grouping: ['kind'],
    });
    expect(declared().has('funnel_stage')).toBe(false);
    expect(parsePromql('sum(funnel_stages').fault).not.toBeNull();
  });
});

it('docs/api.md names every metric that the API declares', () => {
  const page = readFileSync(new URL('../../docs/api.md', import.meta.url), 'utf8');
  const names = [...declared().keys()].map((name) => name.replace(/_(bucket|sum|count)$/, ''));
  for (const name of new Set(names)) if (name !== 'up') expect(page).toContain(`\`${name}\``);
});

describe('alert rules', () => {
  it('say who must act, and what has happened', () => {
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
    for (const { labels, annotations } of rules) {
      expect(['page', 'ticket']).toContain(labels.severity);
      expect(annotations.summary.length).toBeGreaterThan(10);
      expect(annotations.description.length).toBeGreaterThan(10);
    }
  });

  it('each have a test in which they fire, and one in which they do not', () => {
    const alertTests: { alertname: string; exp_alerts: unknown[] }[] = parse(
      read('prometheus/alerts.test.yml'),
    ).tests.flatMap(({ alert_rule_test }: { alert_rule_test: [] }) => alert_rule_test);
    const names = rules.map(({ alert }) => alert).sort();
    const namesOf = (fires: boolean): string[] =>
      [
        ...new Set(
          alertTests
            .filter(({ exp_alerts }) => exp_alerts.length > 0 === fires)
            .map(({ alertname }) => alertname),
        ),
      ].sort();
    expect(namesOf(true)).toEqual(names);
    expect(namesOf(false)).toEqual(names);
  });

  const promtool = spawnSync('promtool', ['--version']).status === 0;
  if (!promtool)
    console.warn(
      'NOT TESTED on this machine: the alert rules. promtool is missing; `apt-get install prometheus` installs it.',
    );
  it.runIf(promtool)('pass the tests of alerts.test.yml in promtool', () => {
    const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', 'alerts.test.yml'], {
      cwd: fileURLToPath(new URL('prometheus', folder)),
      encoding: 'utf8',
    });
    expect(`${stdout}${stderr}`).toContain('SUCCESS');
    expect(status).toBe(0);
  });
});

describe('the dashboard', () => {
  it('in the repository is the one that its source generates', () => {
    expect(JSON.parse(read('grafana/dashboards/funnel.json'))).toEqual(dashboard);
  });

  it('lays its panels out without gaps or overlaps', () => {
    const cells = new Set<string>();
    let area = 0;
    for (const { gridPos } of dashboard.panels) {
      const { x, y, w, h } = gridPos;
      expect(x + w).toBeLessThanOrEqual(24);
      area += w * h;
      for (let column = x; column < x + w; column++)
        for (let line = y; line < y + h; line++) cells.add(`${column} ${line}`);
    }
    expect(cells.size).toBe(area);
    const lines = Math.max(...dashboard.panels.map(({ gridPos: { y, h } }) => y + h));
    expect(area).toBe(24 * lines);
  });

  it('names each panel once and explains it', () => {
    const panels = rows.flatMap(({ panels }) => panels);
    expect(new Set(panels.map(({ title }) => title)).size).toBe(panels.length);
    for (const { description } of panels) expect(description).toMatch(/\.$/);
  });
});
