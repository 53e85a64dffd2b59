/** How all pages write numbers, times, hyperparameters and attacks. */
import {
  type AttackSpec,
  attackKey,
  attacks,
  formatBytes as bytesText,
  formatDuration as durationText,
  formatPower,
  formatSpeed,
  type HyperparameterName,
  hyperparameterDeclaration,
  hyperparameters,
  inSentence,
  isNumeric,
  plural,
  progressPercent,
} from '@funnel/contracts';

export { inSentence, plural };

const counts = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
export const formatCount = (value: number): string => counts.format(value);

/** A text for the tooltips of charts, which are HTML. */
export const escapeHtml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

/** Three significant digits; very small and very large numbers as powers of ten; `∞` for infinity; `–` for no value. */
export const formatNumber = (value: number | null | undefined): string => {
  if (value === null || value === undefined || Number.isNaN(value)) return '–';
  if (value === 0) return '0';
  if (value === Number.POSITIVE_INFINITY) return '∞';
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-3) return formatPower(value, 2);
  if (Number.isInteger(value)) return counts.format(value);
  return String(Number(value.toPrecision(3)));
};

/** Always three digits, so that the numbers of a column line up. */
export const formatMeasured = (value: number): string =>
  value === 0 || Math.abs(value) >= 1e4 || Math.abs(value) < 1e-3
    ? formatNumber(value)
    : value.toPrecision(3);

/** A share in [0, 1] as a percentage. */
export const formatPercent = (share: number | null | undefined, digits = 1): string =>
  share === null || share === undefined ? '–' : `${(100 * share).toFixed(digits)}%`;

/** The progress of a sweep: `17.9%`, rounded down. */
export const formatProgress = (share: number): string => `${progressPercent(share)}%`;

/** `52.4–72.5%`. */
export const formatInterval = (
  [low, high]: readonly [number, number],
  format: (value: number) => string = formatPercent,
): string => `${format(low).replace('%', '')}–${format(high)}`;

/** `4.2`: how many times more work there would be without sharing. */
export const formatFactor = (factor: number): string =>
  factor >= 100 ? counts.format(factor) : factor.toFixed(1);

/** `120 images/s`, `0.4 images/s`; empty while there is no speed. */
export const speedText = (imagesPerSecond: number | null): string =>
  imagesPerSecond === null || imagesPerSecond === 0 ? '' : `${formatSpeed(imagesPerSecond)} images/s`;

export const formatDuration = (seconds: number | null | undefined): string =>
  seconds === null || seconds === undefined ? '–' : durationText(seconds);

export const formatBytes = (bytes: number | null | undefined): string =>
  bytes === null || bytes === undefined ? '–' : bytesText(bytes);

/** `3 min ago`; after a week, the date. */
export const formatAgo = (iso: string, now: number): string => {
  const seconds = Math.max(0, (now - Date.parse(iso)) / 1000);
  if (seconds < 10) return 'just now';
  if (seconds < 60) return `${Math.floor(seconds)} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  if (seconds < 7 * 86_400) return `${Math.floor(seconds / 86_400)} d ago`;
  return new Date(iso).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });
};

export const formatTime = (iso: string): string =>
  new Date(iso).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'short' });

const isHyperparameter = (name: string): name is HyperparameterName => name in hyperparameters;

/** The declared title of a hyperparameter; its name, if only the server knows it. */
export const hyperparameterTitle = (name: string): string =>
  isHyperparameter(name) ? hyperparameterDeclaration(name).title : name === 'recipe' ? 'Recipe' : name;
export const hyperparameterDescription = (name: string): string =>
  isHyperparameter(name) ? hyperparameterDeclaration(name).description : '';
export const hyperparameterScale = (name: string): 'linear' | 'log' => {
  const hyperparameter = isHyperparameter(name) ? hyperparameterDeclaration(name) : null;
  return hyperparameter && isNumeric(hyperparameter) ? hyperparameter.scale : 'linear';
};

export const formatHyperparameter = (value: unknown): string =>
  typeof value === 'number' ? formatNumber(value) : String(value ?? '–');

/** `γ 5, β 0.02`. */
export const formatPoint = (point: Readonly<Record<string, unknown>>): string =>
  Object.entries(point)
    .map(([name, value]) => `${hyperparameterTitle(name)} ${formatHyperparameter(value)}`)
    .join(', ');

/** The first eight characters of a hash. */
export const shortHash = (hash: string): string => hash.slice(0, 8);

type Run = { readonly attack: AttackSpec['attack']; readonly settings: Readonly<Record<string, unknown>> };

const keys = new WeakMap<Run, string>();

/** Equal attacks with equal settings have equal keys. Keys are cached per object: pages compare thousands of trials by them. */
export const keyOfRun = (run: Run): string => {
  const known = keys.get(run);
  if (known !== undefined) return known;
  const key = attackKey(run as AttackSpec); // an evaluation's settings were parsed by the same schema
  keys.set(run, key);
  return key;
};

const formatSetting = (value: unknown): string =>
  typeof value === 'number'
    ? formatNumber(value)
    : Array.isArray(value)
      ? `${value.length} values`
      : String(value);

/** ε, the steps, and the settings that are not the default: `ε 0.3 · 40 steps · margin`. */
export const settingsLabel = (run: Run): string => {
  const declared = attacks[run.attack].settings;
  const defaults: Readonly<Record<string, unknown>> = declared.parse({});
  const fields = Object.entries(declared.shape).map(([name, schema]) => {
    const value = run.settings[name];
    const title = schema.meta()?.title ?? name;
    if (name === 'epsilon')
      return run.settings.search === true ? `ε up to ${formatSetting(value)}` : `ε ${formatSetting(value)}`;
    if (name === 'steps') return `${formatSetting(value)} steps`;
    if (JSON.stringify(value) === JSON.stringify(defaults[name])) return '';
    if (typeof value === 'boolean') return value ? title.toLowerCase() : `no ${title.toLowerCase()}`;
    return typeof value === 'string' ? value : `${title.toLowerCase()} ${formatSetting(value)}`;
  });
  return fields.filter((field) => field !== '').join(' · ');
};

export const attackTitle = (run: Run): string => attacks[run.attack].title;

/** `PGD L∞ · ε 0.3 · 40 steps`. */
export const attackLabel = (run: Run): string => {
  const settings = settingsLabel(run);
  return settings === '' ? attackTitle(run) : `${attackTitle(run)} · ${settings}`;
};

/** `seed 3`, or `2 seeds`. */
export const seedsText = (seeds: readonly number[]): string =>
  seeds.length === 1 ? `seed ${seeds[0]}` : plural(seeds.length, 'seed');
