/** The reference as one HTML page that needs no script and no other file. */
import type { Topic } from './topic.ts';

const escapeHtml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** Words between backticks become code. */
const inline = (text: string): string => escapeHtml(text).replaceAll(/`([^`]+)`/g, '<code>$1</code>');

const style = `
:root { color-scheme: light dark; --line: #d0d7de; --soft: #57606a; --link: #0550ae }
@media (prefers-color-scheme: dark) { :root { --line: #3d444d; --soft: #9da7b3; --link: #79b8ff } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem }
a { color: var(--link) }
nav { display: flex; flex-wrap: wrap; gap: .25rem 1rem; padding: .5rem 0; border-bottom: 1px solid var(--line) }
h2 { margin-top: 3rem } h3 { margin: 2rem 0 .25rem; font-size: 1.05rem; overflow-wrap: anywhere }
dl { display: grid; grid-template-columns: 10rem minmax(0, 1fr); gap: .15rem 1rem; margin: 0 }
dt { color: var(--soft) } dd { margin: 0; overflow-wrap: anywhere } dd div { padding-left: 1rem; text-indent: -1rem }
@media (max-width: 36rem) { dl { grid-template-columns: minmax(0, 1fr) } dd { margin-bottom: .4rem } }
.names { columns: 14rem; padding-left: 1.2rem }
`;

const linesOf = (lines: readonly string[]): string =>
  lines.map((line) => `<div>${inline(line)}</div>`).join('');

const topicSection = ([id, { title, about, ...topic }]: readonly [string, Topic]): string => {
  const entries = topic.entries();
  const anchors = entries.map(
    ({ name, row }) => `${id}-${typeof row.of === 'string' ? `${row.of}-` : ''}${name}`,
  );
  const articles = entries.map(
    ({ name, fields }, i) => `<h3 id="${escapeHtml(anchors[i]!)}"><code>${escapeHtml(name)}</code></h3>
<dl>${fields.map((field) => `<dt>${escapeHtml(field.title)}</dt><dd>${linesOf(field.lines)}</dd>`).join('\n')}</dl>`,
  );
  return `<section>
<h2 id="${id}">${escapeHtml(title)}</h2>
<p>${inline(about)}</p>
<ul class="names">${entries.map(({ name }, i) => `<li><a href="#${escapeHtml(anchors[i]!)}">${escapeHtml(name)}</a></li>`).join('')}</ul>
${articles.join('\n')}
</section>`;
};

/** `topics`: by their names, in the order of the page. */
export const referencePage = (topics: Readonly<Record<string, Topic>>): string => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Reference of Funnel</title>
<style>${style}</style>
<h1>Reference</h1>
<p>Every name that a sweep file or a result may have. The terminal shows the same: <code>npx funnel reference</code>.</p>
<nav>${Object.entries(topics)
  .map(([id, { title }]) => `<a href="#${id}">${escapeHtml(title)}</a>`)
  .join('')}</nav>
${Object.entries(topics).map(topicSection).join('\n')}
</html>
`;
