/** What a page shows when there is nothing, not yet anything, or a fault. */
import { FunnelError } from '@funnel/client';
import { Component, type ReactNode } from 'react';

export const ErrorNotice = ({ error, retry }: { readonly error: unknown; readonly retry?: () => void }) => (
  <div className="notice" data-tone="danger" role="alert">
    <strong>{error instanceof Error ? error.message : 'Something went wrong.'}</strong>
    {error instanceof FunnelError && (error.problem.issues?.length ?? 0) > 1 ? (
      <ul className="small">
        {error.problem.issues!.map(({ path, expected, received }) => (
          <li key={path}>
            <code>{path}</code>: expected {expected}, got {received}
          </li>
        ))}
      </ul>
    ) : null}
    <span className="row small">
      {error instanceof FunnelError ? (
        <>
          <span>{error.problem.hint}</span>
          <code className="muted">{error.code}</code>
        </>
      ) : null}
      {retry ? (
        <button type="button" className="button" data-size="small" onClick={retry}>
          Try again
        </button>
      ) : null}
    </span>
  </div>
);

export const Empty = ({ title, children }: { readonly title: string; readonly children?: ReactNode }) => (
  <div className="empty">
    <h2>{title}</h2>
    {children}
  </div>
);

/** A grey block of the size that the real thing will have, so that nothing jumps when it comes. */
export const Skeleton = ({
  height,
  width = '100%',
}: {
  readonly height: number;
  readonly width?: string;
}) => <span className="skeleton" style={{ height, width }} aria-hidden="true" />;

type Loadable<T> = {
  readonly data: T | undefined;
  readonly error: unknown;
  readonly refresh?: () => void;
};

/** The data once it is there; before that a skeleton, and a fault above what was there already. */
export const Loaded = <T,>(props: {
  readonly state: Loadable<T>;
  readonly height: number;
  readonly children: (data: T) => ReactNode;
}) => {
  const { data, error, refresh } = props.state;
  if (data === undefined)
    return error === undefined ? (
      <Skeleton height={props.height} />
    ) : (
      <ErrorNotice error={error} retry={refresh} />
    );
  return (
    <>
      {error === undefined ? null : <ErrorNotice error={error} retry={refresh} />}
      {props.children(data)}
    </>
  );
};

/** A fault in one view leaves the rest of the page standing. React knows no function for this. */
export class ViewBoundary extends Component<{ readonly children: ReactNode }, { readonly error: unknown }> {
  override state: { readonly error: unknown } = { error: null };

  static getDerivedStateFromError(error: unknown) {
    return { error };
  }

  override render() {
    if (this.state.error === null) return this.props.children;
    return <ErrorNotice error={this.state.error} retry={() => this.setState({ error: null })} />;
  }
}
