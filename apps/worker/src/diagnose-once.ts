import { type DiagnoseOptions, diagnose } from '@funnel/attacks';
import { AppError, type DiagnosticsReport } from '@funnel/contracts';

/** Classifiers whose report is kept: the attacks on one follow each other. */
const mostReports = 8;

/** A network that gets every image wrong cannot be diagnosed, and needs no diagnosis. */
const nothing: DiagnosticsReport = { verdict: 'ok', images: 0, checks: [] };

/**
 * The checks of an honest evaluation, once per classifier: they run attacks of their own, so that every attack on the same network and
 * images carries the same report, whoever made it.
 */
export const createDiagnosis = () => {
  const reports = new Map<string, DiagnosticsReport>();
  return async (key: string, options: DiagnoseOptions): Promise<DiagnosticsReport> => {
    const known = reports.get(key);
    if (known) return known;
    const report = await diagnose(options).catch((error: unknown) => {
      if (error instanceof AppError && error.code === 'ATTACK_INPUT') return nothing;
      throw error;
    });
    reports.set(key, report);
    for (const oldest of reports.keys()) if (reports.size > mostReports) reports.delete(oldest);
    return report;
  };
};
