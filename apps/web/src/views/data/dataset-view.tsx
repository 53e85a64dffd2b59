import type { DatasetDetail } from '@funnel/contracts';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Panel, Segmented } from '../../components/controls.tsx';
import { Loaded } from '../../components/states.tsx';
import { ValueBar } from '../../components/value-bar.tsx';
import { datasetImagesQuery, datasetQuery } from '../../data/queries.ts';
import { formatBytes, formatCount, formatNumber, formatTime } from '../../format.ts';
import { href, type ViewProps } from '../../router.ts';
import { placeText, shapeText } from './describe.ts';
import { SampleGrid } from './samples.tsx';
import './data.css';

const Facts = ({ dataset }: { readonly dataset: DatasetDetail }) => {
  const { train, test, bytes, owner, createdAt, budgets, summary, digest } = dataset;
  const facts: readonly (readonly [title: string, value: string, hint?: string])[] = [
    ['Training images', formatCount(train)],
    ['Test images', formatCount(test)],
    ['Usual ε', `${formatNumber(budgets.linf)} in L∞, ${formatNumber(budgets.l2)} in L2`],
    ...(summary
      ? [
          [
            'Pixels',
            `${formatNumber(summary.mean)} ± ${formatNumber(summary.deviation)}`,
            'Mean and standard deviation of the training images, in [0, 1]',
          ] as const,
        ]
      : []),
    ...(bytes === null ? [] : [['Stored', formatBytes(bytes)] as const]),
    ...(owner === null || createdAt === null
      ? []
      : [['Added', `${owner}, ${formatTime(createdAt)}`] as const]),
    ['Digest', digest.slice(0, 12), digest],
  ];
  return (
    <dl className="facts">
      {facts.map(([title, value, hint]) => (
        <div className="fact" key={title}>
          <dt>{title}</dt>
          <dd title={hint}>{value}</dd>
        </div>
      ))}
    </dl>
  );
};

const Count = ({ count, most }: { readonly count: number; readonly most: number }) => (
  <ValueBar share={count / Math.max(1, most)} label={formatCount(count)} />
);

/** The classes that are shown at first. */
const maxClasses = 20;

const Classes = ({ classes, summary }: DatasetDetail) => {
  const [isWhole, setWhole] = useState(false);
  if (!summary) return <p>{classes.join(', ')}</p>;
  const [mostTrain, mostTest] = [Math.max(...summary.trainCounts), Math.max(...summary.testCounts)];
  const shown = isWhole ? classes : classes.slice(0, maxClasses);
  return (
    <>
      <table className="table classes">
        <thead>
          <tr>
            <th scope="col">Class</th>
            <th scope="col">Training images</th>
            <th scope="col">Test images</th>
          </tr>
        </thead>
        <tbody>
          {shown.map((name, label) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>
                <Count count={summary.trainCounts[label] ?? 0} most={mostTrain} />
              </td>
              <td>
                <Count count={summary.testCounts[label] ?? 0} most={mostTest} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {shown.length === classes.length ? null : (
        <button type="button" className="button classes-more" onClick={() => setWhole(true)}>
          Show all {formatCount(classes.length)} classes
        </button>
      )}
    </>
  );
};

const splits = [
  { value: 'train', title: 'Training' },
  { value: 'test', title: 'Test' },
] as const;

/** Images on one page. */
const pageImages = 24;

const Images = ({ dataset }: { readonly dataset: DatasetDetail }) => {
  const [split, setSplit] = useState<'train' | 'test'>('train');
  const [from, setFrom] = useState(0);
  const state = useQuery({
    ...datasetImagesQuery(dataset.name, { split, from, count: pageImages }),
    placeholderData: keepPreviousData,
  });
  const count = dataset[split];
  return (
    <Panel
      title="Images"
      note="A sweep uses the first images of each split, up to the numbers in its file."
      actions={
        <>
          <Segmented
            label="Split"
            value={split}
            options={splits}
            onChange={(value) => {
              setSplit(value);
              setFrom(0);
            }}
          />
          <button
            type="button"
            className="button"
            disabled={from === 0}
            onClick={() => setFrom(Math.max(0, from - pageImages))}
          >
            Previous
          </button>
          <button
            type="button"
            className="button"
            disabled={from + pageImages >= count}
            onClick={() => setFrom(from + pageImages)}
          >
            Next
          </button>
        </>
      }
    >
      <Loaded state={state} height={360}>
        {(images) => <SampleGrid images={images} classes={dataset.classes} />}
      </Loaded>
    </Panel>
  );
};

export const DatasetView = ({ params }: ViewProps) => {
  const name = params.id ?? '';
  const state = useQuery(datasetQuery(name));
  return (
    <Loaded state={state} height={400}>
      {(dataset) => (
        <div className="stack">
          <header className="page-head">
            <div className="page-head-text">
              <p className="crumbs small">
                <a href={href(['data'])}>Data</a>
              </p>
              <h1>{dataset.title}</h1>
              <p className="muted">
                {shapeText(dataset.shape)}, {formatCount(dataset.classCount)} classes. {placeText(dataset)}
              </p>
            </div>
          </header>
          <Panel title="Facts">
            <Facts dataset={dataset} />
          </Panel>
          <Panel title="Classes" flush={dataset.summary !== null}>
            <Classes {...dataset} />
          </Panel>
          {dataset.isStored ? <Images key={dataset.digest} dataset={dataset} /> : null}
        </div>
      )}
    </Loaded>
  );
};
