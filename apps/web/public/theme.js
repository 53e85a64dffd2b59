// Runs before the first paint, so that the other theme does not flash. A separate file, because a strict CSP forbids inline scripts.
try {
  const theme = localStorage.getItem('funnel-theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // Storage is off, so the page uses the system's theme.
}
