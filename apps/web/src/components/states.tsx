/** The states of a page or panel without data: empty, loading, or after an error. */
import { FunnelError } from '@funnel/client';
import { Component, type ReactNode } from 'react';
import { askForToken } from '../data/api.ts';
import { href } from '../router.ts';

/** Text in which backticks enclose commands and names. */
export const WithCode = ({ text }: { readonly text: string }) =>
  text.split('`').map((part, i) => (i % 2 === 0 ? part : <code key={i}>{part}</code>));

/** The hint of this error is for programs that call the API. */
const TokenNotice = () => (
  <div className="notice" data-tone="warning" role="alert">
    <strong>This Funnel shows its sweeps only to people with a token.</strong>
    <span className="row small">
      <span>Ask the person who runs it for one.</span>
      <button type="button" className="button" data-size="small" onClick={askForToken}>
        Enter a token
      </button>
    </span>
  </div>
);

/** An error with its hint. Shows nothing if there is no error (null or undefined). */
export const ErrorNotice = ({ error, retry }: { readonly error: unknown; readonly retry?: () => void }) => {
  if (error === null || error === undefined) return null;
  if (error instanceof FunnelError && error.code === 'UNAUTHENTICATED') return <TokenNotice />;
  return (
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
            <span>
              <WithCode text={error.problem.hint} />
            </span>
            <code className="muted">{error.code}</code>
          </>
        ) : null}
        {error instanceof FunnelError && error.code === 'NOT_FOUND' ? (
          <a href={href(['sweeps'])}>Show the sweeps</a>
        ) : null}
        {retry ? (
          <button type="button" className="button" data-size="small" onClick={retry}>
            Try again
          </button>
        ) : null}
      </span>
    </div>
  );
};

export const Empty = ({ title, children }: { readonly title: string; readonly children?: ReactNode }) => (
  <div className="empty">
    <h2>{title}</h2>
    {children}
  </div>
);

/** A grey block with the size of the content to come, so that the page does not jump. */
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
  readonly refetch?: () => unknown;
};

/** A skeleton until the data has loaded. After an error, the last data with the error above it. */
export const Loaded = <T,>(props: {
  readonly state: Loadable<T>;
  readonly height: number;
  readonly children: (data: T) => ReactNode;
}) => {
  const { data, error, refetch } = props.state;
  const notice = <ErrorNotice error={error} retry={() => void refetch?.()} />;
  if (data === undefined) return (error ?? null) === null ? <Skeleton height={props.height} /> : notice;
  return (
    <>
      {notice}
      {props.children(data)}
    </>
  );
};

/** Shows an error of one view and keeps the rest of the page. React needs a class for this. */
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
