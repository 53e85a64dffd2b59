import type { DatasetEntry } from '@funnel/contracts';
import { useQuery } from '@tanstack/react-query';
import { useNow } from '../../components/hooks.ts';
import { Loaded } from '../../components/states.tsx';
import { datasetsQuery } from '../../data/queries.ts';
import { formatAgo, formatBytes, formatCount, formatTime } from '../../format.ts';
import { href } from '../../router.ts';
import { placeText, shapeText } from './describe.ts';
import { SampleStrip } from './samples.tsx';
import { UnfinishedPanel } from './unfinished-panel.tsx';
import './data.css';

const DatasetCard = ({ entry, now }: { readonly entry: DatasetEntry; readonly now: number }) => {
  const { name, title, classCount, train, test, bytes, owner, createdAt, isStored } = entry;
  return (
    <section className="panel dataset" aria-label={`Data set ${name}`}>
      <header>
        <h2>
          <a href={href(['data', name])}>{title}</a>
        </h2>
        <p className="muted small">
          {title === name ? '' : `${name}, `}
          {shapeText(entry.shape)}, {formatCount(classCount)} classes
        </p>
      </header>
      {isStored ? (
        <SampleStrip name={name} />
      ) : (
        <p className="dataset-nothing muted small">{placeText(entry)}</p>
      )}
      <dl className="facts">
        <div className="fact">
          <dt>Images</dt>
          <dd>
            {formatCount(train)} <small>training, {formatCount(test)} test</small>
          </dd>
        </div>
        {bytes === null ? null : (
          <div className="fact">
            <dt>Stored</dt>
            <dd>{formatBytes(bytes)}</dd>
          </div>
        )}
        {owner === null || createdAt === null ? null : (
          <div className="fact">
            <dt>Added</dt>
            <dd>
              {owner} <small title={formatTime(createdAt)}>{formatAgo(createdAt, now)}</small>
            </dd>
          </div>
        )}
      </dl>
    </section>
  );
};

export const DatasetsView = () => {
  const state = useQuery(datasetsQuery);
  const now = useNow(60_000);
  return (
    <>
      <header className="page-head">
        <div className="page-head-text">
          <h1>Data</h1>
          <p className="muted">
            The data sets that a sweep may name. Add images of your own:{' '}
            <code>npx funnel data add my-images PATH</code>
          </p>
        </div>
      </header>
      <Loaded state={state} height={400}>
        {({ items, unfinished }) => (
          <div className="stack">
            <UnfinishedPanel uploads={unfinished} />
            <div className="datasets">
              {items.map((entry) => (
                <DatasetCard key={entry.name} entry={entry} now={now} />
              ))}
            </div>
          </div>
        )}
      </Loaded>
    </>
  );
};
