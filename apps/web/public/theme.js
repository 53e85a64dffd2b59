// Runs before the first paint, so that a chosen theme does not flash. A file of its own: no inline script for a strict CSP.
try {
  const theme = localStorage.getItem('funnel-theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // Storage is off: the system's theme it is.
}
