import { type DiagnoseOptions, diagnose, diagnoseTransfer } from '@funnel/attacks';
import { AppError, type DiagnosticsReport, worstVerdict } from '@funnel/contracts';

/** Classifiers whose reports are kept: the attacks on one follow each other. */
const maxReports = 8;

/** A network that gets every image wrong cannot be diagnosed, and needs no diagnosis. */
const nothing: DiagnosticsReport = { verdict: 'ok', images: 0, checks: [] };

const unlessHopeless = (report: Promise<DiagnosticsReport>): Promise<DiagnosticsReport> =>
  report.catch((error: unknown) => {
    if (error instanceof AppError && error.code === 'ATTACK_INPUT') return nothing;
    throw error;
  });

const merge = (model: DiagnosticsReport, transfer: DiagnosticsReport): DiagnosticsReport => ({
  verdict: worstVerdict([model.verdict, transfer.verdict]),
  images: model.images,
  checks: [...model.checks, ...transfer.checks].sort((a, b) => Number(a.id.slice(1)) - Number(b.id.slice(1))),
});

export type Diagnosed = {
  /** What names the model and the images, and these together with the surrogates. */
  readonly keys: { readonly model: string; readonly surrogates: string };
  readonly options: DiagnoseOptions;
};

/**
 * The checks of an honest evaluation, once per classifier: they run attacks of their own, so that every attack on the same network and
 * images carries the same report, whoever made it. A transfer attack adds the checks that need its surrogates (H3, H18).
 */
export const createDiagnosis = () => {
  const reports = new Map<string, DiagnosticsReport>();
  const once = async (key: string, make: () => Promise<DiagnosticsReport>): Promise<DiagnosticsReport> => {
    const known = reports.get(key);
    if (known) return known;
    const report = await unlessHopeless(make());
    reports.set(key, report);
    for (const oldest of reports.keys()) if (reports.size > maxReports) reports.delete(oldest);
    return report;
  };
  return async ({ keys, options }: Diagnosed): Promise<DiagnosticsReport> => {
    const { surrogates, ...resources } = options.resources ?? {};
    const model = await once(keys.model, () => diagnose({ ...options, resources }));
    if (!surrogates) return model;
    return merge(model, await once(keys.surrogates, () => diagnoseTransfer(options)));
  };
};
