/**
 * The report's style sheet: light, dark, narrow and printed. System fonts, tabular digits, nothing from the
 * network.
 */
export const STYLE = `
:root{color-scheme:light dark;--page:#f6f7f8;--card:#fff;--ink:#1b2026;--soft:#5c6672;--faint:#8b95a1;
--rule:#e3e7eb;--grid:#edf0f2;
--baseline:#3b6fb6;--candidate:#d9822b;--good:#2b8a57;--bad:#c2352f;--open:#8a6d1b;--good-soft:#e5f3ea;
--bad-soft:#fbe9e7;--open-soft:#f8f1dc;--band:#3b6fb61a;
--r0:#7a4fa3;--r1:#1f8a8c;--r2:#b0476f;--r3:#6b7d2e}
@media (prefers-color-scheme:dark){:root{--page:#111418;--card:#191d22;--ink:#e6e9ec;--soft:#a3adb8;
--faint:#76818d;--rule:#2b3138;--grid:#242a30;
--baseline:#79a9e6;--candidate:#f0a55a;--good:#63c08c;--bad:#f0817a;--open:#d9b95b;--good-soft:#17301f;
--bad-soft:#3a1d1c;--open-soft:#332b12;--band:#79a9e624;
--r0:#b795dd;--r1:#5fc4c4;--r2:#e58fb0;--r3:#b3c46d}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",
Roboto,"Helvetica Neue","Liberation Sans",Arial,sans-serif;
font-variant-numeric:tabular-nums;-webkit-text-size-adjust:100%}
main{max-width:1080px;margin:0 auto;padding:32px 24px 64px;overflow-wrap:anywhere}
h1{font-size:15px;font-weight:600;margin:0;color:var(--soft)}
h2{font-size:17px;font-weight:600;margin:40px 0 4px;letter-spacing:-.005em}
h3{font-size:13px;font-weight:600;margin:0 0 6px;color:var(--ink)}
p{margin:0 0 10px}.lead{color:var(--soft);margin:0 0 14px;max-width:76ch}
code,pre,.commit{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;
font-size:.88em}
.top{display:flex;justify-content:space-between;gap:16px;align-items:baseline;color:var(--soft);
margin-bottom:14px}
.card{background:var(--card);border:1px solid var(--rule);border-radius:10px;padding:20px 22px;min-width:0}
.verdict{display:grid;grid-template-columns:1fr auto;gap:8px 32px;border-left:5px solid var(--tone);
padding:22px 26px}
.passed{--tone:var(--good);--tone-soft:var(--good-soft)}
.failed{--tone:var(--bad);--tone-soft:var(--bad-soft)}
.inconclusive{--tone:var(--open);--tone-soft:var(--open-soft)}
.verdict .word{font-size:30px;line-height:1.15;font-weight:700;letter-spacing:-.015em;color:var(--tone)}
.verdict .why{font-size:16px;margin:8px 0 0;max-width:66ch;overflow-wrap:anywhere}
.score{text-align:right;color:var(--soft);font-size:13px}
.score b{display:block;font-size:40px;line-height:1;font-weight:650;color:var(--ink);letter-spacing:-.02em}

.sides{display:grid;grid-template-columns:1fr 1fr;gap:14px;margin-top:14px}
.side{display:grid;grid-template-columns:auto 1fr;gap:2px 10px;padding:14px 18px;align-items:baseline}
.side .key{width:10px;height:10px;border-radius:3px;background:currentColor;align-self:center}
.side.baseline .key{color:var(--baseline)}.side.candidate .key{color:var(--candidate)}
.side .role{color:var(--soft);font-size:13px}.side .ref{font-weight:600;overflow-wrap:anywhere}
.side .ref,.side .subject{grid-column:2}
.side .subject{color:var(--soft);font-size:13px;overflow-wrap:anywhere}
.facts{display:flex;flex-wrap:wrap;gap:6px 28px;margin:16px 2px 0;color:var(--soft);font-size:13.5px}
.facts b{color:var(--ink);font-weight:600}
.notes{margin:16px 0 0;padding:0;list-style:none}
.notes li{padding:9px 14px;background:var(--open-soft);border-radius:8px;margin-top:8px;font-size:14px;
overflow-wrap:anywhere}
.scroll{overflow-x:auto;padding:4px 22px}
table{border-collapse:collapse;width:100%;font-size:14px}
th{text-align:left;font-weight:500;color:var(--soft);font-size:12.5px;padding:12px 14px 8px 0;
border-bottom:1px solid var(--rule);white-space:nowrap}
td{padding:9px 14px 9px 0;border-bottom:1px solid var(--grid);vertical-align:middle}
tr:last-child td{border-bottom:0}td.without{color:var(--soft);font-size:13px}
th:last-child,td:last-child{padding-right:0}
td.n,th.n{text-align:right;white-space:nowrap}td.name{font-weight:550;overflow-wrap:anywhere;min-width:130px}
td .sub{display:block;color:var(--faint);font-size:12px;font-weight:400}
.pill{display:inline-block;padding:1px 9px;border-radius:99px;font-size:12.5px;font-weight:600;
white-space:nowrap;color:var(--soft);border:1px solid var(--rule)}
.pill.pass{color:var(--good);background:var(--good-soft);border-color:transparent}
.pill.harm{color:var(--bad);background:var(--bad-soft);border-color:transparent}
.pill.open{color:var(--open);background:var(--open-soft);border-color:transparent}
.bar{display:grid;grid-template-columns:84px auto;gap:10px;align-items:center;justify-content:start;
white-space:nowrap;color:var(--soft);font-size:13px}
.bar i{display:block;height:6px;border-radius:3px;background:var(--grid);overflow:hidden;
border:1px solid var(--rule)}.bar i b{display:block;height:100%;background:var(--faint)}
.bar.full i b{background:var(--bad)}.bar.full{color:var(--bad);font-weight:600}
.grid2{display:grid;grid-template-columns:1fr 1fr;gap:14px}.grid2>*{min-width:0}
figure{margin:0}figure.card{padding:16px 18px 12px}
figcaption{color:var(--soft);font-size:12.5px;margin-top:2px}
.legend{display:inline-flex;gap:16px;color:var(--soft);font-size:13px;font-weight:400}
.legend span::before{content:"";display:inline-block;width:14px;height:4px;border-radius:2px;
margin-right:7px;vertical-align:3px;background:var(--baseline)}
.legend span+span::before{background:var(--candidate)}
svg{display:block;width:100%;height:auto}
svg text{font:11.5px system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",Arial,sans-serif;
fill:var(--soft);font-variant-numeric:tabular-nums}
.grid{stroke:var(--grid)}.axis{stroke:var(--rule)}
.line{fill:none;stroke-width:1.9;stroke-linejoin:round;stroke-linecap:round}
.line.thin{stroke-width:1.1;opacity:.55}
.line.baseline{stroke:var(--baseline)}.line.candidate{stroke:var(--candidate)}
.dot.baseline{fill:var(--baseline)}.dot.candidate{fill:var(--candidate)}
.area{fill-opacity:.2;stroke-width:1.5;stroke-linejoin:round}
.area.baseline{fill:var(--baseline);stroke:var(--baseline)}
.area.candidate{fill:var(--candidate);stroke:var(--candidate)}
.median{stroke-width:1.4;stroke-dasharray:3 3}.median.baseline{stroke:var(--baseline)}
.median.candidate{stroke:var(--candidate)}
.warm-up{fill:var(--grid);opacity:.7}.mark line{stroke:var(--faint);stroke-dasharray:2 3}
.mark text{fill:var(--faint)}.mark.candidate line{stroke:var(--candidate)}
.mark.baseline line{stroke:var(--baseline)}
.threshold{stroke-width:1.3;stroke-dasharray:5 4}.threshold.harm{stroke:var(--bad)}
.threshold.benign{stroke:var(--good)}
.line.evidence{stroke:var(--faint)}.line.rank0{stroke:var(--r0)}.line.rank1{stroke:var(--r1)}
.line.rank2{stroke:var(--r2)}.line.rank3{stroke:var(--r3)}
svg text.rank0{fill:var(--r0)}svg text.rank1{fill:var(--r1)}svg text.rank2{fill:var(--r2)}
svg text.rank3{fill:var(--r3)}
.forest{width:320px;min-width:240px}.forest .tolerated{fill:var(--band)}
.forest .neutral{stroke:var(--faint);stroke-dasharray:2 3}
.forest .whisker{stroke:var(--t);stroke-width:1.6}.forest .point,.forest .arrow{fill:var(--t)}
.forest{--t:var(--soft)}.forest.pass{--t:var(--good)}.forest.harm{--t:var(--bad)}
td.plot{padding-top:0;padding-bottom:0}table.effects{table-layout:fixed}table.effects td{border-bottom:0}
table.effects th:nth-child(1){width:28%}table.effects th:nth-child(2){width:340px}
table.effects th:nth-child(3){width:15%}.forest.scale{height:20px}
table.effects tr.scale td{border-top:1px solid var(--grid);padding:0}
details{border-top:1px solid var(--rule);padding:10px 0}details:first-of-type{border-top:0}
summary{cursor:pointer;font-weight:550;overflow-wrap:anywhere}summary .pill{margin-left:8px}
details p{margin:8px 0 0;color:var(--soft);max-width:80ch;overflow-wrap:anywhere}
pre{margin:8px 0 0;padding:12px 14px;background:var(--page);border:1px solid var(--rule);border-radius:8px;
overflow:auto;max-height:320px;white-space:pre-wrap;overflow-wrap:anywhere;line-height:1.45}
dl{display:grid;grid-template-columns:max-content 1fr;gap:5px 22px;margin:0;font-size:14px}
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
footer{margin-top:36px;color:var(--faint);font-size:13px}
@media screen and (max-width:760px){main{padding:18px 14px 40px}.sides,.grid2{grid-template-columns:1fr}
.verdict{grid-template-columns:1fr;padding:18px}.score{text-align:left}.score b{font-size:30px;display:inline}
.card{padding:16px}.scroll{padding:2px 16px}.top{flex-direction:column;gap:2px}
dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:8px}
table.metrics,table.effects,table.metrics tbody,table.effects tbody{display:block;min-width:0}
table.metrics thead,table.effects thead{display:none}
table.metrics tr{display:grid;grid-template-columns:1fr 1fr 1fr;gap:4px 10px;padding:12px 0;
border-bottom:1px solid var(--grid)}table.metrics tr:last-child,table.effects tr{border:0}
table.metrics td,table.effects td{padding:0;border:0;text-align:left}
table.metrics td::before{content:attr(data-label);display:block;color:var(--faint);font-size:12px}
table.metrics td.name{grid-column:1/3;min-width:0}table.metrics td.without{grid-column:1/4}
table.metrics td.without::before{content:none}
table.metrics td.verdict-cell{grid-column:3;grid-row:1;text-align:right}
table.metrics td.evidence{grid-column:1/4}
table.metrics td.name::before,table.metrics td.verdict-cell::before,
table.metrics td.evidence::before{content:none}
table.effects tr{display:grid;grid-template-columns:1fr auto;padding:8px 0}
table.effects td.plot{grid-column:1/3}
table.effects td:nth-child(4){grid-column:1/3;grid-row:2;color:var(--soft);font-size:13px}
table.effects td:nth-child(3){grid-column:2;grid-row:1}.forest{width:100%}
table.effects tr.scale td:not(.plot){display:none}}
@media print{:root{--page:#fff;--card:#fff;--ink:#111;--soft:#444;--faint:#777;--rule:#ccc;--grid:#e8e8e8;
--baseline:#2f5fa3;--candidate:#c06a12;--good:#1d6b41;--bad:#a4201b;--open:#6d5512;--good-soft:#fff;
--bad-soft:#fff;--open-soft:#fff}
body{font-size:12px;print-color-adjust:exact;-webkit-print-color-adjust:exact}main{max-width:none;padding:0}
.verdict,.side,figure,tr,details{break-inside:avoid}h2{break-after:avoid;margin-top:24px}
.scroll{overflow:visible}pre{max-height:none}
details::details-content{content-visibility:visible;height:auto}.pill{border-color:currentColor}
.forest{width:220px;min-width:0}table.effects th:nth-child(1){width:24%}
table.effects th:nth-child(2){width:226px}table.effects th:nth-child(3){width:20%}}
`;
