/**
 * The Grafana dashboard. `node --import tsx infra/observability/grafana/dashboard.ts && npm run format` writes dashboards/funnel.json
 * from panels.ts.
 */
import { writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { type Panel, rows } from './panels.ts';

const datasource = { type: 'prometheus', uid: '$datasource' };
const width = 24;

const display = ({ stat, stacked, unit = 'short' }: Panel) => {
  const defaults = { unit, min: 0 };
  if (stat) {
    const steps = [
      { color: stat.zero, value: null },
      { color: stat.above, value: 1 },
    ];
    return {
      type: 'stat',
      fieldConfig: { defaults: { ...defaults, thresholds: { mode: 'absolute', steps } }, overrides: [] },
      options: { reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false }, colorMode: 'value' },
    };
  }
  const custom = {
    fillOpacity: stacked ? 40 : 8,
    showPoints: 'never',
    stacking: { mode: stacked ? 'normal' : 'none' },
  };
  return {
    type: 'timeseries',
    fieldConfig: { defaults: { ...defaults, custom }, overrides: [] },
    options: {
      legend: { displayMode: 'list', placement: 'bottom' },
      tooltip: { mode: 'multi', sort: 'desc' },
    },
  };
};

const layOut = () => {
  let id = 0;
  let y = 0;
  return rows.flatMap(({ title, height, columns, panels }) => {
    const heading = {
      id: ++id,
      type: 'row',
      title,
      collapsed: false,
      panels: [],
      gridPos: { h: 1, w: width, x: 0, y },
    };
    const w = width / columns;
    const top = y + 1;
    const laid = panels.map((panel, index) => ({
      id: ++id,
      title: panel.title,
      description: panel.description,
      datasource,
      gridPos: { h: height, w, x: w * (index % columns), y: top + height * Math.floor(index / columns) },
      targets: panel.queries.map(({ expr, legend = '' }, number) => ({
        refId: String.fromCharCode(65 + number),
        datasource,
        expr,
        legendFormat: legend,
      })),
      ...display(panel),
    }));
    y = top + height * Math.ceil(panels.length / columns);
    return [heading, ...laid];
  });
};

/** In the format of Grafana's own export (schema version 39, Grafana 10 and newer). */
export const dashboard = {
  uid: 'funnel',
  title: 'Funnel',
  tags: ['funnel'],
  schemaVersion: 39,
  editable: false,
  refresh: '30s',
  time: { from: 'now-6h', to: 'now' },
  timezone: 'browser',
  templating: {
    list: [{ name: 'datasource', type: 'datasource', query: 'prometheus', label: 'Data source' }],
  },
  annotations: { list: [] },
  panels: layOut(),
};

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  writeFileSync(
    new URL('dashboards/funnel.json', import.meta.url),
    `${JSON.stringify(dashboard, null, 2)}\n`,
  );
