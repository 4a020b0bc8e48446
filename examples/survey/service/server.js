// POST /preview with {"markdown": "…"} → {"preview": "<h1>…"}; GET / says that it runs.
import { createServer } from 'node:http';
import { render } from './render.js';

const port = Number(process.env.PORT ?? 3000);

const server = createServer(async (request, response) => {
  const answer = (status, document) => {
    const body = JSON.stringify(document);
    response.writeHead(status, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    });
    response.end(body);
  };
  try {
    if (request.method === 'GET' && request.url === '/')
      return answer(200, { service: 'survey', status: 'running' });
    if (request.method !== 'POST' || request.url !== '/preview') return answer(404, { error: 'not found' });
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const { markdown } = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    answer(200, { preview: await render(markdown) });
  } catch (error) {
    console.error(error.stack);
    answer(error instanceof SyntaxError ? 400 : 500, { error: 'cannot render' });
  }
});

server.listen(port, () => console.log(`survey listens on ${port}`));
process.on('SIGTERM', () => server.close(() => process.exit(0)));
