import type { ReactNode } from 'react';
import { useId } from 'react';

export const Panel = (props: {
  readonly title: string;
  readonly note?: ReactNode;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
  readonly flush?: boolean;
}) => {
  const id = useId();
  return (
    <section className="panel" aria-labelledby={id}>
      <header className="panel-head">
        <div>
          <h2 id={id}>{props.title}</h2>
          {props.note ? <p>{props.note}</p> : null}
        </div>
        {props.actions ? <div className="row">{props.actions}</div> : null}
      </header>
      <div className="panel-body" style={props.flush ? { paddingInline: 0, paddingBottom: 6 } : undefined}>
        {props.children}
      </div>
    </section>
  );
};
