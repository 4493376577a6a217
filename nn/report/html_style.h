#pragma once
// Style sheet of the report.
#include <string_view>

namespace vae::report {

inline constexpr std::string_view kHtmlStyle = R"css(
:root { --paper: #ffffff; --ink: #1f2328; --muted: #656d76; --rule: #e3e6ea; --tint: #f6f8fa; --accent: #1f5fbf; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #14171b; --ink: #e2e6ea; --muted: #969fa9; --rule: #2c3239; --tint: #1c2127; --accent: #7db0ff; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
       font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 1290px; margin: 0 auto; padding: 3.5rem 1.5rem 5rem; }
h1 { font-size: 2.1rem; line-height: 1.2; font-weight: 650; letter-spacing: -0.015em; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; font-weight: 600; margin: 3.2rem 0 1rem; padding-bottom: .45rem;
     border-bottom: 1px solid var(--rule); }
p { max-width: 44rem; margin: .8rem 0; }
.subtitle { color: var(--muted); margin-top: .5rem; }
.headline { display: flex; flex-wrap: wrap; gap: 1rem 3rem; margin: 2rem 0 0; }
.headline dt { color: var(--muted); font-size: .85rem; }
.headline dd { margin: 0; font-size: 1.7rem; font-weight: 600; color: var(--accent);
               font-variant-numeric: tabular-nums; letter-spacing: -0.01em; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: 1rem 0; font-size: .92rem; }
th, td { text-align: left; vertical-align: top; padding: .38rem 1.4rem .38rem 0; border-bottom: 1px solid var(--rule); }
thead th { color: var(--muted); font-weight: 600; }
.num { text-align: right; font-variant-numeric: tabular-nums; }
.facts th { color: var(--muted); font-weight: 400; white-space: nowrap; }
.facts td { overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
pre { overflow-x: auto; background: var(--tint); padding: 1rem; border-radius: 6px;
      font: .82rem/1.45 ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
figure { display: inline-block; vertical-align: top; max-width: min(100%, 600px); margin: 1rem 1rem 1rem 0; }
figure svg, figure img { display: block; max-width: 100%; height: auto;
                         border: 1px solid var(--rule); border-radius: 6px; }
figcaption { color: var(--muted); font-size: .86rem; margin-top: .55rem; }
@media print {
  :root { --paper: #ffffff; --ink: #000000; --muted: #555555; --rule: #cccccc; --tint: #ffffff; --accent: #000000; }
  main { max-width: none; padding: 0; }
  h2 { break-after: avoid; }
  figure, tr { break-inside: avoid; }
}
)css";

}  // namespace vae::report
