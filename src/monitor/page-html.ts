export interface PageFacts {
  /** Where the monitor is, as the page's own address sees it. */
  readonly base: string;
  /** Time between two messages, in milliseconds. */
  readonly sampleMs: number;
}

/**
 * The page as it is before its first event.
 *
 * @param script the page's first module, below `base`
 * @param facts what the page must know before it hears of the server; nothing in it needs to be escaped
 */
export function pageHtml(script: string, { base, sampleMs }: PageFacts): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>millpond monitor</title>
<link rel="icon" type="image/svg+xml" href="${base}/assets/icon.svg">
<link rel="stylesheet" href="${base}/assets/uplot.css">
<link rel="stylesheet" href="${base}/assets/style.css">
<script src="${base}/assets/uplot.js" defer></script>
<script src="${base}/${script}" type="module"></script>
</head>
<body data-base="${base}" data-sample-ms="${sampleMs}">
<a class="skip" href="#main">Skip to the figures</a>
<header>
  <h1><span class="mark" aria-hidden="true"></span>millpond</h1>
  <p id="status" role="status" data-state="connecting">connecting</p>
  <label class="field"><span>Database</span>
    <select id="database"><option value="">all</option></select></label>
  <span class="spring"></span>
  <button id="pause" type="button" aria-pressed="false">Pause</button>
  <label class="field"><span>Theme</span> <select id="theme">
    <option value="auto">auto</option><option value="light">light</option><option value="dark">dark</option>
  </select></label>
</header>
<nav aria-label="Sections"><ul>
  <li><a href="#overview">Overview</a></li>
  <li><a href="#statements">Statements</a></li>
  <li><a href="#routes">Routes</a></li>
  <li><a href="#loops">N+1</a></li>
  <li><a href="#transactions">Transactions</a></li>
  <li><a href="#caches">Caches</a></li>
  <li><a href="#problems">Problems</a></li>
</ul></nav>
<main id="main" tabindex="-1">
  <section id="overview" aria-labelledby="overview-title">
    <h2 id="overview-title">Overview</h2>
    <dl id="tiles"></dl>
    <div id="charts"></div>
  </section>
  ${section('statements', 'Statements', 'By shape, without values. Open one for its plan.', FILTER)}
  ${section('routes', 'Routes', 'Requests and tracked functions.')}
  ${section('loops', 'Queries in loops (N+1)', 'The same statement, again and again in one request.')}
  ${section('transactions', 'Transactions and leases', 'What is open now, and who holds it.')}
  ${section('caches', 'Caches', '')}
  ${section('problems', 'Problems', 'Leaks, slow statements, errors and notices, the newest first.')}
</main>
<footer><button id="reset" type="button">Reset statements and routes</button>
<span id="reset-said" role="status"></span>
<span id="since"></span></footer>
<noscript>This page needs scripts. The same figures: <a href="${base}/state">as JSON</a>.</noscript>
</body>
</html>
`;
}

const FILTER = `<label class="field"><span>Filter</span>
      <input id="filter" type="search" placeholder="text, name or table"></label>`;

function section(id: string, title: string, about: string, extra = ''): string {
  return `<section id="${id}" aria-labelledby="${id}-title">
    <div class="head"><h2 id="${id}-title">${title}</h2><p>${about}</p>${extra}</div>
    <div class="body"></div>
  </section>`;
}
