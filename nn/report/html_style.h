#pragma once
// Style sheet of the report. Figures are drawn for paper; on dark screens they are inverted, which turns
// white into the colour of their cards, and their hues are turned back.
#include <string_view>

namespace vae::report {

inline constexpr std::string_view kHtmlStyle = R"css(
:root { --paper: #f6f7f9; --card: #ffffff; --ink: #1f2328; --muted: #5f6873; --rule: #dfe3e8; --accent: #1f5fbf; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #0d0d0e; --card: #181818; --ink: #e4e6e9; --muted: #9aa2ab; --rule: #2b2d30; --accent: #7db0ff; }
  .drawn img { filter: invert(.92) hue-rotate(180deg) saturate(1.4) brightness(1.2); }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
       font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 94rem; margin: 0 auto; padding: 3rem clamp(1rem, 3vw, 3rem) 5rem; }
section { display: grid; grid-template-columns: minmax(0, 1fr); gap: 1rem 1.25rem; align-items: start; }
section > * { grid-column: 1 / -1; min-width: 0; margin: 0; }
h1 { font-size: 2rem; line-height: 1.2; font-weight: 650; letter-spacing: -.015em; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; font-weight: 600; margin: 2.5rem 0 0; }
p { max-width: 50rem; margin: .8rem 0; overflow-wrap: anywhere; }
.subtitle { color: var(--muted); margin-top: .4rem; }
dl, dd { margin: 0; }
.headline { display: flex; flex-wrap: wrap; gap: 1rem 2.75rem; margin-top: 1.75rem; }
.headline dt { color: var(--muted); font-size: .85rem; }
.headline dd { font-size: 1.6rem; font-weight: 600; color: var(--accent);
               font-variant-numeric: tabular-nums; letter-spacing: -.01em; }
figure, .table, .facts, pre { background: var(--card); border: 1px solid var(--rule); border-radius: 8px; }
figure > div { overflow-x: auto; padding: .9rem; }
figure img { display: block; width: 100%; height: auto; margin: 0 auto; }
figcaption { color: var(--muted); font-size: .88rem; padding: .1rem .9rem .8rem; overflow-wrap: anywhere; }
.table { overflow: auto; width: fit-content; max-width: 100%; max-height: 46rem; padding: 0 .9rem; }
main > .table { margin-top: 1.75rem; }
table { border-collapse: collapse; font-size: .9rem; white-space: nowrap; }
th, td { text-align: left; vertical-align: top; padding: .32rem 1.6rem .32rem 0; border-bottom: 1px solid var(--rule); }
tbody tr:last-child td { border-bottom: 0; }
thead th { color: var(--muted); font-weight: 600; position: sticky; top: 0; background: var(--card); }
.num { text-align: right; font-variant-numeric: tabular-nums; }
.beside { width: auto; }
.beside table { width: 100%; }
.table :is(th, td):last-child { padding-right: 0; }
.facts { padding: .5rem .9rem; column-gap: 2.5rem; font-size: .9rem; }
.facts div { display: grid; grid-template-columns: minmax(6rem, 13rem) minmax(0, 1fr); gap: 1rem; padding: .22rem 0;
             break-inside: avoid; }
.facts dt { color: var(--muted); overflow-wrap: anywhere; }
.facts dd { overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
pre { overflow-x: auto; padding: .9rem; font: .82rem/1.45 ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
@media (min-width: 60rem) {
  section { grid-template-columns: repeat(2, minmax(0, 1fr)); grid-auto-flow: dense; }
  figure, .beside { grid-column: auto; }
  figure.wide { grid-column: 1 / -1; }
  figure.wide:has(+ .beside) { grid-column: auto; }
  .facts { columns: 2; }
}
@media print {
  :root { --paper: #ffffff; --card: #ffffff; --ink: #000000; --muted: #555555; --rule: #cccccc; --accent: #000000; }
  .drawn img { filter: none; }
  main { max-width: none; padding: 0; }
  .table { max-height: none; }
  figure img { min-width: 0 !important; }
  h2 { break-after: avoid; }
  figure, tr { break-inside: avoid; }
}
)css";

}  // namespace vae::report
