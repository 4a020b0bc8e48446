/** The dashboard's files, put into the bundle by scripts/build.mjs. */
import { createHash } from 'node:crypto';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import type { Request } from '../access/sign-in.ts';

declare const PIPELINE_PAGE: { readonly js: string; readonly css: string } | undefined;

interface Asset {
  readonly type: string;
  readonly plain: Buffer;
  readonly gzip: Buffer;
  readonly brotli: Buffer;
}

/** Files by path below /dashboard. Names hold a hash: browsers keep them for good. */
export function pageAssets(): { readonly html: Asset; readonly files: ReadonlyMap<string, Asset> } {
  const page = typeof PIPELINE_PAGE === 'undefined' ? { js: '', css: '' } : PIPELINE_PAGE;
  const name = (text: string, extension: string) =>
    `/dashboard/${createHash('sha256').update(text).digest('hex').slice(0, 12)}.${extension}`;
  const [js, css] = [name(page.js, 'js'), name(page.css, 'css')];
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>pipeline monitor</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${css}">
<script type="module" src="${js}"></script>
</head>
<body><div id="app"></div><noscript>The dashboard draws its charts with JavaScript.</noscript></body>
</html>
`;
  return {
    html: asset(html, 'text/html; charset=utf-8'),
    files: new Map([
      [js, asset(page.js, 'text/javascript; charset=utf-8')],
      [css, asset(page.css, 'text/css; charset=utf-8')],
    ]),
  };
}

function asset(text: string, type: string): Asset {
  const plain = Buffer.from(text);
  return { type, plain, gzip: gzipSync(plain), brotli: brotliCompressSync(plain) };
}

/** Answers with a file of the page, compressed as the browser takes it. */
export function serve(c: Request, asset: Asset, forever: boolean) {
  const accepts = c.req.header('accept-encoding') ?? '';
  const encoding = accepts.includes('br') ? 'br' : accepts.includes('gzip') ? 'gzip' : undefined;
  const body = encoding === 'br' ? asset.brotli : encoding === 'gzip' ? asset.gzip : asset.plain;
  c.header('content-type', asset.type);
  c.header('vary', 'accept-encoding');
  c.header('cache-control', forever ? 'public, max-age=31536000, immutable' : 'no-cache');
  if (encoding !== undefined) c.header('content-encoding', encoding);
  return c.body(new Uint8Array(body));
}
