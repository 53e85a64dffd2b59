/** A choice of one among few, all in sight. */
export const Segmented = <V extends string>(props: {
  readonly label: string;
  readonly value: V;
  readonly options: readonly { readonly value: V; readonly title: string }[];
  readonly onChange: (value: V) => void;
}) => (
  <fieldset className="segmented" style={{ border: 0, margin: 0 }}>
    <legend className="hidden-visually">{props.label}</legend>
    {props.options.map(({ value, title }) => (
      <button
        key={value}
        type="button"
        aria-pressed={value === props.value}
        onClick={() => props.onChange(value)}
      >
        {title}
      </button>
    ))}
  </fieldset>
);
