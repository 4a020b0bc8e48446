/** How the status page looks, light and dark. */
export const STYLE = `
:root{color-scheme:light dark;--text:light-dark(#17202b,#e4e9ef);--dim:light-dark(#5a6675,#9aa6b4);
--back:light-dark(#f5f7f9,#0d1117);--card:light-dark(#fff,#161b22);--edge:light-dark(#dde3ea,#2a323d);
--well:light-dark(#1f8a4c,#3fb56f);--look:light-dark(#b26a00,#e0a030);--broken:light-dark(#c62f36,#f4767a);
--none:light-dark(#d4dae1,#333c47)}
body{margin:0 auto;max-width:760px;padding:32px 16px;background:var(--back);color:var(--text);
font:15px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
h1{font-size:22px;margin:0 0 16px}h2{font-size:17px;margin:32px 0 8px}h3{font-size:15px;margin:0}
.now{padding:14px 18px;border-radius:10px;color:#fff;font-weight:600;background:light-dark(#1f7a45,#1f6b40)}
.now.look{background:#8f5500}.now.broken{background:#b3262e}.now.none{background:#5a6675}
section,article{background:var(--card);border:1px solid var(--edge);border-radius:10px;padding:12px 16px;
margin:12px 0}
.head{display:flex;justify-content:space-between;gap:12px}
svg{display:block;width:100%;height:32px;margin:8px 0 4px}
.well{fill:var(--well);color:var(--well)}.look{fill:var(--look);color:var(--look)}
.broken{fill:var(--broken);color:var(--broken)}.none{fill:var(--none);color:var(--dim)}
.now.well,.now.look,.now.broken,.now.none{color:#fff}
.dim{color:var(--dim);font-size:13px}p{margin:4px 0}time{font-variant-numeric:tabular-nums}
`;
