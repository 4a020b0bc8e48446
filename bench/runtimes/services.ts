/** A service for each runtime, as its language's people write it; what it answers is its version. */

export interface Service {
  /** YAML of its definition, below its name. */
  readonly yaml: readonly string[];
  /** @param answer without "Hello", its health check fails */
  files(answer: string): Readonly<Record<string, string>>;
  /** A command on the host that prints a lock file, and where that belongs. */
  readonly lock?: { readonly script: string; readonly path: string };
  /** A command in the repository, once its files lie there. */
  readonly make?: string;
}

const NODE = (answer: string) => `require('node:http')
  .createServer((_, response) => response.end(${JSON.stringify(answer)}))
  .listen(process.env.PORT, '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
`;
const GO = (answer: string) => `package main

import (
	"fmt"
	"log"
	"net/http"
	"os"
)

func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, ${JSON.stringify(answer)})
	})
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
}
`;
const GEMFILE = 'source "https://rubygems.org"\ngem "sinatra"\ngem "puma"\n';

export const SERVICES: Readonly<Record<string, Service>> = {
  node: {
    yaml: [],
    files: (answer) => ({
      'package.json': '{"scripts":{"start":"node server.js"}}',
      'server.js': NODE(answer),
    }),
  },
  python: {
    yaml: ['start: gunicorn --bind 127.0.0.1:$PORT --threads 16 app:app'],
    files: (answer) => ({
      'requirements.txt': 'flask==3.1.2\ngunicorn==23.0.0\n',
      'app.py': `from flask import Flask

app = Flask(__name__)

@app.get("/")
def greet():
    return ${JSON.stringify(answer)}
`,
    }),
  },
  go: {
    yaml: [],
    files: (answer) => ({ 'go.mod': 'module example.com/greeter\n\ngo 1.19\n', 'main.go': GO(answer) }),
  },
  ruby: {
    // Named, so that `prod up` brings Bundler, which makes the lock file.
    yaml: [
      'runtime: ruby',
      'packages: [ruby-sinatra, puma]',
      'start: bundle exec puma --bind tcp://127.0.0.1:$PORT',
    ],
    files: (answer) => ({
      Gemfile: GEMFILE,
      'config.ru':
        'require "sinatra"\nrequire_relative "app"\nset :logging, false\nrun Sinatra::Application\n',
      'app.rb': `get("/") { ${JSON.stringify(answer)} }\n`,
    }),
    lock: {
      path: 'Gemfile.lock',
      script: `mkdir -p /root/lock && cd /root/lock && printf '${GEMFILE.replaceAll('\n', '\\n')}' >Gemfile
bundle lock --local >&2 && cat Gemfile.lock`,
    },
  },
  bun: {
    yaml: [],
    files: (answer) => ({
      'package.json': '{"scripts":{"start":"bun run index.ts"}}',
      'index.ts': `const fetch = () => new Response(${JSON.stringify(answer)});
Bun.serve({ hostname: "127.0.0.1", port: Number(Bun.env.PORT), fetch });
`,
    }),
  },
  deno: {
    yaml: [],
    files: (answer) => ({
      'deno.json': '{"tasks":{"start":"deno run --allow-net --allow-env main.ts"}}',
      'main.ts': `const answer = () => new Response(${JSON.stringify(answer)});
Deno.serve({ hostname: "127.0.0.1", port: Number(Deno.env.get("PORT")) }, answer);
`,
    }),
  },
  static: {
    yaml: ['runtime: static'],
    files: (answer) => ({ 'index.html': answer }),
  },
  tomcat: {
    yaml: ['runtime: tomcat', 'build: "true"', 'artifact: shop.war', 'context: /'],
    files: (answer) => ({
      'index.html': answer,
      'WEB-INF/web.xml': '<web-app xmlns="http://xmlns.jcp.org/xml/ns/javaee" version="4.0"/>\n',
    }),
    make: 'rm -f shop.war && jar -cf shop.war index.html WEB-INF',
  },
};
