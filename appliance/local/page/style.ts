/** The whole look: no asset is fetched from anywhere. Narrow screens first; wide ones get two columns. */
export const STYLE = `
:root{color-scheme:light dark;--body:#f5f7f9;--text:#1b2430;--quiet:#55616f;--link:#1a5190;--surface:#fff;--surface2:#f0f3f6;--border:#dde2e8;--line:#c4ccd5;--focus:#1f5fa8;--button:#1f5fa8;--button-text:#fff;
--ok:#17603a;--ok-bg:#e5f4ea;--ok-line:#b3dbc1;--warn:#744600;--warn-bg:#fcf0d9;--warn-line:#ecce97;--bad:#9c1420;--bad-bg:#fce9e9;--bad-line:#efbaba;--info:#1d4d8c;--info-bg:#e7effa;--info-line:#bad1ed;--unknown:#573a8b;--unknown-bg:#f1ebfa;--unknown-line:#b49adb}
@media (prefers-color-scheme:dark){:root{--body:#12161b;--text:#dde3ea;--quiet:#9aa6b4;--link:#84b1e6;--surface:#1a1f26;--surface2:#222932;--border:#2d3540;--line:#3d4753;--focus:#84b1e6;--button:#2a66ac;--button-text:#fff;
--ok:#7fd6a0;--ok-bg:#12301f;--ok-line:#285e3e;--warn:#f0c168;--warn-bg:#35280b;--warn-line:#6b4f17;--bad:#ffa49e;--bad-bg:#3c1618;--bad-line:#7c2f32;--info:#98c3f5;--info-bg:#152840;--info-line:#2c4f7a;--unknown:#cdb6f3;--unknown-bg:#291f3f;--unknown-line:#654d92}}
*,*::before,*::after{box-sizing:border-box}
body{margin:0;background:var(--body);color:var(--text);font:0.9375rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","DejaVu Sans",sans-serif;-webkit-text-size-adjust:100%}
.page{max-width:72rem;margin:0 auto;padding:0 16px 48px}
header{display:flex;flex-wrap:wrap;align-items:center;justify-content:space-between;gap:4px 16px;padding:16px 0}
h1{font-size:1.0625rem;line-height:1.3;margin:0}
h1 small{display:block;font-weight:400;font-size:.8125rem;color:var(--quiet)}
h2{font-size:1rem;margin:0}
p{margin:0}
a{color:var(--link)}
.quiet,.empty{color:var(--quiet);font-size:.875rem}
.live{color:var(--quiet);font-size:.8125rem;display:flex;align-items:center;gap:6px}
.dot{width:8px;height:8px;border-radius:50%;background:var(--ok)}
.banner{background:var(--warn-bg);color:var(--warn);border:1px solid var(--warn-line);border-radius:8px;padding:10px 14px;margin:0 0 16px}
[hidden]{display:none}
.icon{width:1em;height:1em;flex:none;fill:none;stroke:currentColor;stroke-width:1.6;stroke-linecap:round;stroke-linejoin:round}
.headline{border-style:solid;border-width:1px;border-radius:10px;padding:16px;margin:0 0 16px;display:grid;grid-template-columns:auto 1fr;gap:0 12px}
.headline>.icon{width:1.5rem;height:1.5rem;margin-top:2px}
.headline h2{font-size:1.25rem;line-height:1.35}
.headline p{color:var(--text);margin-top:2px}
.remarks{list-style:none;margin:0 0 16px;padding:0;display:grid;gap:8px}
.remarks li{border-style:solid;border-width:1px;border-radius:8px;padding:10px 14px;display:grid;grid-template-columns:auto 1fr;gap:0 10px}
.remarks .icon{margin-top:4px}
.remarks p{color:var(--text);font-size:.875rem}
.ok{color:var(--ok);background:var(--ok-bg);border-color:var(--ok-line)}
.info{color:var(--info);background:var(--info-bg);border-color:var(--info-line)}
.warn{color:var(--warn);background:var(--warn-bg);border-color:var(--warn-line)}
.bad{color:var(--bad);background:var(--bad-bg);border-color:var(--bad-line)}
.unknown{color:var(--unknown);background:var(--unknown-bg);border-color:var(--unknown-line)}
.badge{display:inline-flex;align-items:center;gap:5px;border-style:solid;border-width:1px;border-radius:99px;padding:1px 10px 1px 7px;font-size:.8125rem;font-weight:600;white-space:nowrap}
.unknown.badge{border-style:dashed}
.badges{display:flex;flex-wrap:wrap;gap:6px}
.cards{display:grid;gap:16px;grid-template-columns:minmax(0,1fr)}
.column{display:grid;gap:16px;align-content:start;min-width:0}
.card{background:var(--surface);border:1px solid var(--border);border-radius:10px;padding:16px;min-width:0}
.card-head{display:flex;flex-wrap:wrap;align-items:center;justify-content:space-between;gap:4px 12px;margin-bottom:10px}
.facts{margin:0;display:grid;gap:6px}
.facts div{display:grid;grid-template-columns:minmax(7.5rem,38%) 1fr;gap:0 12px}
.facts dt{color:var(--quiet)}
.facts dd{margin:0;overflow-wrap:anywhere}
code{font:.8125rem ui-monospace,"Cascadia Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace;overflow-wrap:anywhere}
table{width:100%;border-collapse:collapse;margin-top:14px;font-variant-numeric:tabular-nums}
caption{text-align:left;color:var(--quiet);font-size:.8125rem;padding-bottom:4px}
th,td{text-align:left;padding:6px 0;border-top:1px solid var(--border);font-weight:400}
thead th{color:var(--quiet);font-size:.8125rem}
td,thead th:not(:first-child){text-align:right;padding-left:12px}
.rows{list-style:none;margin:0;padding:0}
.rows li{padding:12px 0;border-top:1px solid var(--border);display:grid;gap:3px;overflow-wrap:anywhere}
.rows li:first-child{border-top:0;padding-top:0}
.rows li:last-child{padding-bottom:0}
.rows.compact li{padding:8px 0}
.row-head{display:flex;flex-wrap:wrap;align-items:center;justify-content:space-between;gap:4px 12px}
.next{background:var(--surface2);border-radius:6px;padding:8px 10px;margin-top:4px}
.next-label{font-weight:600}
.note{border-style:solid;border-width:1px;border-radius:8px;padding:8px 12px;margin-top:12px;font-size:.875rem;overflow-wrap:anywhere}
.note.bad{color:var(--text)}
.note strong{color:var(--bad);font-size:.8125rem}
details{margin-top:8px}
.compact+p{margin-top:8px}
summary{cursor:pointer;color:var(--link);padding:8px 0;min-height:40px}
.claim-code{display:grid;gap:16px;justify-items:center}
.claim-code>div:last-child{width:100%}
.qr{background:#fff;border-radius:8px;padding:4px;width:min(100%,16rem);line-height:0;border:1px solid var(--border)}
.qr svg{width:100%;height:auto}
.steps{margin:0 0 8px;padding-left:1.25rem}
.steps li{margin:4px 0}
.address{overflow-wrap:anywhere;white-space:pre-wrap;font:.8125rem/1.6 ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace;background:var(--surface2);border-radius:6px;padding:8px 10px}
.number-label{margin-top:16px;color:var(--quiet);font-size:.875rem;text-align:center}
.number{font-size:2rem;font-weight:700;letter-spacing:.08em;text-align:center;font-variant-numeric:tabular-nums}
.doctor li{grid-template-columns:1fr auto}
.doctor p{grid-column:1/-1;font-size:.875rem;color:var(--quiet)}
.doctor-name{font-weight:600}
.column:empty{display:none}
form{display:grid;gap:6px}
label{font-weight:600}
.form-row{display:flex;flex-wrap:wrap;gap:8px}
input[type=text],input[type=password]{flex:1 1 14rem;min-width:0;min-height:44px;font:1rem ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace;padding:8px 12px;color:var(--text);background:var(--surface);border:1px solid var(--line);border-radius:8px}
input[aria-invalid]{border-color:var(--bad)}
button{min-height:44px;padding:8px 20px;border:0;border-radius:8px;background:var(--button);color:var(--button-text);font:600 1rem system-ui,sans-serif;cursor:pointer}
button.plain{background:none;color:var(--link);border:1px solid var(--line);justify-self:start}
video{display:block;width:100%;max-width:24rem;border-radius:8px;background:#000;margin-bottom:8px}
#scan-says:empty{display:none}
:focus-visible{outline:3px solid var(--focus);outline-offset:2px}
.form-error{color:var(--bad)}
footer{margin-top:24px;color:var(--quiet);font-size:.8125rem}
@media (min-width:60rem){.cards{grid-template-columns:minmax(0,1fr) minmax(0,1fr)}.claim-code{grid-template-columns:16rem 1fr;justify-items:start;align-items:center}.number-label,.number{text-align:left}.page{padding:0 24px 48px}}
`.trim();
