/** The page's style: two themes of one set of variables, and one column where there is room for one
  only. */
export const PAGE_STYLE: string = `
:root {
  --page: #f5f7f9; --card: #ffffff; --line: #dde3e9; --text: #14212b; --quiet: #55656f; --accent: #0b6e8a;
  --good: #1b7a43; --warn: #8a5a00; --bad: #b3261e; --soft: #eef2f5; --focus: #0b6e8a;
  --s1: #0b6e8a; --s2: #c25a00; --s3: #7a4fb5; --s4: #b3261e; --grid: #e6ebef;
  --edge: #7f8d98;
  --mono: ui-monospace, "SFMono-Regular", Menlo, Consolas, "DejaVu Sans Mono", monospace;
  color-scheme: light;
}
:root[data-theme="dark"] {
  --page: #0e151b; --card: #16202a; --line: #2a3743; --text: #e4ebf0; --quiet: #9db0bd; --accent: #5cc3df;
  --good: #6fd39a; --warn: #f0b75a; --bad: #ff8a80; --soft: #1e2a35; --focus: #5cc3df;
  --s1: #5cc3df; --s2: #ffa657; --s3: #c3a1ff; --s4: #ff8a80; --grid: #25323d;
  --edge: #637787;
  color-scheme: dark;
}
* { box-sizing: border-box; }
html { scroll-padding-top: 6.5rem; }
body {
  margin: 0; background: var(--page); color: var(--text); accent-color: var(--accent);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
}
h1, h2, h3, p, dl, dd, ul { margin: 0; padding: 0; }
ul { list-style: none; }
a { color: var(--accent); }
:focus-visible { outline: 2px solid var(--focus); outline-offset: 2px; border-radius: 4px; }
#main:focus { outline: none; }
.skip { position: absolute; left: -999px; top: 0; background: var(--card); padding: .5rem 1rem;
  z-index: 9; }
.skip:focus { left: .5rem; top: .5rem; }
header {
  position: sticky; top: 0; z-index: 5; display: flex; flex-wrap: wrap; align-items: center;
  gap: .4rem .9rem;
  padding: .55rem clamp(.75rem, 3vw, 2rem); background: var(--card); border-bottom: 1px solid var(--line);
}
h1 { font-size: 1.05rem; letter-spacing: -.01em; display: flex; align-items: center; gap: .5rem; }
.mark { width: 1rem; height: 1rem; border-radius: 50%; border: 3px solid var(--accent);
  background: linear-gradient(to top, var(--accent) 45%, transparent 45%); }
.spring { flex: 1; }
.field { display: inline-flex; align-items: center; gap: .4rem; color: var(--quiet); font-size: .85rem; }
select, input, button {
  font: inherit; font-size: .87rem; color: var(--text); background: var(--card);
  border: 1px solid var(--edge); border-radius: 6px; padding: .28rem .55rem; min-height: 2rem;
}
button { cursor: pointer; }
button:hover, select:hover { border-color: var(--accent); }
button[aria-pressed="true"] { background: var(--accent); border-color: var(--accent); color: var(--card); }
input[type="search"] { width: min(18rem, 60vw); }
#status { display: inline-flex; align-items: center; gap: .4rem; font-size: .85rem; color: var(--quiet); }
#status::before { content: ""; width: .6rem; height: .6rem; border-radius: 50%; background: var(--warn); }
#status[data-state="live"]::before { background: var(--good); }
#status[data-state="down"]::before { background: var(--bad); }
nav { position: sticky; top: 3.1rem; z-index: 4; background: var(--page);
  border-bottom: 1px solid var(--line); }
nav ul { display: flex; gap: .2rem; overflow-x: auto; padding: .3rem clamp(.75rem, 3vw, 2rem); }
nav a { display: block; padding: .25rem .6rem; border-radius: 6px; text-decoration: none;
  color: var(--quiet);
  font-size: .88rem; white-space: nowrap; }
nav a:hover { background: var(--soft); color: var(--text); }
main, footer { padding: 0 clamp(.75rem, 3vw, 2rem); max-width: 100rem; margin: 0 auto; }
section { margin: 1.4rem 0 2rem; }
.head { display: flex; flex-wrap: wrap; align-items: baseline; gap: .2rem 1rem; margin-bottom: .6rem; }
.head .field { margin-left: auto; }
h2 { font-size: 1.08rem; letter-spacing: -.01em; }
h3 { font-size: .93rem; margin: 1.1rem 0 .4rem; }
.head p, .quiet { color: var(--quiet); font-size: .87rem; }
#tiles { display: grid; grid-template-columns: repeat(6, 1fr); gap: .6rem; margin: .6rem 0; }
#tiles > div { background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  padding: .55rem .75rem; }
#tiles dt { color: var(--quiet); font-size: .78rem; }
#tiles dd { line-height: 1.3; font-size: 1.35rem; font-weight: 600; letter-spacing: -.02em;
  font-variant-numeric: tabular-nums; }
#tiles .value { white-space: nowrap; }
#tiles dd small { white-space: nowrap; font-size: .78rem; font-weight: 400; color: var(--quiet);
  letter-spacing: 0; }
#tiles > div[data-level="warn"] dd { color: var(--warn); }
#tiles > div[data-level="bad"] dd { color: var(--bad); }
#charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(26rem, 100%), 1fr));
  gap: .6rem; }
figure { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  padding: .55rem .6rem .3rem; min-width: 0; }
figcaption { display: flex; flex-wrap: wrap; gap: .1rem .9rem; font-size: .85rem; font-weight: 600;
  padding: 0 .3rem; }
.legend { display: flex; flex-wrap: wrap; gap: .1rem .8rem; font-weight: 400; color: var(--quiet);
  margin-left: auto; }
.legend i { display: inline-block; width: .7rem; height: .2rem; border-radius: 2px; vertical-align: middle;
  margin-right: .3rem; }
.legend i[data-series="1"] { background: var(--s1); } .legend i[data-series="2"] { background: var(--s2); }
.legend i[data-series="3"] { background: var(--s3); } .legend i[data-series="4"] { background: var(--s4); }
.legend b { color: var(--text); font-weight: 600; font-variant-numeric: tabular-nums; }
.plot { height: 11rem; min-width: 0; }
.scroll { container-type: inline-size; overflow-x: auto; background: var(--card);
  border: 1px solid var(--line); border-radius: 10px; }
table { border-collapse: collapse; width: 100%; font-size: .87rem; }
caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
th, td { padding: .38rem .65rem; text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums;
  border-bottom: 1px solid var(--line); }
tbody tr:last-child > * { border-bottom: 0; }
thead th { color: var(--quiet); font-weight: 500; font-size: .8rem; background: var(--soft); }
th[scope="row"], th.text, td.text { text-align: left; }
th[scope="row"] { font-weight: 400; width: 99%; max-width: 0; min-width: 15rem; }
tbody tr:not(.detail):hover { background: var(--soft); }
thead button { border: 0; background: none; padding: 0; min-height: 0; color: inherit; font: inherit; }
thead button::after { content: " \\2195"; opacity: .35; }
th[aria-sort="descending"] button::after { content: " \\2193"; opacity: 1; }
th[aria-sort="ascending"] button::after { content: " \\2191"; opacity: 1; }
th[aria-sort="descending"], th[aria-sort="ascending"] { color: var(--text); }
code, pre { font-family: var(--mono); font-size: .82rem; }
.cut { display: block; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.opener { border: 0; background: none; padding: .1rem 0; min-height: 0; width: 100%; text-align: left;
  display: flex; gap: .5rem; align-items: baseline; }
.opener::before { content: "\\25B8"; color: var(--quiet); }
.opener[aria-expanded="true"]::before { content: "\\25BE"; }
.name { font-weight: 600; white-space: nowrap; }
.scroll + .scroll { margin-top: .6rem; } .body > .quiet { margin-bottom: .5rem; }
.detail td { text-align: left; white-space: normal; background: var(--page); padding: .8rem 1rem; }
.detail td > div { position: sticky; left: 1rem; width: calc(100cqw - 2rem); }
.detail pre, .card pre, details pre { margin: .3rem 0; padding: .6rem .75rem; background: var(--card);
  overflow-x: auto;
  border: 1px solid var(--line); border-radius: 8px; white-space: pre-wrap; overflow-wrap: anywhere; }
.phases { display: flex; height: .7rem; border-radius: 4px; overflow: hidden; background: var(--line);
  max-width: 40rem;
  margin: .5rem 0 .3rem; }
.phases rect:nth-child(1) { fill: var(--s2); } .phases rect:nth-child(2) { fill: var(--s1); }
.phases rect:nth-child(3) { fill: var(--s3); } .phases rect:nth-child(4) { fill: var(--quiet); }
.phases svg { width: 100%; height: 100%; }
.facts { display: flex; flex-wrap: wrap; gap: .15rem 1.2rem; font-size: .85rem; color: var(--quiet); }
.facts b { color: var(--text); font-weight: 600; }
.advice { border-left: 3px solid var(--warn); padding: .1rem .7rem; margin: .5rem 0; }
.advice[data-severity="hint"] { border-color: var(--line); }
.cards { display: grid; gap: .6rem;
  grid-template-columns: repeat(auto-fit, minmax(min(28rem, 100%), 1fr)); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  padding: .75rem .9rem; min-width: 0; }
.card summary { overflow-wrap: anywhere; }
.card h3 { margin-top: 0; }
.card p { margin: .25rem 0; overflow-wrap: anywhere; }
.body[data-still]::before { content: "Stands still while something in it is opened or in focus.";
  display: block; margin-bottom: .5rem; color: var(--warn); font-size: .87rem; }
.empty { background: var(--card); border: 1px dashed var(--line); border-radius: 10px; padding: .8rem 1rem;
  color: var(--quiet); font-size: .9rem; }
.pill { display: inline-block; border-radius: 99px; padding: 0 .5rem; font-size: .78rem;
  background: var(--soft);
  color: var(--quiet); border: 1px solid var(--line); white-space: nowrap; }
.pill[data-level="bad"] { color: var(--bad); border-color: var(--bad); background: none; }
.pill[data-level="warn"] { color: var(--warn); border-color: var(--warn); background: none; }
.pill[data-level="good"] { color: var(--good); border-color: var(--good); background: none; }
td.bad, b.bad { color: var(--bad); } td.warn { color: var(--warn); }
.long { white-space: normal; overflow-wrap: anywhere; display: inline-block; min-width: 12rem;
  max-width: 46rem; }
.plain td { vertical-align: top; }
.detail button { margin: .4rem 0 .2rem; }
details summary { cursor: pointer; }
footer { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem 1rem; padding-bottom: 2rem;
  color: var(--quiet);
  font-size: .85rem; }
.u-legend { display: none; }
@media (max-width: 70rem) { #tiles { grid-template-columns: repeat(4, 1fr); } }
@media (max-width: 46rem) {
  body { font-size: 14px; }
  nav { top: 0; } header { position: static; } html { scroll-padding-top: 3rem; }
  .wide { display: none; }
  th, td { padding: .45rem .5rem; }
  th[scope="row"] { min-width: 10rem; }
  #tiles { grid-template-columns: repeat(2, 1fr); }
  .plain, .plain tbody, .plain tr { display: block; }
  .plain thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .plain tr { padding: .45rem .7rem; border-bottom: 1px solid var(--line); }
  .plain tr:last-child { border-bottom: 0; }
  .plain td { display: grid; grid-template-columns: 5.5rem minmax(0, 1fr); padding: .1rem 0; border: 0;
    white-space: normal; overflow-wrap: anywhere; }
  .plain td:empty { display: none; }
  .plain td::before { content: attr(data-label); color: var(--quiet); font-size: .9em; }
  .plain .pill { justify-self: start; } .plain .long { min-width: 0; }
  .head .field { margin-left: 0; } .spring { display: none; }
}
@media (prefers-reduced-motion: no-preference) { html { scroll-behavior: smooth; } }
`;
