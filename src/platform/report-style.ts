/**
 * The look of a report: quiet, with colour only where somebody has to look. Follows the reader's light or dark mode and
 * prints in black on white.
 */
export const reportStyle = `
:root { color-scheme: light dark;
  --page: #f6f7f9; --card: #ffffff; --ink: #1d2430; --soft: #5d6878; --faint: #a3acb9; --line: #e3e7ec; --zebra: #fafbfc;
  --good: #1d7a4f; --good-page: #e6f4ec; --bad: #b4430f; --bad-page: #fdeee4; --link: #2459b3;
  --c0: #c3cad4; --c1: #3f6fc4; --c2: #2a9d8f; --c3: #c98a1b; --c4: #8a5fbf; --c5: #c2527a; --c6: #6b7a1f; }
@media (prefers-color-scheme: dark) { :root {
  --page: #12161c; --card: #1a2029; --ink: #e4e8ee; --soft: #9aa6b5; --faint: #5f6b7a; --line: #2b333f; --zebra: #1e252f;
  --good: #6fcf9f; --good-page: #16321f; --bad: #f2a36b; --bad-page: #3a2313; --link: #8db4f5;
  --c0: #4a5564; --c1: #6f9bea; --c2: #4fc1b2; --c3: #e0ae54; --c4: #b08fe0; --c5: #e083a6; --c6: #aebc5c; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 14px/1.5 Pretendard, "Apple SD Gothic Neo",
  "Malgun Gothic", "Noto Sans KR", "Noto Sans CJK KR", system-ui, sans-serif; font-variant-numeric: tabular-nums; }
main { max-width: 1180px; margin: 0 auto; padding: 32px 20px 64px; }
h1, h2, h3, h4, p { margin: 0; }
h1 { font-size: 26px; font-weight: 700; letter-spacing: -0.01em; }
h2 { font-size: 17px; font-weight: 650; margin-bottom: 4px; }
h3 { font-size: 15px; font-weight: 650; }
h4 { font-size: 12px; font-weight: 600; color: var(--soft); margin: 16px 0 4px; }
a { color: var(--link); }
small { color: var(--faint); font-weight: 400; font-size: 12px; }
.brand { color: var(--soft); font-size: 13px; }
.headline { display: flex; flex-wrap: wrap; align-items: baseline; gap: 4px 16px; margin: 2px 0 16px; }
.verdict { border-radius: 10px; padding: 14px 18px; margin-bottom: 16px; }
.verdict.good { background: var(--good-page); } .verdict.bad { background: var(--bad-page); }
.verdict strong { font-size: 18px; letter-spacing: 0.03em; margin-right: 10px; }
.verdict.good strong { color: var(--good); } .verdict.bad strong { color: var(--bad); }
.verdict ul { margin: 8px 0 0; padding-left: 20px; } .verdict li { margin: 2px 0; overflow-wrap: anywhere; }
.meta { display: flex; flex-wrap: wrap; gap: 4px 24px; color: var(--soft); margin-bottom: 16px; font-size: 13px; }
.meta b { color: var(--ink); font-weight: 500; overflow-wrap: anywhere; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin-bottom: 16px; }
.tile, section, .card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
.tile { padding: 12px 16px; } .tile span { display: block; color: var(--soft); font-size: 12px; }
.tile b { font-size: 21px; font-weight: 650; white-space: nowrap; } .tile i { font-style: normal; color: var(--soft); font-size: 12px; display: block; }
section { padding: 18px 20px 20px; margin-bottom: 16px; }
.note { color: var(--soft); font-size: 12.5px; margin-bottom: 10px; }
.none { color: var(--soft); padding: 6px 0; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { padding: 6px 8px; text-align: left; vertical-align: middle; white-space: nowrap; font-weight: 400; }
thead th { color: var(--soft); font-size: 12px; font-weight: 600; border-bottom: 1px solid var(--line); }
tbody tr + tr > * { border-top: 1px solid var(--line); }
tfoot > tr > * { border-top: 2px solid var(--line); font-weight: 650; }
th.n, td.n { text-align: right; } td.q { color: var(--faint); }
.chart { width: 42%; min-width: 120px; }
.bar { display: block; width: 100%; height: 14px; border-radius: 3px; }
.c0 { fill: var(--c0); background: var(--c0); } .c1 { fill: var(--c1); background: var(--c1); }
.c2 { fill: var(--c2); background: var(--c2); } .c3 { fill: var(--c3); background: var(--c3); }
.c4 { fill: var(--c4); background: var(--c4); } .c5 { fill: var(--c5); background: var(--c5); }
.c6 { fill: var(--c6); background: var(--c6); }
.legend { color: var(--soft); font-size: 12.5px; margin: 4px 0 6px; }
.legend i { display: inline-block; width: 10px; height: 10px; border-radius: 2px; margin: 0 5px 0 0; }
.legend span { margin-right: 14px; }
.sums td, .sums tfoot th { font-size: 13px; } .sums small { display: block; line-height: 1.2; } .sums .chart { width: 16%; min-width: 100px; }
.sums th:first-child { width: 130px; } td.reason { white-space: normal; }
tr.group th { font-weight: 650; padding-top: 14px; } tbody + tbody tr.group > * { border-top: 1px solid var(--line); }
tr.kinds td { padding-top: 0; border-top: 0; white-space: normal; }
.chip { display: inline-block; background: var(--zebra); border: 1px solid var(--line); border-radius: 6px; padding: 1px 8px; margin: 2px 4px 2px 0; font-size: 12.5px; }
.chip b { font-weight: 550; } .chip i { font-style: normal; color: var(--soft); } .chip .won { color: var(--soft); margin-left: 4px; }
.state { font-size: 12.5px; } .state.good { color: var(--good); } .state.bad { color: var(--bad); font-weight: 600; } .state.calm { color: var(--soft); }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(290px, 1fr)); gap: 12px; }
.card { background: var(--zebra); padding: 14px 16px; }
.ledger th, .ledger td { padding: 3px 6px; } .ledger tbody tr + tr > * { border-top: 0; }
.ledger .sign { width: 18px; padding: 3px 0; color: var(--soft); text-align: center; }
.ledger .sum > * { font-weight: 650; }
.ledger tbody tr.residual > * { border-top: 1px solid var(--faint); font-weight: 650; }
.residual.good > * { color: var(--good); } .residual.bad > * { color: var(--bad); }
.ledger.aside { margin-top: 6px; } .aside th, .aside td { color: var(--soft); font-size: 12px; padding: 1px 6px; }
td.tid, td.file { font-family: ui-monospace, "SF Mono", Consolas, "Noto Sans Mono", monospace; font-size: 11.5px; }
#largest table { font-size: 12.5px; } #largest :is(th, td) { padding: 5px 6px; }
td.tid, td.file, td.who { max-width: 175px; overflow: hidden; text-overflow: ellipsis; } td.who { max-width: 110px; }
@media (max-width: 620px) { main { padding: 20px 12px 40px; } section { padding: 14px 12px; } h1 { font-size: 22px; } .chart { width: auto; } }
@media print { :root { --page: #fff; --card: #fff; --zebra: #fff; --ink: #000; --soft: #444; --faint: #888; --line: #ccc;
  --good: #14532d; --good-page: #fff; --bad: #7c2d12; --bad-page: #fff; --link: #000; }
  @page { size: A4 landscape; margin: 12mm; } body { font-size: 10.5px; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  main { max-width: none; padding: 0; } section, .card, .tile { break-inside: avoid; } #largest, #stages { break-inside: auto; }
  tr { break-inside: avoid; } .verdict { border: 1px solid var(--line); } }
`;
