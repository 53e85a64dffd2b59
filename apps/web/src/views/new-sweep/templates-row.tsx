import { type Draft, emptyDraft } from './draft.ts';
import { templateDraft, templates } from './templates.ts';

/** Fills in the whole form. */
export const TemplatesRow = ({ onChoose }: { readonly onChoose: (draft: Draft) => void }) => (
  <div className="row templates">
    <span className="muted small">Start from</span>
    {templates.map((template) => (
      <button
        key={template.title}
        type="button"
        className="button"
        data-size="small"
        title={template.input.description}
        onClick={() => onChoose(templateDraft(template))}
      >
        {template.title}
      </button>
    ))}
    <button
      type="button"
      className="button"
      data-size="small"
      data-kind="quiet"
      onClick={() => onChoose(emptyDraft)}
    >
      Empty form
    </button>
  </div>
);
