var __knownSymbol = (name2, symbol) => (symbol = Symbol[name2]) ? symbol : /* @__PURE__ */ Symbol.for("Symbol." + name2);
var __typeError = (msg) => {
  throw TypeError(msg);
};
var __using = (stack, value, async) => {
  if (value != null) {
    if (typeof value !== "object" && typeof value !== "function") __typeError("Object expected");
    var dispose, inner;
    if (async) dispose = value[__knownSymbol("asyncDispose")];
    if (dispose === void 0) {
      dispose = value[__knownSymbol("dispose")];
      if (async) inner = dispose;
    }
    if (typeof dispose !== "function") __typeError("Object not disposable");
    if (inner) dispose = function() {
      try {
        inner.call(this);
      } catch (e) {
        return Promise.reject(e);
      }
    };
    stack.push([async, dispose, value]);
  } else if (async) {
    stack.push([async]);
  }
  return value;
};
var __callDispose = (stack, error, hasError) => {
  var E = typeof SuppressedError === "function" ? SuppressedError : function(e, s, m, _) {
    return _ = Error(m), _.name = "SuppressedError", _.error = e, _.suppressed = s, _;
  };
  var fail = (e) => error = hasError ? new E(e, error, "An error was suppressed during disposal") : (hasError = true, e);
  var next = (it) => {
    while (it = stack.pop()) {
      try {
        var result = it[1] && it[1].call(it[2]);
        if (it[0]) return Promise.resolve(result).then(next, (e) => (fail(e), next()));
      } catch (e) {
        fail(e);
      }
    }
    if (hasError) throw error;
  };
  return next();
};

// bench/deploy/main.ts
import { execFileSync } from "node:child_process";
import { mkdtempSync as mkdtempSync3, rmSync as rmSync2, writeFileSync as writeFileSync2 } from "node:fs";
import { tmpdir as tmpdir3 } from "node:os";
import { join as join16 } from "node:path";
import { setTimeout as delay2 } from "node:timers/promises";
import { parseArgs } from "node:util";
import { buildSync } from "esbuild";
import { execa as execa3 } from "execa";

// src/build/node-runtime.ts
import { chmod, mkdir as mkdir4, rename as rename3, rm as rm3, stat as stat2, writeFile } from "node:fs/promises";
import { join as join3 } from "node:path";

// src/errors.ts
var EXIT_CODES = {
  internal: 1,
  usage: 2,
  host: 3,
  cloud: 3,
  locked: 4,
  rejected: 5,
  inconclusive: 6,
  interrupted: 130
};
var Failure = class extends Error {
  name = "Failure";
  kind;
  host;
  step;
  next;
  output;
  constructor(kind, message, details = {}) {
    super(message, details.cause === void 0 ? void 0 : { cause: details.cause });
    this.kind = kind;
    this.host = details.host;
    this.step = details.step;
    this.next = details.next;
    this.output = details.output ?? [];
  }
  get exitCode() {
    return EXIT_CODES[this.kind];
  }
};
function closest(word2, known) {
  let best;
  let bestDistance = Math.max(1, Math.floor(word2.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(word2.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}
function editDistance(a, b) {
  let beforeLast = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1);
      }
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}

// src/build/cache.ts
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
function cachePath(context2, ...parts) {
  const xdg = context2.env.XDG_CACHE_HOME;
  const root = xdg?.startsWith("/") ? xdg : join(context2.env.HOME ?? homedir(), ".cache");
  return join(root, "pipeline", ...parts);
}
async function exclusively(path, context2, work) {
  await mkdir(dirname(path), { recursive: true });
  const keeper = spawn("flock", ["--exclusive", path, "sh", "-c", "echo locked; exec cat"], {
    env: { ...context2.env },
    stdio: ["pipe", "pipe", "inherit"],
    detached: true
  });
  keeper.stdin.on("error", () => {
  });
  try {
    const first = await Promise.race([
      once(keeper.stdout, "data", { signal: context2.signal }),
      once(keeper, "exit").then(() => void 0)
    ]);
    if (first === void 0) {
      throw new Failure("usage", `Cannot lock ${path}.`, { next: "Make the cache folder writable for you." });
    }
    return await work();
  } catch (error) {
    context2.signal.throwIfAborted();
    if (error.code !== "ENOENT" || error.path !== "flock")
      throw error;
    throw new Failure("usage", "The program flock is not installed on this machine.", {
      next: "Install it (Debian: apt-get install util-linux), then run the command again.",
      cause: error
    });
  } finally {
    keeper.stdin.end();
  }
}

// src/build/node-version.ts
var NPM_LINES = [
  { npm: "11.21.2", runsOn: from({ 20: 17, 22: 9 }, 24) },
  { npm: "10.9.9", runsOn: from({ 18: 17, 20: 5 }, 21) },
  { npm: "9.9.4", runsOn: from({ 14: 17, 16: 13 }, 18) },
  { npm: "8.19.4", runsOn: from({ 12: 13, 14: 15 }, 16) },
  { npm: "7.24.2", runsOn: from({}, 10) },
  { npm: "6.14.18", runsOn: from({ 6: 2, 8: 0 }, 10) }
];
function from(lines, everyFrom) {
  return (node) => {
    const [line = 0, minor = 0] = node.split(".").map(Number);
    const first = lines[line];
    return line >= everyFrom || first !== void 0 && minor >= first;
  };
}

// src/build/registry.ts
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir as mkdir3, readFile as readFile2, rename as rename2, rm as rm2, stat } from "node:fs/promises";
import { dirname as dirname3, join as join2 } from "node:path";
import { pipeline } from "node:stream/promises";

// src/files.ts
import { randomBytes } from "node:crypto";
import { mkdir as mkdir2, open, readFile, rename, rm } from "node:fs/promises";
import { dirname as dirname2, relative } from "node:path";
async function writeFileAtomic(path, content, mode = 420) {
  const bytes3 = typeof content === "string" ? Buffer.from(content) : Buffer.from(content);
  const before = await readFile(path).catch((error) => {
    if (error.code === "ENOENT") return void 0;
    throw error;
  });
  if (before?.equals(bytes3)) return false;
  await mkdir2(dirname2(path), { recursive: true });
  const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    const file = await open(temporary, "wx", mode);
    try {
      await file.writeFile(bytes3);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  return true;
}

// src/build/run.ts
import { execa } from "execa";
var KEPT_LINES = 25;
async function run(program2, args, context2, options = {}) {
  context2.signal.throwIfAborted();
  context2.trace(withoutCredentials(`$ ${[program2, ...args].join(" ")}`));
  const child = execa(program2, args, {
    cwd: options.cwd ?? context2.cwd,
    env: options.env ?? context2.env,
    extendEnv: false,
    stdin: "ignore",
    detached: true,
    cleanup: false,
    reject: false,
    all: true,
    maxBuffer: 64 * 1024 ** 2
  });
  const stop = () => endGroup(child.pid);
  context2.signal.addEventListener("abort", stop, { once: true });
  const lastLines3 = [];
  try {
    for await (const line of child.iterable({ from: "all" })) {
      context2.trace(withoutCredentials(line));
      options.onLine?.(line);
      lastLines3.push(line);
      if (lastLines3.length > KEPT_LINES) lastLines3.shift();
    }
    const result = await child;
    context2.signal.throwIfAborted();
    if (result.code === "ENOENT" && result.exitCode === void 0) throw missing(program2);
    return { exitCode: result.exitCode ?? 128, stdout: result.stdout, lastLines: lastLines3 };
  } finally {
    context2.signal.removeEventListener("abort", stop);
  }
}
function withoutCredentials(text) {
  return text.replaceAll(/(:\/\/)[^@/\s]+@/g, "$1***@");
}
function endGroup(pid) {
  if (pid === void 0) return;
  const send = (signal) => {
    try {
      process.kill(-pid, signal);
    } catch (error) {
      if (error.code !== "ESRCH") throw error;
    }
  };
  send("SIGTERM");
  setTimeout(() => send("SIGKILL"), 3e3).unref();
}
function missing(program2) {
  return new Failure("usage", `The program ${program2} is not installed on this machine.`, {
    next: `Install it (Debian: apt-get install ${program2 === "flock" ? "util-linux" : program2}), then run the command again.`
  });
}

// src/build/registry.ts
async function packageArchive(name2, version, path, context2) {
  if (await exists(path)) return;
  await exclusively(`${path}.lock`, context2, async () => {
    if (await exists(path)) return;
    const spec = `${name2}@${version}`;
    const viewed = await npm(["view", spec, "dist.integrity", "--json"], context2);
    if (viewed.exitCode !== 0) throw registryFailure(spec, viewed);
    const integrity = JSON.parse(viewed.stdout);
    const folder2 = `${path}.partial`;
    await rm2(folder2, { recursive: true, force: true });
    await mkdir3(folder2, { recursive: true });
    try {
      const packed = await npm(["pack", spec, "--pack-destination", folder2, "--silent"], context2);
      if (packed.exitCode !== 0) throw registryFailure(spec, packed);
      const file = join2(folder2, packed.stdout.trim().split("\n").at(-1) ?? "");
      if (await sha512(file) !== integrity) {
        throw new Failure("cloud", `${spec} is not what the registry says it is (its SHA-512 differs).`, {
          next: "Run the command again; if it stays so, somebody on the way to the registry changes what it sends."
        });
      }
      await rename2(file, path);
    } finally {
      await rm2(folder2, { recursive: true, force: true });
    }
  });
}
async function npm(args, context2) {
  const env = {
    ...context2.env,
    npm_config_loglevel: "error",
    npm_config_update_notifier: "false",
    NO_COLOR: "1"
  };
  return run("npm", args, context2, { env });
}
function registryFailure(what, result) {
  return new Failure("cloud", `npm could not get ${what} from the registry.`, {
    step: "registry",
    output: result.lastLines.filter((line) => !/A complete log of this run/.test(line)).slice(-8),
    next: 'See whether "npm ping" works on this machine, then run the command again.'
  });
}
async function sha512(path) {
  const hash = createHash("sha512");
  await pipeline(createReadStream(path), hash);
  return `sha512-${hash.digest("base64")}`;
}
async function exists(path) {
  return await stat(path).catch(() => void 0) !== void 0;
}

// src/build/node-runtime.ts
async function nodeArchive(runtime, context2) {
  const name2 = `node-linux-${runtime.architecture}`;
  return archive(name2, runtime.version, context2);
}
async function npmForBuilds(version, context2) {
  const folder2 = await unpacked("npm", version, context2);
  const bin = join3(folder2, "pipeline-bin");
  await mkdir4(bin, { recursive: true });
  for (const name2 of ["npm", "npx"]) {
    const path = join3(bin, name2);
    const text = `#!/bin/sh
exec node "$(dirname "$0")/../bin/${name2}-cli.js" "$@"
`;
    await writeFile(`${path}.${process.pid}`, text);
    await chmod(`${path}.${process.pid}`, 493);
    await rename3(`${path}.${process.pid}`, path);
  }
  return bin;
}
function ownArchitecture() {
  if (process.arch === "x64" || process.arch === "arm64") return process.arch;
  throw new Failure("usage", `Builds run on x64 and arm64 machines; this one is ${process.arch}.`, {
    next: "Run pipeline on another machine."
  });
}
async function archive(name2, version, context2) {
  const path = cachePath(context2, "packages", `${name2}-${version}.tgz`);
  await mkdir4(cachePath(context2, "packages"), { recursive: true });
  if (await stat2(path).catch(() => void 0) === void 0) {
    const stage = `fetch ${name2} ${version}`;
    context2.progress({ stage, state: "started" });
    await packageArchive(name2, version, path, context2).catch((error) => {
      context2.progress({ stage, state: "failed" });
      throw error;
    });
    context2.progress({ stage, state: "done" });
  }
  return path;
}
async function unpacked(name2, version, context2) {
  const folder2 = cachePath(context2, "packages", `${name2}-${version}`);
  if (await stat2(folder2).catch(() => void 0) !== void 0) return folder2;
  const path = await archive(name2, version, context2);
  await exclusively(`${folder2}.lock`, context2, async () => {
    if (await stat2(folder2).catch(() => void 0) !== void 0) return;
    const partial = `${folder2}.partial`;
    await rm3(partial, { recursive: true, force: true });
    await mkdir4(partial, { recursive: true });
    const done = await run("tar", ["-xzf", path, "--strip-components=1", "-C", partial], context2);
    if (done.exitCode !== 0) {
      await rm3(partial, { recursive: true, force: true });
      throw new Failure("usage", `Cannot unpack ${path}.`, {
        output: done.lastLines,
        next: "Make room in the cache folder, or remove the file if it is damaged, then run the command again."
      });
    }
    await rename3(partial, folder2);
  });
  return folder2;
}

// src/config/schema.ts
import { z as z2 } from "zod";

// src/config/units.ts
import { z } from "zod";
var MILLISECONDS = { ms: 1, s: 1e3, m: 6e4, h: 36e5, d: 864e5 };
var BYTES = { K: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 };
var DURATION = "expected a duration like 500ms, 90s, 2m, 1h or 7d";
var SIZE = "expected a size like 512M or 2G";
var duration = () => z.string(DURATION).regex(/^\d+(\.\d+)?(ms|s|m|h|d)$/, DURATION).transform((text) => {
  const [, number = "0", unit = "s"] = /^([\d.]+)([a-z]+)$/.exec(text) ?? [];
  return Math.round(Number(number) * MILLISECONDS[unit]);
});
var bytes = () => z.string(SIZE).regex(/^\d+(\.\d+)?[KMGT]$/, SIZE).transform((text) => {
  const unit = text.slice(-1);
  return Math.round(Number(text.slice(0, -1)) * BYTES[unit]);
});

// src/config/schema.ts
var NAME = /^[a-z][a-z0-9-]{0,40}$/;
var APP_NAME = /^[A-Za-z][A-Za-z0-9._-]{0,40}$/;
var name = () => z2.string().regex(NAME, "expected lower-case letters, digits and dashes, a letter first");
var variable = () => z2.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "expected the name of an environment variable");
var port = () => z2.int().min(1).max(65535);
var cidr = () => z2.union([z2.cidrv4(), z2.cidrv6()], "expected a network like 203.0.113.0/24");
var ROLES = ["nginx", "tomcat", "mariadb", "redis"];
var machine = {
  memory: bytes().optional().describe("Local hosts: memory limit, e.g. 512M."),
  cpus: z2.number().positive().max(64).optional().describe("Local hosts: CPU limit in cores, e.g. 1 or 0.5."),
  size: z2.string().optional().describe("DigitalOcean: size slug, e.g. s-1vcpu-1gb."),
  region: z2.string().optional().describe("DigitalOcean: region slug, e.g. nyc3."),
  image: z2.string().optional().describe("DigitalOcean: image slug, e.g. debian-12-x64.")
};
var hostSchema = z2.strictObject({
  roles: z2.array(z2.enum(ROLES)).default([]).describe("What `prod up` installs on the host besides the base."),
  count: z2.int().min(1).max(200).default(1).describe("How many hosts of this kind; above 1 they are called NAME-1, NAME-2, \u2026"),
  ...machine
});
var secret = z2.union([
  z2.strictObject({ env: variable().describe("Name of the environment variable that holds the value.") }),
  z2.strictObject({
    command: z2.string().describe("Shell command that prints the value, e.g. pass show checkbox/mail.")
  }),
  z2.strictObject({
    generate: z2.int().min(8).max(256).describe("Length of a random value, generated once and kept on the host.")
  })
]);
var healthSchema = z2.strictObject({
  method: z2.enum(["GET", "POST", "PUT", "HEAD"]).default("GET").describe("HTTP method."),
  path: z2.string().startsWith("/").default("/").describe("Path, with query if needed."),
  headers: z2.record(z2.string(), z2.string()).default({}).describe("Request headers."),
  body: z2.string().optional().describe("Request body."),
  status: z2.union([z2.int(), z2.array(z2.int()).min(1)]).optional().describe("Accepted status or statuses. Default: everything below 500."),
  contains: z2.string().optional().describe("Text that the answer must hold."),
  within: duration().default(3e4).describe("How long a new version may take to become healthy."),
  timeout: duration().default(5e3).describe("How long one answer may take."),
  consecutive: z2.int().min(1).max(20).default(3).describe("How many good answers in a row make it healthy.")
});
var requestSchema = z2.strictObject({
  name: z2.string().optional().describe("What reports call it; default: method and path."),
  method: z2.enum(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]).default("GET").describe("HTTP method."),
  path: z2.union([z2.string().startsWith("/"), z2.array(z2.string().startsWith("/")).min(1)]).describe(
    "Path on both sides. Several, where the refs differ: each side is asked the first one that it knows (answers other than 404)."
  ),
  baseline_path: z2.string().startsWith("/").optional().describe("Path on the baseline where the refs differ."),
  candidate_path: z2.string().startsWith("/").optional().describe("Path on the candidate where the refs differ."),
  headers: z2.record(z2.string(), z2.string()).default({}).describe("Request headers."),
  body: z2.string().optional().describe("Body as text."),
  body_file: z2.string().optional().describe("Body from a file in the application's repository."),
  weight: z2.number().positive().default(1).describe("Share of the load among the requests.")
});
var canarySchema = z2.strictObject({
  requests: z2.array(requestSchema).min(1).describe("The load: what is asked of both versions."),
  rate: z2.number().positive().max(5e3).default(100).describe("Requests a second, both versions together."),
  duration: duration().default(12e4).describe("When to give up waiting for evidence."),
  split: z2.number().min(1).max(99).default(50).describe("Per cent of the requests that the candidate gets."),
  warm_up: duration().default(2e3).describe("Time at the start that is not judged."),
  tolerance: z2.number().min(0).max(10).default(0.1).describe("How much slower does not matter, e.g. 0.1 for 10 %."),
  critical: z2.array(z2.string()).optional().describe(
    "Metrics that must not get worse; default: errors (5xx), wrong bodies, latency p50, p90 and p99."
  ),
  ignore_body: z2.array(z2.string()).default([]).describe("Regular expressions cut out of bodies before they are compared."),
  memory: bytes().optional().describe("Local hosts: memory of each of the three hosts."),
  cpus: z2.number().positive().optional().describe("Local hosts: cores of each of the three hosts.")
});
var siteSchema = z2.strictObject({
  domains: z2.array(z2.string()).default([]).describe("Host names that it answers to; none: every name that no other site claims."),
  port: port().default(80).describe("Port on which nginx listens."),
  tls: z2.strictObject({
    certificate: z2.string().describe("Certificate chain (PEM file, relative to pipeline.yml)."),
    key: z2.string().describe("Private key (PEM file, relative to pipeline.yml)."),
    redirect: z2.boolean().default(true).describe("Send visitors of port 80 to https.")
  }).optional().describe("Serve https on port 443."),
  static: z2.string().optional().describe("Folder of the artifact that nginx serves itself."),
  routes: z2.array(z2.string().startsWith("/")).default(["/"]).describe("Path prefixes that go to the service; everything else is static."),
  max_body: bytes().default(1024 ** 2).describe("Largest request body."),
  read_timeout: duration().default(6e4).describe("How long the service may take to answer."),
  headers: z2.record(z2.string(), z2.string()).default({}).describe("Response headers to add.")
});
var databaseSchema = z2.strictObject({
  engine: z2.enum(["mariadb", "mongodb", "ferretdb"]).describe("Which server."),
  name: z2.string().regex(/^[A-Za-z][A-Za-z0-9_]{0,62}$/, "expected letters, digits and underscores, a letter first").describe("Database name."),
  user: z2.string().regex(/^[A-Za-z][A-Za-z0-9_]{0,30}$/, "expected letters, digits and underscores, a letter first").optional().describe("User; default: the database name."),
  host: name().optional().describe("Host of this configuration that runs it; default: the host of the application."),
  binary: z2.string().optional().describe("ferretdb: path or https address of the server binary or .deb package."),
  repository: z2.string().optional().describe("mongodb: line for apt's sources, with signed-by; needed where the host has none yet."),
  seed: z2.array(z2.string()).default([]).describe("SQL files of the artifact, loaded once into an empty database.")
});
var appSchema = z2.strictObject({
  source: z2.string().describe("Git repository: address, or path relative to pipeline.yml."),
  ref: z2.string().optional().describe("Branch, tag or commit deployed by default. Default: the repository's own default branch."),
  directory: z2.string().default(".").describe("Folder of the service inside the repository."),
  hosts: z2.array(name()).min(1).describe("Entries of `hosts:` that serve it."),
  runtime: z2.enum(["node", "tomcat", "static"]).optional().describe(
    "Default: node where there is a package.json, tomcat where there is a pom.xml of packaging war."
  ),
  node: z2.string().optional().describe(
    "Node version, e.g. 20 or 20.11.1. Default: .nvmrc, then engines.node, then Node's newest LTS."
  ),
  build: z2.string().optional().describe(
    "Shell command run after the dependencies are installed. Default: npm run build where there is such a script."
  ),
  start: z2.string().optional().describe("Shell command that starts the service. Default: scripts.start, then main of package.json."),
  artifact: z2.string().optional().describe("Tomcat: WAR that the build leaves, relative to the directory. Default: target/*.war."),
  context: z2.string().regex(/^\/[A-Za-z0-9_./-]*$/, "expected a path like /iTrust2").optional().describe("Tomcat: context path, e.g. /iTrust2. Default: /."),
  port_variable: z2.string().regex(/^[A-Z_][A-Z0-9_]*$/, "expected a name like PORT").default("PORT").describe("Environment variable that tells the service its port."),
  fixed_port: port().optional().describe(
    "The port that the service always takes, where it reads none from the environment. Each instance then gets a network of its own."
  ),
  env: z2.record(variable(), z2.string()).default({}).describe("Environment of the service."),
  secrets: z2.record(variable(), secret).default({}).describe("Secret environment variables and where their values come from."),
  files: z2.record(z2.string(), z2.string()).default({}).describe(
    "Files laid over the artifact at release time: path in the artifact \u2192 template relative to pipeline.yml; ${NAME} is replaced by env and secrets."
  ),
  databases: z2.record(name(), databaseSchema).default({}).describe(
    "Databases; the service gets NAME_HOST, NAME_PORT, NAME_USER, NAME_PASSWORD and NAME_DATABASE."
  ),
  health: healthSchema.prefault({}).describe("When a new version counts as healthy."),
  site: siteSchema.prefault({}).describe("How nginx presents it."),
  instances: z2.int().min(1).max(16).default(1).describe("Processes for each host."),
  memory: bytes().optional().describe("Memory limit of one instance."),
  keep: z2.int().min(2).max(50).default(5).describe("Releases kept on each host."),
  drain: duration().default(3e4).describe("How long the old version may take to finish its requests."),
  probation: duration().default(0).describe(
    "How long a new version is watched after the switch before the old one stops, e.g. 60s; it returns by itself when the new one fails."
  ),
  hooks: z2.strictObject({
    before_cut_over: z2.string().optional().describe(
      "Shell command on the host, in the new release, before visitors reach it, e.g. a migration."
    ),
    after_deploy: z2.string().optional().describe("Shell command on the host, in the new release, after it is live.")
  }).prefault({}).describe("Commands at fixed points of a deploy."),
  canary: canarySchema.optional().describe("The experiment of `pipeline canary`.")
});
var address = z2.union([
  z2.url({ protocol: /^https?$/ }),
  z2.strictObject({ env: variable().describe("Name of the environment variable that holds the address.") })
]);
var notifierSchema = z2.union([
  z2.strictObject({ webhook: address.describe("Gets each message as JSON (POST).") }),
  z2.strictObject({ slack: address.describe("Incoming webhook of Slack, Mattermost or Discord (/slack).") }),
  z2.strictObject({
    email: z2.strictObject({
      to: z2.array(z2.email()).min(1).describe("Who gets it."),
      from: z2.email().describe("Sender."),
      smtp: z2.union([
        z2.url({ protocol: /^smtps?$/ }),
        z2.strictObject({
          env: variable().describe("Name of the environment variable that holds the address.")
        })
      ]).describe(
        "Mail server: smtp://user:password@host:587; from the environment where it holds a password."
      )
    })
  })
]);
var clock = () => z2.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, "expected a time like 22:00");
var rule = (above, unit, ms) => z2.union([
  z2.literal("off"),
  z2.strictObject({
    above: z2.number().nonnegative().default(above).describe(`Fires above this (${unit}).`),
    for: duration().default(ms).describe("How long before it fires.")
  })
]).prefault({});
var lasting = (ms) => z2.union([
  z2.literal("off"),
  z2.strictObject({ for: duration().default(ms).describe("How long before it fires.") })
]).prefault({});
var alertsSchema = z2.strictObject({
  notify: z2.array(notifierSchema).default([]).describe("Where messages go."),
  quiet: z2.strictObject({
    from: clock().describe("Begin, e.g. 22:00."),
    to: clock().describe("End, e.g. 07:00."),
    zone: z2.string().default("UTC").describe("Time zone, e.g. Europe/Berlin.")
  }).optional().describe("Hours in which warnings wait; critical messages go out."),
  heartbeat: z2.strictObject({
    url: address.describe("Asked (GET) while the hub is well; the service there warns when it stays away."),
    every: duration().default(6e4).describe("How often.")
  }).optional().describe("Dead man's switch: who notices that the monitor itself is gone."),
  rules: z2.strictObject({
    host_silent: lasting(12e3).describe("No sample from a host (critical)."),
    disk: rule(0.9, "share in use, or on its way to full within 24 hours", 6e4).describe(
      "A disk fills."
    ),
    memory: rule(0.95, "share in use", 3e5).describe("Memory runs out."),
    unit_failed: lasting(1e4).describe("A systemd unit failed (critical)."),
    unit_restarts: rule(3, "restarts within 10 minutes", 0).describe("A unit starts again and again."),
    check: lasting(3e4).describe("An HTTP or TCP check fails (critical)."),
    store: lasting(3e4).describe("A database does not answer (critical)."),
    errors: rule(0.05, "share of answers 5xx, of at least 20 requests", 3e4).describe(
      "An application fails (critical)."
    ),
    latency: rule(2, "times its own p90 of the same hour a week ago", 3e5).describe(
      "An application is slow."
    ),
    certificate: rule(14, "days before it expires", 0).describe("A certificate expires."),
    clock: rule(10, "seconds between the clocks of host and monitor", 6e4).describe("A clock is wrong."),
    storage: rule(0.8, "share of Redis's memory limit", 6e4).describe("The monitor runs full.")
  }).prefault({}).describe("What is watched; `off` turns a rule off.")
});
var configSchema = z2.strictObject({
  project: name().describe("Name of the project: part of every name and tag that pipeline gives."),
  id: z2.string().regex(/^[a-z0-9]{8,32}$/, "expected 8 to 32 lower-case letters and digits").optional().describe(
    "Owner mark: what carries it was made by this project. Written by `pipeline init`. Default: derived from the project name."
  ),
  provider: z2.enum(["local", "digitalocean"]).optional().describe("Where hosts come from. Default: digitalocean where a token is set, else local."),
  defaults: z2.strictObject(machine).prefault({}).describe("Values for every host that says nothing else."),
  operators: z2.array(cidr()).default(["0.0.0.0/0", "::/0"]).describe("Networks from which SSH is allowed."),
  authorized_keys: z2.array(z2.string()).default([]).describe("Further public keys that may sign in, one OpenSSH line each."),
  hosts: z2.record(name(), hostSchema).describe("The servers."),
  apps: z2.record(
    z2.string().regex(APP_NAME, "expected letters, digits, dots, dashes and underscores, a letter first"),
    appSchema
  ).default({}).describe("The applications."),
  monitor: z2.strictObject({
    host: name().default("monitor").describe("Entry of `hosts:` that watches the others."),
    interval: duration().default(2e3).describe("Time from one sample of a host to the next."),
    tls: z2.strictObject({
      certificate: z2.string().describe("Certificate chain (PEM file, relative to pipeline.yml)."),
      key: z2.string().describe("Private key (PEM file, relative to pipeline.yml).")
    }).optional().describe("Serve the dashboard over https on port 443; port 80 sends visitors there.")
  }).optional().describe("The monitor."),
  alerts: alertsSchema.prefault({}).describe("When to call people, and where.")
});

// src/context.ts
function quietContext(overrides = {}) {
  return {
    env: process.env,
    cwd: process.cwd(),
    signal: new AbortController().signal,
    progress: () => {
    },
    trace: () => {
    },
    now: () => /* @__PURE__ */ new Date(),
    ...overrides
  };
}

// src/ssh/quote.ts
var PLAIN = /^[A-Za-z0-9_@%+:,./-]+$/;
function quote(word2) {
  if (word2.includes("\0")) throw new RangeError("a shell word cannot hold a NUL byte");
  return PLAIN.test(word2) ? word2 : `'${word2.replaceAll("'", "'\\''")}'`;
}
function command(argv) {
  return argv.map(quote).join(" ");
}

// src/ssh/redact.ts
var HIDDEN = "***";
function redactor(secrets = []) {
  const words2 = /* @__PURE__ */ new Set();
  for (const secret2 of secrets) {
    if (secret2 !== "") words2.add(secret2);
    for (const line of secret2.split(/\r?\n/)) if (line.trim().length >= 4) words2.add(line.trim());
  }
  const ordered = [...words2].sort((a, b) => b.length - a.length);
  return (text) => ordered.reduce((shown, word2) => shown.replaceAll(word2, HIDDEN), text);
}

// src/host/fingerprint.ts
import { createHash as createHash2 } from "node:crypto";

// src/host/resource.ts
function id(resource) {
  switch (resource.kind) {
    case "package":
    case "user":
    case "command":
      return `${resource.kind} ${resource.name}`;
    case "service":
      return `service ${resource.unit}`;
    case "firewall":
      return `firewall ${resource.table}`;
    case "file":
    case "absent":
      return `file ${resource.path}`;
    case "directory":
    case "link":
      return `${resource.kind} ${resource.path}`;
  }
}

// src/host/fingerprint.ts
var STAMP_FOLDER = "/var/lib/pipeline/converge";
function sha256(text) {
  return createHash2("sha256").update(text).digest("hex");
}
function stampPath(resourceId) {
  return `${STAMP_FOLDER}/${sha256(resourceId).slice(0, 32)}`;
}
function fingerprint(resource) {
  return sha256(JSON.stringify(effect(resource))).slice(0, 32);
}
function effect(resource) {
  switch (resource.kind) {
    case "file":
      return [resource.content, resource.mode ?? "", resource.owner ?? "", resource.group ?? ""];
    case "directory":
      return [resource.mode ?? "", resource.owner ?? "", resource.group ?? ""];
    case "link":
      return [resource.target];
    case "user":
      return [resource.home ?? "", resource.shell ?? "", resource.groups ?? []];
    case "firewall":
      return [resource.rules];
    case "command":
      return [resource.run];
    case "package":
      return [resource.state ?? "installed"];
    case "absent":
    case "service":
      return [resource.kind];
  }
}
function dependencies(resource) {
  const own = resource.kind === "service" ? [...resource.restartOn ?? [], ...resource.reloadOn ?? []] : [];
  return [.../* @__PURE__ */ new Set([...own, ...resource.after ?? []])];
}
function due(resource, watched, known, changed, facts) {
  const stamp = facts.stamps[id(resource)];
  const now = watched.filter((dependency) => changed.has(dependency));
  if (now.length > 0)
    return { because: now, reason: `${names(now)} ${now.length === 1 ? "changes" : "change"}` };
  const since = watched.filter((dependency) => {
    const current = known.get(dependency);
    return current !== void 0 && stamp?.[dependency] !== fingerprint(current);
  });
  if (since.length === 0) return void 0;
  const verb = resource.kind === "service" ? "started" : "run";
  return {
    because: since,
    reason: stamp === void 0 ? `it is not known with what it was last ${verb}` : `${names(since)} changed since it was last ${verb}`
  };
}
function names(ids) {
  const shown = ids.slice(0, 2).map((text) => text.replace(/^file /, ""));
  return ids.length > 2 ? `${shown.join(", ")} and ${ids.length - 2} more` : shown.join(" and ");
}

// src/host/diff.ts
var CONTEXT = 2;
var LIMIT = 120;
var MOST_CELLS = 4e6;
function diffLines(before, after) {
  if (before === after) return [];
  const a = before === void 0 ? [] : linesOf(before);
  const b = linesOf(after);
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a.at(-1 - end) === b.at(-1 - end)) end++;
  const lines = [
    ...a.slice(0, start).map((line) => ` ${line}`),
    ...middle(a.slice(start, a.length - end), b.slice(start, b.length - end)),
    ...a.slice(a.length - end).map((line) => ` ${line}`)
  ];
  return bounded(withoutFarContext(lines));
}
function linesOf(text) {
  if (text === "") return [];
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  else lines.push("(no line end)");
  return lines;
}
function middle(a, b) {
  if (a.length * b.length > MOST_CELLS)
    return [...a.map((line) => `-${line}`), ...b.map((line) => `+${line}`)];
  const width = b.length + 1;
  const longest = new Uint32Array((a.length + 1) * width);
  const at = (i2, j2) => longest[i2 * width + j2] ?? 0;
  for (let i2 = a.length - 1; i2 >= 0; i2--) {
    for (let j2 = b.length - 1; j2 >= 0; j2--) {
      longest[i2 * width + j2] = a[i2] === b[j2] ? at(i2 + 1, j2 + 1) + 1 : Math.max(at(i2 + 1, j2), at(i2, j2 + 1));
    }
  }
  const lines = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push(` ${a[i]}`);
      i++;
      j++;
    } else if (i < a.length && (j >= b.length || at(i + 1, j) >= at(i, j + 1))) lines.push(`-${a[i++]}`);
    else lines.push(`+${b[j++]}`);
  }
  return lines;
}
function withoutFarContext(lines) {
  const near = /* @__PURE__ */ new Set();
  lines.forEach((line, index) => {
    if (line.startsWith(" ")) return;
    for (let k = index - CONTEXT; k <= index + CONTEXT; k++) near.add(k);
  });
  const kept = [];
  lines.forEach((line, index) => {
    if (near.has(index)) kept.push(line);
    else if (index > 0 && near.has(index - 1) && index < lines.length - 1) kept.push("\u2026");
  });
  if (kept.at(-1) === "\u2026") kept.pop();
  return kept;
}
function bounded(lines) {
  if (lines.length <= LIMIT) return lines;
  return [...lines.slice(0, LIMIT), `\u2026 ${lines.length - LIMIT} more lines`];
}

// src/host/steps/step.ts
function arriving({ changed }) {
  return [...changed].filter((id2) => id2.startsWith("package "));
}
function only(resources2, ...kinds) {
  const wanted = kinds;
  return resources2.filter(
    (resource) => wanted.includes(resource.kind)
  );
}
function words(values2) {
  return [...new Set(values2)].map(quote).join(" ");
}
function changeOf(label, before, after) {
  if (before === after) return [];
  return [...before === void 0 ? [] : [`-${label} ${before}`], `+${label} ${after}`];
}

// src/host/steps/firewall.ts
var FOLDER = "/etc/pipeline/firewall";
var FIREWALL_UNIT = "pipeline-firewall.service";
var CONFIRM_WITHIN = 20;
var BOOT = [
  {
    kind: "file",
    path: "/etc/pipeline/firewall.nft",
    content: `# Made by pipeline. All tables in one transaction.
include "${FOLDER}/*.nft"
`
  },
  {
    kind: "file",
    path: `/etc/systemd/system/${FIREWALL_UNIT}`,
    content: `[Unit]
Description=Firewall (pipeline)
DefaultDependencies=no
After=local-fs.target nftables.service
Before=network-pre.target shutdown.target
Wants=network-pre.target
Conflicts=shutdown.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/nft -f /etc/pipeline/firewall.nft

[Install]
WantedBy=sysinit.target
`
  }
];
function firewallUnits(resources2) {
  return only(resources2, "firewall").length === 0 ? [] : [FIREWALL_UNIT];
}
function firewallFiles(resources2) {
  const tables = only(resources2, "firewall");
  return tables.length === 0 ? [] : [...BOOT, ...tables.map(rulesFile)];
}
function rulesFile(resource) {
  return { kind: "file", path: `${FOLDER}/${slug(resource)}.nft`, content: ruleset(resource) };
}
var slug = ({ table }) => table.replaceAll(/[^A-Za-z0-9_]/g, "-");
function ruleset({ table, rules }) {
  return `# Made by pipeline.
table ${table}
delete table ${table}
table ${table} {
${rules.trimEnd()}
}
`;
}
var firewallProbe = {
  script: (resources2) => only(resources2, "firewall").map(({ table }, index) => `printf '${index}\\t%s\\n' "$(table_hash ${quote(table)})"`).join("\n"),
  parse: (lines, resources2) => {
    const hashes = new Map(lines.map((line) => line.split("	")));
    return {
      firewalls: Object.fromEntries(
        only(resources2, "firewall").map(({ table }, index) => [table, hashes.get(String(index)) ?? ""])
      )
    };
  }
};
var TABLE_HASH = `table_hash() {
  local listing
  listing=$(nft -s list table $1 2>/dev/null) && sha256sum <<<"$listing" | cut -c -64
}`;
var compareFirewall = (resource, facts) => {
  const { path, content } = rulesFile(resource);
  const stale = [...BOOT, rulesFile(resource)].filter(
    (file) => facts.paths[file.path]?.sha256 !== sha256(file.content)
  );
  const live = facts.firewalls[resource.table] ?? "";
  const stamp = facts.stamps[id(resource)];
  const loaded = live !== "" && stamp?.live === live && stamp.rules === fingerprint(resource);
  const atBoot = stale.length === 0 && facts.services[FIREWALL_UNIT]?.enabled === "enabled";
  if (loaded && atBoot) return void 0;
  const fact = facts.paths[path];
  const diff = fact?.sha256 === sha256(content) ? [] : diffLines(fact?.content, content);
  return {
    action: "load",
    diff,
    reason: diff.length > 0 ? void 0 : driftOf(live, loaded),
    doing: "loading the firewall",
    script: loadScript(resource)
  };
};
function driftOf(live, loaded) {
  if (live === "") return "the table is not loaded";
  return loaded ? "it is not loaded at boot" : "the loaded table is not the one that was put there";
}
function loadScript(resource) {
  const name2 = slug(resource);
  const run3 = `/run/pipeline/firewall-${name2}`;
  const kept = [...BOOT, rulesFile(resource)].map(
    ({ path, content }) => `write ${quote(path)} ${quote(content)}`
  );
  const guard2 = `${TABLE_HASH}
write() {
  mkdir -p "\${1%/*}" && printf %s "$2" >"$1.pipeline-new" && sync "$1.pipeline-new" && mv -fT "$1.pipeline-new" "$1"
}
keep() {
  ${kept.join(" &&\n  ")} &&
  systemctl daemon-reload && systemctl --quiet enable ${FIREWALL_UNIT} &&
  write ${quote(stampPath(id(resource)))} "id	${id(resource)}
rules	${fingerprint(resource)}
live	$(table_hash ${quote(resource.table)})
"
}
result=reverted
for _ in {1..${CONFIRM_WITHIN * 20}}; do
  if [[ -e ${run3}/confirmed ]]; then
    message=$(keep 2>&1) && result=kept || result=$message
    break
  fi
  sleep 0.05
done
[[ $result = kept ]] || nft -f ${run3}/old.nft
printf '%s
' "$result" >${run3}/result.new
mv ${run3}/result.new ${run3}/result
`;
  return `load_firewall ${quote(name2)} ${quote(resource.table)} ${quote(ruleset(resource))} ${quote(guard2)}`;
}

// src/host/steps/package.ts
var POLICY_FILE = "/usr/sbin/policy-rc.d";
var POLICY_MARKER = "made by pipeline";
var packageProbe = {
  script: (resources2) => {
    const names2 = only(resources2, "package").map(({ name: name2 }) => name2);
    return `${names2.length === 0 ? "" : `dpkg-query -W -f '\${db:Status-Abbrev}\\t\${Package}\\n' ${words(names2)} 2>/dev/null`}
[[ -n $(compgen -G '/var/lib/dpkg/updates/[0-9]*') ]] && echo interrupted
grep -Eqm1 '^Status: [a-z]+ [a-z]+ (unpacked|half-configured|half-installed|triggers-)' /var/lib/dpkg/status && echo interrupted
[[ -e ${POLICY_FILE} ]] && grep -qF '${POLICY_MARKER}' ${POLICY_FILE} && echo interrupted`;
  },
  parse: (lines, resources2) => {
    const packages = Object.fromEntries(
      only(resources2, "package").map(({ name: name2 }) => [name2, "absent"])
    );
    for (const line of lines) {
      const [status = "", name2 = ""] = line.split("	");
      if (name2 !== "" && packages[name2] !== "installed") packages[name2] = stateOf(status);
    }
    return { packages, interrupted: lines.includes("interrupted") };
  }
};
function stateOf(status) {
  const is = status[1] ?? "n";
  if (is === "n" || is === "c") return "absent";
  return is === "i" && (status[2] ?? " ") === " " ? "installed" : "broken";
}
var comparePackage = ({ name: name2, state = "installed" }, facts) => {
  const is = facts.packages[name2] ?? "absent";
  if (is === state) return void 0;
  const word2 = state === "absent" ? `${name2}-` : name2;
  return {
    action: state === "absent" ? "remove" : is === "broken" ? "repair" : "install",
    diff: is === "broken" ? ["-half installed", `+${state}`] : [],
    doing: `${state === "absent" ? "removing" : "installing"} ${name2}`,
    script: word2
  };
};
function transaction(differences, held2) {
  const removes = differences.some(({ action }) => action === "remove");
  return `hold ${words(held2)}
packages ${removes ? "--" : "--no-remove"} ${differences.map(({ script }) => quote(script)).join(" ")}`;
}
function heldUnits(resources2, facts) {
  return only(resources2, "service").filter(({ unit, state }) => state !== "ignored" && facts.services[unit]?.active !== "active").map(({ unit }) => unit);
}
var REPAIR = {
  action: "repair",
  diff: [],
  reason: "an installation was interrupted",
  doing: "finishing an interrupted installation",
  script: "repair_packages"
};

// src/host/script.ts
var REPORT = "";
var PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
var BUSY = 75;
var REFUSED = 65;
var CUT_OFF = 77;
var WAIT = 120;
var FUNCTIONS = `report() { printf '${REPORT}%s\\n' "$*"; }
step() {
  report start "$1" "$2" || exit
  ( set -e; "step$1" ) 9>&- 2>&1 | tee -pa "$log"
  local code=\${PIPESTATUS[0]}
  if ((code)); then
    report failed "$1" "$2" "$code" $(df -B1 --output=avail,size / /var /tmp /var/cache/apt/archives 2>/dev/null | tail -n +2 | sort -n | head -n 1)
    exit 0
  fi
  report done "$1" "$2" || exit
}
stamp() {
  printf %s "$2" >"$1.new"
  mv -fT "$1.new" "$1"
}
validated() {
  local message
  message=$(eval "$1" 2>&1) && return
  printf '%s\\n' "$message"
  return ${REFUSED}
}
unit() {
  local code=0
  systemctl "$1" "$2" || code=$?
  ((code)) || return 0
  journalctl --quiet --no-pager --output=cat --lines=12 --unit="$2" "_SYSTEMD_INVOCATION_ID=$(systemctl show --property=InvocationID --value "$2")" || true
  return "$code"
}
hold() {
  printf '%s\\n' "$@" >/run/pipeline/held
  if [[ ! -e ${POLICY_FILE} ]] || grep -qF '${POLICY_MARKER}' ${POLICY_FILE}; then
    cat >${POLICY_FILE} <<'POLICY'
#!/bin/sh
# ${POLICY_MARKER}: these services start after their configuration is there. Removed when the packages are installed.
for unit in "$1" "$1.service"; do
  if grep -qxF -- "$unit" /run/pipeline/held 2>/dev/null && ! systemctl --quiet is-active "$unit"; then exit 101; fi
done
exit 0
POLICY
    chmod 755 ${POLICY_FILE}
    trap release EXIT
  fi
}
release() {
  if grep -qsF '${POLICY_MARKER}' ${POLICY_FILE}; then rm -f ${POLICY_FILE}; fi
  rm -f /run/pipeline/held
}
apt() {
  apt-get -q -y -o DPkg::Lock::Timeout=${WAIT} -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confdef \\
    -o Dpkg::Options::=--force-confold "$@"
}
lists=/var/lib/apt/lists
update() {
  local tries
  for tries in {1..${WAIT}}; do
    apt update >/run/pipeline/update 2>&1 && { touch /var/lib/pipeline/apt-updated; return; }
    grep -q 'Could not get lock' /run/pipeline/update || break
    sleep 1
  done
  cat /run/pipeline/update
  return 1
}
current() {
  compgen -G "$lists/*Packages*" >/dev/null || return
  local newest=$lists
  for file in $lists/partial /var/lib/apt/periodic/update-success-stamp /var/lib/pipeline/apt-updated; do
    [[ $file -nt $newest ]] && newest=$file
  done
  [[ -z $(find "$newest" -maxdepth 0 -mmin +1440) && -z $(find /etc/apt/sources.list /etc/apt/sources.list.d -newer "$newest" -name '*.[ls]*' 2>/dev/null) ]]
}
packages() {
  local options=() updated=
  [[ $1 = -- ]] || options=("$1")
  shift
  current || { update; updated=1; }
  apt install --no-install-recommends "\${options[@]}" -- "$@" && return
  local code=$?
  # What the lists name may be gone from the mirror, or too new for them.
  [[ -z $updated ]] && grep -Eq 'Unable to (locate|fetch)|has no installation candidate|404 ' "$log" || return $code
  update
  apt install --no-install-recommends "\${options[@]}" -- "$@"
}
repair_packages() {
  local tries
  release
  for tries in {1..${WAIT}}; do
    dpkg --force-confdef --force-confold --configure -a >/run/pipeline/repair 2>&1 && break
    grep -q 'lock' /run/pipeline/repair || break
    sleep 1
  done
  cat /run/pipeline/repair
  apt install --fix-broken
}
load_firewall() {
  local run=/run/pipeline/firewall-$1 result waited
  systemctl --quiet stop "pipeline-firewall-guard-$1" 2>/dev/null || true
  rm -rf "$run"
  mkdir -m 700 "$run"
  printf %s "$3" >"$run/new.nft"
  printf %s "$4" >"$run/guard"
  nft -c -f "$run/new.nft"
  { printf 'table %s\\ndelete table %s\\n' "$2" "$2"; nft list table $2 2>/dev/null || true; } >"$run/old.nft"
  systemd-run --quiet --collect --unit="pipeline-firewall-guard-$1" bash "$run/guard"
  nft -f "$run/new.nft"
  report probe "$1"
  for waited in {1..${(CONFIRM_WITHIN + 20) * 20}}; do
    [[ ! -e $run/result ]] || break
    sleep 0.05
  done
  result=$(<"$run/result")
  [[ $result != kept ]] || return 0
  [[ $result != reverted ]] || exit ${CUT_OFF}
  printf '%s\\n' "$result"
  return 1
}`;
function applyScript(steps, forget2) {
  let first = 0;
  const numbered = steps.map((step) => {
    const index = first;
    first += step.changes;
    return { ...step, index };
  });
  return `export ${PATH} LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l NEEDRESTART_SUSPEND=1 APT_LISTCHANGES_FRONTEND=none
umask 022
# A connection that is gone must not end a step in its middle; it ends the script at the next border.
trap : PIPE
mkdir -p /run/pipeline /var/log/pipeline /var/lib/pipeline
mkdir -p -m 700 ${STAMP_FOLDER}
log=/var/log/pipeline/converge.log
${FUNCTIONS}
exec 9>/run/pipeline/converge.lock
flock -w ${WAIT} 9 || exit ${BUSY}
: >"$log"
${forget2.join("\n")}
${numbered.map(({ index, bash }) => `step${index}() {
${bash}
}`).join("\n")}
${numbered.map(({ index, changes }) => `step ${index} ${changes}`).join("\n")}
report finished`;
}
function stampScript(path, text) {
  return `stamp ${quote(path)} ${quote(text)}`;
}

// src/host/explain.ts
var AGAIN = "then run the command again: it goes on from here";
var LAST_LINES = 10;
function explainStep(failed) {
  const { host, changes, index, exitCode, output } = failed;
  const change2 = changes[culprit(failed)] ?? changes[index];
  const step = change2?.id ?? "a step";
  const number = changes.indexOf(change2) + 1;
  const cause = causeOf(failed, step);
  const telling = cause.lines === void 0 ? [] : [...new Set(output)].filter((line) => cause.lines?.test(line));
  return new Failure(
    "host",
    `${host}: step ${number} of ${changes.length}, ${step}, failed (${program(step)}exit ${exitCode})`,
    {
      host,
      step,
      output: (telling.length > 0 ? telling : output.filter((line) => line.trim() !== "")).slice(-LAST_LINES),
      next: `${cause.next}
The whole output: the same command with --verbose, or /var/log/pipeline/converge.log on the host.`
    }
  );
}
function culprit({ changes, index, count, output }) {
  if (count === 1) return index;
  const complaint = output.findLast(
    (line) => /^(E:|dpkg: error processing|Errors were encountered)|^ +\S+ :/.test(line)
  );
  const words2 = new Set(complaint?.split(/[^a-z0-9+.-]+/));
  const found = changes.slice(index, index + count).findIndex(({ id: id2 }) => words2.has(id2.replace(/^package /, "")));
  return found === -1 ? index : index + found;
}
function program(step) {
  if (step.startsWith("package")) return "apt-get ";
  return step.startsWith("service ") ? "systemctl " : "";
}
function causeOf({ host, output, exitCode, disk, probe }, step) {
  const text = output.join("\n");
  const full = /No space left on device|You don't have enough free space|disk quota exceeded/i;
  if (full.test(text)) {
    const room = disk === void 0 ? "" : ` has ${bytes2(disk.freeBytes)} free of ${bytes2(disk.totalBytes)}`;
    return {
      lines: full,
      next: `${room === "" ? `The disk of ${host} is full` : `The host${room}`}. Make room or give it a larger size, ${AGAIN}.`
    };
  }
  if (exitCode === CUT_OFF) {
    return {
      next: `With the new rules a second SSH connection did not come through${probe === void 0 ? "" : ` (${probe})`}, so the host took them back. Let your own address reach the SSH port (operators in pipeline.yml), then run the command again.`
    };
  }
  if (exitCode === REFUSED) {
    return {
      next: "The new content was refused before it was put in place; what stood there before still stands. Correct the content, then run the command again."
    };
  }
  if (/Could not get lock|dpkg frontend lock|is held by process/.test(text)) {
    const holder = /held by process (\d+)(?: \(([^)]+)\))?/.exec(text);
    const who = holder === null ? "another program" : `${holder[2] ?? "process"} (${holder[1]})`;
    return {
      lines: /lock/i,
      next: `Packages are being changed by ${who}, for longer than we wait. See what it does (pipeline prod ssh ${host} -- ps aux), ${AGAIN}.`
    };
  }
  const unreachable = /Temporary failure resolving|Could not resolve|Could not connect|Network is unreachable|Connection timed out|Cannot initiate the connection|Unable to connect/i;
  if (unreachable.test(text)) {
    return {
      lines: unreachable,
      next: `The host does not reach its package sources. Look at its network, its name service and its proxy (/etc/apt/apt.conf.d), ${AGAIN}.`
    };
  }
  const unknown = /Unable to locate package|has no installation candidate/;
  if (unknown.test(text)) {
    const name2 = /(?:Unable to locate package|Package) '?([a-z0-9+.-]+)/.exec(text)?.[1] ?? step;
    return {
      lines: unknown,
      next: `No package source of the host has ${name2}. Look for the name in its release (apt-cache search), or add the source that has it (/etc/apt/sources.list.d), ${AGAIN}.`
    };
  }
  if (/but no removal|Packages need to be removed but remove is disabled/i.test(text)) {
    return {
      next: `apt would have to remove other packages, which pipeline does not do by itself. See what stands in the way: pipeline prod ssh ${host} -- apt-get install --simulate ${step.replace(/^package /, "")}`
    };
  }
  if (step.startsWith("service ")) {
    const unit = step.replace(/^service /, "");
    return { next: `Its journal: pipeline prod ssh ${host} -- journalctl -u ${unit}. Mend it, ${AGAIN}.` };
  }
  return { next: `Mend what it complains of, ${AGAIN}.` };
}
function bytes2(count) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = count < 1e3 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(count) / 3));
  return power === 0 ? `${count} B` : `${(count / 1e3 ** power).toFixed(power > 2 ? 1 : 0)} ${units[power]}`;
}

// src/host/report.ts
function parseReport(line) {
  if (!line.startsWith(REPORT)) return void 0;
  const [kind, ...words2] = line.slice(REPORT.length).split(" ");
  const [index = 0, count = 0, exitCode = 0, freeBytes, totalBytes] = words2.map(Number);
  switch (kind) {
    case "start":
    case "done":
      return { kind, index, count };
    case "failed": {
      const disk = freeBytes === void 0 || totalBytes === void 0 ? void 0 : { freeBytes, totalBytes };
      return { kind, index, count, exitCode, disk };
    }
    case "probe":
      return { kind, table: words2[0] ?? "" };
    case "finished":
      return { kind };
    default:
      return void 0;
  }
}
var DOING = {
  Unpacking: "unpacking",
  "Setting up": "setting up",
  Removing: "removing"
};
function packageInLine(line) {
  const [, verb = "", name2 = ""] = /^(Unpacking|Setting up|Removing) ([a-z0-9][a-z0-9+.-]+)/.exec(line) ?? [];
  const doing = DOING[verb];
  return doing === void 0 ? void 0 : { doing, name: name2 };
}

// src/host/second-connection.ts
import { execa as execa2 } from "execa";
var TRY_LIMIT = 8e3;
async function tryConnection(connection, context2) {
  let message = "";
  for (let attempt = 0; attempt < 2; attempt++) {
    const args = ["-o", "ControlMaster=no", "-o", "ControlPath=none", ...connection.sshArguments(), "true"];
    const result = await execa2("ssh", args, {
      reject: false,
      timeout: TRY_LIMIT,
      stdin: "ignore",
      env: { LC_ALL: "C" },
      cancelSignal: context2.signal
    });
    context2.signal.throwIfAborted();
    if (result.exitCode === 0) return void 0;
    message = result.timedOut ? "no answer" : result.stderr.trim().split("\n").at(-1) ?? `exit ${result.exitCode}`;
  }
  return message;
}
async function confirmFirewall(connection, table, context2) {
  await connection.check(`: >${quote(`/run/pipeline/firewall-${table}/confirmed`)}`, {
    label: "confirm the firewall",
    signal: context2.signal,
    timeoutMs: 15e3
  });
}

// src/host/apply.ts
var LIMIT2 = 30 * 6e4;
var KEPT_LINES2 = 60;
async function apply(connection, plan2, context2, options = {}) {
  const started = context2.now().getTime();
  if (plan2.changes.length > 0) await new Run(connection, plan2, context2, options).run();
  return { changes: plan2.changes, seconds: (context2.now().getTime() - started) / 1e3 };
}
var Run = class {
  #connection;
  #plan;
  #context;
  #probe;
  #hide;
  #step = { index: 0, count: 0 };
  #done = 0;
  #output = [];
  #failed;
  #finished = false;
  #probing;
  constructor(connection, plan2, context2, options) {
    this.#connection = connection;
    this.#plan = plan2;
    this.#context = context2;
    this.#probe = options.probe ?? tryConnection;
    this.#hide = redactor(plan2.secrets);
  }
  async run() {
    try {
      const { exitCode } = await this.#connection.script(this.#plan.script, {
        label: "apply changes",
        signal: this.#context.signal,
        timeoutMs: LIMIT2,
        secrets: this.#plan.secrets,
        onStdout: (line) => this.#line(line),
        onStderr: (line) => this.#keep(line)
      });
      if (!this.#finished) throw await this.#failure(exitCode);
      this.#tell(
        "done",
        `${this.#plan.changes.length} ${this.#plan.changes.length === 1 ? "change" : "changes"}`
      );
    } catch (error) {
      this.#tell("failed", this.#doing());
      throw this.#probing !== void 0 && !this.#context.signal.aborted ? await this.#cutOff(error) : error;
    }
  }
  #line(line) {
    const report = parseReport(line);
    if (report === void 0) {
      this.#keep(line);
      return;
    }
    switch (report.kind) {
      case "start":
        this.#step = report;
        this.#output = [];
        this.#tell("running", this.#doing());
        return;
      case "done":
        this.#done = report.index + report.count;
        return;
      case "probe":
        this.#probing = this.#confirm(report.table);
        return;
      case "failed":
        this.#failed = report;
        return;
      case "finished":
        this.#finished = true;
    }
  }
  #keep(line) {
    this.#output.push(line);
    if (this.#output.length > KEPT_LINES2) this.#output.shift();
    const current = packageInLine(line);
    if (current === void 0) return;
    const { index, count } = this.#step;
    const own = this.#plan.changes.slice(index, index + count).some(({ id: id2 }) => id2 === `package ${current.name}`);
    if (own && current.doing === "setting up") this.#done = Math.min(this.#done + 1, index + count);
    this.#tell("running", `${current.doing} ${current.name}`);
  }
  /** Tries the new rules and lets the host keep them; what stopped it, otherwise. */
  async #confirm(table) {
    try {
      const message = await this.#probe(this.#connection, this.#context);
      if (message !== void 0) return message;
      await confirmFirewall(this.#connection, table, this.#context);
      this.#probing = void 0;
      return void 0;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }
  async #failure(exitCode) {
    const host = this.#connection.target.name;
    if (exitCode === BUSY) {
      return new Failure("locked", `${host}: another run of pipeline is changing this host`, {
        host,
        next: "Wait until it ends, then run the command again."
      });
    }
    const failed = this.#failed ?? { ...this.#step, exitCode, disk: void 0 };
    return explainStep(this.#failedStep(failed, await this.#probing));
  }
  /** The connection itself broke while new rules were tried. */
  async #cutOff(error) {
    const probe = await this.#probing;
    if (probe === void 0 || this.#failed !== void 0) return error;
    return explainStep(this.#failedStep({ ...this.#step, exitCode: CUT_OFF, disk: void 0 }, probe));
  }
  #failedStep(failed, probe) {
    return {
      ...failed,
      host: this.#connection.target.name,
      changes: this.#plan.changes,
      output: this.#output.map(this.#hide),
      probe
    };
  }
  #doing() {
    return this.#plan.changes[this.#step.index]?.doing ?? "changing";
  }
  #tell(state, stage) {
    const of = this.#plan.changes.length;
    const done = state === "done" ? of : this.#done;
    this.#context.progress({ host: this.#connection.target.name, stage, state, count: { done, of } });
  }
};

// src/host/legal.ts
var PATH2 = /^(\/(?!\.{1,2}(\/|$))[^/\p{Cc}'"\\$`[\]*?]+)+$/u;
var UNIT = /^[A-Za-z0-9:_.@-]+\.(service|socket|timer|path|mount|swap|target|slice)$/;
var PACKAGE = /^[a-z0-9][a-z0-9+.-]+$/;
var USER = /^[a-z_][a-z0-9_-]{0,31}$/;
var TABLE = /^(inet|ip|ip6|arp|bridge|netdev) [A-Za-z_][A-Za-z0-9_]*$/;
function requireLegal(resources2) {
  for (const resource of resources2) {
    const fault = faultOf(resource);
    if (fault !== void 0)
      throw new Failure("internal", `${id(resource)}: ${fault}`, { step: id(resource) });
  }
}
function faultOf(resource) {
  switch (resource.kind) {
    case "file":
    case "absent":
    case "directory":
    case "link":
      if (!PATH2.test(resource.path)) return "this is not a plain absolute path";
      return resource.kind === "absent" && resource.path.split("/").length < 3 ? "a folder of the system will not be removed" : void 0;
    case "package":
      return PACKAGE.test(resource.name) ? void 0 : "this is not the name of a Debian package";
    case "user":
      return USER.test(resource.name) ? void 0 : "this is not the name of a user";
    case "service":
      return UNIT.test(resource.unit) ? void 0 : "this is not the name of a systemd unit with its suffix";
    case "firewall":
      return TABLE.test(resource.table) ? void 0 : "this is not a family and a name of nftables";
    case "command":
      return /[\p{Cc}]/u.test(resource.name) ? "this is not the name of a command" : void 0;
  }
}

// src/host/steps/command.ts
var GUARD_LIMIT = 20;
var commandProbe = {
  // The text goes in by a file descriptor: on a command line every user of the host could read it.
  script: (resources2) => only(resources2, "command").map(
    ({ unless }, index) => `timeout ${GUARD_LIMIT} bash /dev/fd/3 3<<<${quote(`${unless}
`)} </dev/null >/dev/null 2>&1 && echo ${index}`
  ).join("\n"),
  parse: (lines, resources2) => {
    const done = new Set(lines);
    return {
      commands: Object.fromEntries(
        only(resources2, "command").map(({ name: name2 }, index) => [name2, done.has(String(index))])
      )
    };
  }
};
var compareCommand = (resource, facts, around) => {
  const due2 = around.due(resource, resource.after ?? []);
  if (facts.commands[resource.name] && due2 === void 0) return void 0;
  const run3 = `set -o pipefail
eval ${quote(`${resource.run}
`)}`;
  return {
    action: "run",
    diff: resource.secret ? [] : resource.run.trim().split("\n").map((line) => `+${line}`),
    reason: due2?.reason,
    because: due2?.because,
    doing: resource.name,
    script: resource.secret ? `exec >/dev/null 2>&1
${run3}` : run3
  };
};

// src/host/steps/host.ts
var SCRIPT = `( . /etc/os-release && printf 'os\\t%s\\t%s\\t%s\\n' "\${ID-}" "\${VERSION_ID-}" "\${VERSION_CODENAME-}" ) 2>/dev/null
printf 'architecture\\t%s\\n' "$(dpkg --print-architecture 2>/dev/null)"
while read -r key value unit; do
  [[ $key = MemTotal: ]] && printf 'memory\\t%s\\n' "$((value * 1024))"
done </proc/meminfo
for file in /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes; do
  [[ -r $file ]] && printf 'memory\\t%s\\n' "$(<"$file")"
done
printf 'cpus\\t%s\\n' "$(nproc)"
printf 'filesystem\\t%s\\n' "$(stat -f -c '%a %b %S' /)"
printf 'cgroup\\t%s\\n' "$(stat -f -c %T /sys/fs/cgroup)"
[[ -d /run/systemd/system ]] && echo systemd
[[ -r /run/systemd/container ]] && printf 'container\\t%s\\n' "$(</run/systemd/container)"
[[ -e /.dockerenv ]] && printf 'container\\tdocker\\n'
[[ -x /usr/lib/systemd/systemd-timesyncd || -x /lib/systemd/systemd-timesyncd ]] && printf 'clock\\ttimesyncd\\n'
[[ -x /usr/sbin/ntpd ]] && printf 'clock\\tntp\\n'
[[ -x /usr/sbin/chronyd ]] && printf 'clock\\tchrony\\n'`;
var SUPPORTED = { debian: 12, ubuntu: 22.04 };
var hostProbe = {
  script: () => SCRIPT,
  parse: (lines) => {
    const found = /* @__PURE__ */ new Map();
    for (const line of lines) {
      const [key = "", ...values2] = line.split("	");
      found.set(key, key === "memory" ? [...found.get(key) ?? [], ...values2] : values2);
    }
    const text = (key, index = 0) => found.get(key)?.[index] ?? "";
    const [free = 0, total = 0, block = 0] = text("filesystem").split(" ").map(Number);
    const limits = (found.get("memory") ?? []).map(Number).filter((bytes3) => Number.isFinite(bytes3) && bytes3 > 0);
    return {
      host: {
        os: text("os"),
        version: text("os", 1),
        codename: text("os", 2),
        architecture: text("architecture"),
        memoryBytes: limits.length === 0 ? 0 : Math.min(...limits),
        cpus: Number(text("cpus")),
        disk: { freeBytes: free * block, totalBytes: total * block },
        cgroup: text("cgroup") === "cgroup2fs" ? 2 : 1,
        systemd: found.has("systemd"),
        container: text("container"),
        clock: clockOf(text("clock"))
      }
    };
  }
};
function clockOf(text) {
  return text === "timesyncd" || text === "chrony" || text === "ntp" ? text : "";
}
function requireSupported({ host }) {
  const oldest = SUPPORTED[host.os];
  const old = oldest !== void 0 && host.version !== "" && Number(host.version) < oldest;
  if (oldest === void 0 || old) {
    const what = [host.os === "" ? "an unknown system" : host.os, host.version].join(" ").trim();
    throw new Failure("host", `${host.name} runs ${what}, which is not supported`, {
      host: host.name,
      next: "Give it Debian 12 or newer, or Ubuntu 22.04 or newer."
    });
  }
  if (!host.systemd) {
    throw new Failure("host", `${host.name} does not run systemd`, {
      host: host.name,
      next: "Services are run by systemd: use an ordinary virtual machine, or a container that boots systemd."
    });
  }
}

// src/host/steps/path.ts
var LONGEST = 64 * 1024;
var TYPES = { f: "file", d: "directory", l: "link" };
function filesOf(resources2) {
  return [...only(resources2, "file"), ...firewallFiles(resources2)];
}
var pathProbe = {
  script: (resources2) => {
    const files = filesOf(resources2);
    const paths = [...only(resources2, "absent", "directory", "link"), ...files].map(({ path }) => path);
    if (paths.length === 0) return "";
    const wanted = files.map((file) => `wanted[${quote(file.path)}]+=" ${sha256(file.content)}"`);
    const secret2 = files.filter((file) => file.secret).map((file) => `secret[${quote(file.path)}]=1`);
    return `find ${words(paths)} -maxdepth 0 -printf '%y\\t%m\\t%u\\t%g\\t%p\\t%l\\n' 2>/dev/null
declare -A wanted secret
${[...wanted, ...secret2].join("\n")}
there=()
for path in "\${!wanted[@]}"; do
  [[ -f $path && ! -L $path ]] && there+=("$path")
done
if ((\${#there[@]})); then
  while read -r hash path; do
    printf 'hash\\t%s\\t%s\\n' "$path" "$hash"
    if [[ \${wanted[$path]-} != *" $hash"* && ! \${secret[$path]-} ]]; then
      printf 'content\\t%s\\t%s\\n' "$path" "$(head -c ${LONGEST + 1} -- "$path" | base64 -w 0)"
    fi
  done < <(sha256sum -- "\${there[@]}" 2>/dev/null)
fi`;
  },
  parse: (lines) => {
    const paths = {};
    for (const line of lines) {
      const [tag = "", ...fields] = line.split("	");
      if (tag === "hash" || tag === "content") {
        const [path = "", value = ""] = fields;
        const fact = paths[path];
        if (fact?.type !== "file") continue;
        paths[path] = tag === "hash" ? { ...fact, sha256: value } : { ...fact, content: textOf(value) };
      } else {
        const [mode = "", owner = "", group = "", path = "", target = ""] = fields;
        const type = TYPES[tag] ?? "other";
        const common = { type, mode: mode.padStart(4, "0"), owner, group };
        paths[path] = type === "link" ? { ...common, target } : common;
      }
    }
    return { paths };
  }
};
function textOf(base64) {
  const bytes3 = Buffer.from(base64, "base64");
  if (bytes3.length > LONGEST || bytes3.includes(0)) return void 0;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes3);
  } catch {
    return void 0;
  }
}
function attributesOf(resource, defaultMode) {
  const owner = resource.owner ?? "root";
  return { mode: (resource.mode ?? defaultMode).padStart(4, "0"), owner, group: resource.group ?? owner };
}
function attributeDiff(fact, wanted) {
  const owned = (a) => `${a.owner}:${a.group}`;
  return [
    ...fact.mode === wanted.mode ? [] : [`-mode ${fact.mode}`, `+mode ${wanted.mode}`],
    ...owned(fact) === owned(wanted) ? [] : [`-owner ${owned(fact)}`, `+owner ${owned(wanted)}`]
  ];
}
function setAttributes(path, { mode, owner, group }) {
  return `chown ${quote(`${owner}:${group}`)} ${quote(path)}
chmod ${quote(mode)} ${quote(path)}`;
}
function inTheWay(facts, path, is, should) {
  return new Failure("host", `${path} is ${is} and should be ${should}`, {
    host: facts.host.name,
    step: `${should.replace(/^an? /, "")} ${path}`,
    next: `Look at it (pipeline prod ssh ${facts.host.name} -- ls -ld ${path}), move it away, and run the command again.`
  });
}

// src/host/steps/service.ts
var NEEDS_NO_ENABLING = ["static", "indirect", "generated", "alias", "transient"];
var RUNNING = ["active", "reloading", "refreshing"];
var UNIT_FILES = /^file \/(etc|usr\/local\/lib|usr\/lib|lib)\/systemd\/system\//;
var serviceProbe = {
  script: (resources2) => {
    const units = unitsOf(resources2);
    if (units.length === 0) return "";
    return `systemctl show --property=LoadState,ActiveState,UnitFileState,NeedDaemonReload -- ${words(units)}`;
  },
  // One block a unit, in the order asked for, with an empty line between.
  parse: (lines, resources2) => {
    const units = unitsOf(resources2);
    const blocks = lines.join("\n").split(/\n\n+/);
    const services = {};
    units.forEach((unit, index) => {
      const block = blocks[index];
      if (block === void 0) return;
      const value = (key) => new RegExp(`^${key}=(.*)$`, "m").exec(block)?.[1] ?? "";
      services[unit] = {
        load: value("LoadState"),
        active: value("ActiveState"),
        enabled: value("UnitFileState"),
        needsReload: value("NeedDaemonReload") === "yes"
      };
    });
    return { services };
  }
};
function unitsOf(resources2) {
  const own = only(resources2, "service").map(({ unit }) => unit);
  return [.../* @__PURE__ */ new Set([...own, ...firewallUnits(resources2)])];
}
var compareService = (resource, facts, around) => {
  const { unit } = resource;
  const fact = facts.services[unit] ?? {
    load: "not-found",
    active: "inactive",
    enabled: "",
    needsReload: false
  };
  const state = resource.state ?? "running";
  const active = RUNNING.includes(fact.active);
  const restart = around.due(resource, [...resource.restartOn ?? [], ...resource.after ?? []]);
  const reload = around.due(resource, resource.reloadOn ?? []);
  const outdated = fact.needsReload ? { because: [], reason: "its unit file changed" } : void 0;
  const due2 = active && state !== "stopped" ? restart ?? outdated ?? reload : void 0;
  const verbs = {
    enable: enabling(resource, fact, arriving(around).length > 0),
    run: running(state, active, due2, due2 === reload && due2 !== void 0)
  };
  const action = verbs.run ?? verbs.enable;
  if (action === void 0) return void 0;
  const isNow = active ? "running" : fact.active === "failed" ? "failed" : "stopped";
  const wanted = verbs.run === "stop" ? "stopped" : verbs.run === void 0 ? isNow : "running";
  const unitFileChanges = [...around.changed].some((id2) => UNIT_FILES.test(id2));
  return {
    action,
    diff: [
      ...verbs.enable === void 0 ? [] : changeOf("at boot", fact.enabled || void 0, `${verbs.enable}d`),
      ...changeOf("now", isNow, wanted)
    ],
    reason: due2?.reason,
    because: due2?.because,
    doing: `${DOING2[action] ?? action} ${unit.replace(/\.service$/, "")}`,
    script: serviceScript(resource, verbs, fact.load === "masked", unitFileChanges || fact.needsReload)
  };
};
var DOING2 = {
  start: "starting",
  stop: "stopping",
  restart: "restarting",
  reload: "reloading",
  enable: "enabling",
  disable: "disabling"
};
function enabling(resource, fact, arrives) {
  const wanted = resource.enabled;
  if (wanted === void 0 || NEEDS_NO_ENABLING.includes(fact.enabled)) return void 0;
  if (!wanted && fact.load === "not-found") return arrives ? "disable" : void 0;
  const enabled = fact.enabled.startsWith("enabled") && fact.enabled !== "enabled-runtime";
  if (wanted === enabled) return void 0;
  return wanted ? "enable" : "disable";
}
function running(state, active, due2, reloadSuffices) {
  if (state === "running" && !active) return "start";
  if (state === "stopped" && active) return "stop";
  if (due2 === void 0) return void 0;
  return reloadSuffices ? "reload" : "restart";
}
function serviceScript(resource, verbs, masked, reloadUnits) {
  const unit = quote(resource.unit);
  const starts = verbs.run === "start" || verbs.run === "restart";
  const verb = verbs.run === "reload" ? "reload-or-restart" : verbs.run;
  return [
    ...masked && resource.enabled !== false ? [`systemctl --quiet unmask ${unit}`] : [],
    ...reloadUnits ? ["systemctl daemon-reload"] : [],
    ...verbs.enable === void 0 ? [] : [`systemctl --quiet ${verbs.enable} ${unit}`],
    // A unit that failed too often is not started again until its counter is reset.
    ...starts ? [`systemctl reset-failed ${unit} 2>/dev/null || true`] : [],
    ...verb === void 0 ? [] : [`unit ${verb} ${unit}`]
  ].join("\n");
}

// src/host/steps/stamp.ts
var stampProbe = {
  script: (resources2) => {
    const paths = resources2.filter((resource) => resource.kind === "firewall" || dependencies(resource).length > 0).map((resource) => stampPath(id(resource)));
    return paths.length === 0 ? "" : `cat ${words(paths)} 2>/dev/null`;
  },
  // One file after another: `id TAB resource`, then `dependency TAB fingerprint`.
  parse: (lines) => {
    const stamps = {};
    let current;
    for (const line of lines) {
      const [key = "", value = ""] = line.split("	");
      if (key === "id") {
        current = {};
        stamps[value] = current;
      } else if (current !== void 0) current[key] = value;
    }
    return { stamps };
  }
};
function stampText(resourceId, entries) {
  const lines = Object.entries(entries).map(([key, value]) => `${key}	${value}
`);
  return `id	${resourceId}
${lines.join("")}`;
}

// src/host/steps/user.ts
var userProbe = {
  script: (resources2) => {
    const names2 = only(resources2, "user").map(({ name: name2 }) => name2);
    return names2.length === 0 ? "" : `getent passwd ${words(names2)}
echo :
getent group`;
  },
  parse: (lines) => {
    const between = lines.indexOf(":");
    const users = {};
    for (const line of lines.slice(0, Math.max(between, 0))) {
      const [name2 = "", , , , , home = "", shell2 = ""] = line.split(":");
      users[name2] = { home, shell: shell2, groups: [] };
    }
    for (const line of lines.slice(between + 1)) {
      const [group = "", , , members2 = ""] = line.split(":");
      for (const member of members2.split(",")) {
        const user = users[member];
        if (user !== void 0) users[member] = { ...user, groups: [...user.groups, group] };
      }
    }
    return { users };
  }
};
var compareUser = (resource, facts) => {
  const { name: name2 } = resource;
  const fact = facts.users[name2];
  const groups = resource.groups ?? [];
  if (fact === void 0) {
    const home2 = resource.home ?? (resource.system ? "/nonexistent" : `/home/${name2}`);
    const shell3 = resource.shell ?? (resource.system ? "/usr/sbin/nologin" : "/bin/bash");
    return {
      action: "create",
      diff: [`+home ${home2}`, `+shell ${shell3}`, ...groups.map((group) => `+group ${group}`)],
      doing: `adding user ${name2}`,
      script: [
        // A package that was just installed may have added it; a group of the name may be left from an earlier user.
        `if getent group ${quote(name2)} >/dev/null; then own=-g${quote(name2)}; else own=-U; fi`,
        `if getent passwd ${quote(name2)} >/dev/null; then`,
        `  usermod --home ${quote(home2)} --shell ${quote(shell3)} ${quote(name2)}`,
        "else",
        `  useradd ${resource.system ? "--system --no-create-home" : "--create-home"} --home-dir ${quote(home2)} --shell ${quote(shell3)} "$own" ${quote(name2)}`,
        "fi",
        ...addGroups(name2, groups)
      ].join("\n")
    };
  }
  const missing2 = groups.filter((group) => !fact.groups.includes(group));
  const home = changeOf("home", fact.home, resource.home ?? fact.home);
  const shell2 = changeOf("shell", fact.shell, resource.shell ?? fact.shell);
  const diff = [...home, ...shell2, ...missing2.map((group) => `+group ${group}`)];
  if (diff.length === 0) return void 0;
  return {
    action: "change",
    diff,
    doing: `changing user ${name2}`,
    script: [
      ...home.length > 0 ? [`usermod --home ${quote(resource.home ?? "")} ${quote(name2)}`] : [],
      ...shell2.length > 0 ? [`usermod --shell ${quote(resource.shell ?? "")} ${quote(name2)}`] : [],
      ...addGroups(name2, missing2)
    ].join("\n")
  };
};
function addGroups(name2, groups) {
  return groups.length === 0 ? [] : [`usermod --append --groups ${quote(groups.join(","))} ${quote(name2)}`];
}

// src/host/facts.ts
var LIMIT3 = 120;
var PROBES = {
  host: hostProbe,
  packages: packageProbe,
  paths: pathProbe,
  users: userProbe,
  services: serviceProbe,
  firewalls: firewallProbe,
  commands: commandProbe,
  stamps: stampProbe
};
function factsScript(resources2) {
  requireLegal(resources2);
  const sections = Object.entries(PROBES).map(
    ([name2, probe]) => `echo @@${name2}
${probe.script(resources2)}`
  );
  return `export ${PATH} LC_ALL=C.UTF-8
${TABLE_HASH}
${sections.join("\n")}
echo @@end`;
}
function parseFacts(output, name2, resources2) {
  const sections = /* @__PURE__ */ new Map();
  let current = [];
  for (const line of output.split("\n")) {
    if (line.startsWith("@@")) {
      current = [];
      sections.set(line.slice(2), current);
    } else current.push(line);
  }
  if (!sections.has("end")) {
    throw new Failure("host", `${name2} did not say what it is: the answer breaks off`, {
      host: name2,
      step: "gather facts",
      output: output.trimEnd().split("\n").slice(-10),
      next: "Run the command again with --verbose."
    });
  }
  const parsed = (key) => PROBES[key].parse(sections.get(key) ?? [], resources2);
  const facts = {
    host: { ...parsed("host").host, name: name2 },
    ...parsed("packages"),
    ...parsed("paths"),
    ...parsed("users"),
    ...parsed("services"),
    ...parsed("firewalls"),
    ...parsed("commands"),
    ...parsed("stamps")
  };
  requireSupported(facts);
  return facts;
}
async function gatherFacts(connection, resources2, context2) {
  const output = await connection.check(factsScript(resources2), {
    label: "gather facts",
    signal: context2.signal,
    timeoutMs: LIMIT3 * 1e3,
    // Guards of commands may hold secrets, and run here.
    secrets: only(resources2, "command").flatMap(
      (command3) => command3.secret ? [command3.unless, quote(command3.unless)] : []
    )
  });
  return parseFacts(output, connection.target.name, resources2);
}

// src/host/order.ts
function concerning(resources2, host) {
  requireLegal(resources2);
  const found = /* @__PURE__ */ new Map();
  const all = new Set(resources2.map(id));
  for (const resource of resources2) {
    if (resource.when?.(host) === false) continue;
    const name2 = id(resource);
    const earlier = found.get(name2);
    if (earlier === void 0) found.set(name2, resource);
    else if (JSON.stringify(earlier) !== JSON.stringify(resource)) {
      throw new Failure("internal", `${name2} is declared twice, and differently`, {
        host: host.name,
        step: name2
      });
    }
    const unknown = dependencies(resource).find((dependency) => !all.has(dependency));
    if (unknown !== void 0) {
      throw new Failure("internal", `${name2} depends on ${unknown}, which nothing declares`, {
        host: host.name,
        step: name2
      });
    }
  }
  return [...found.values()];
}
function inOrder(resources2) {
  const known = new Map(resources2.map((resource) => [id(resource), resource]));
  const ordered = [];
  const state = /* @__PURE__ */ new Map();
  const visit = (resource, path) => {
    const name2 = id(resource);
    if (state.get(name2) === "done") return;
    if (state.get(name2) === "open") {
      throw new Failure("internal", `resources wait for each other: ${[...path, name2].join(" \u2192 ")}`);
    }
    state.set(name2, "open");
    for (const dependency of dependencies(resource)) {
      const needed = known.get(dependency);
      if (needed !== void 0) visit(needed, [...path, name2]);
    }
    state.set(name2, "done");
    ordered.push(resource);
  };
  for (const resource of packagesTogether(resources2)) visit(resource, []);
  return ordered;
}
function packagesTogether(resources2) {
  const ordered = [];
  let place;
  for (const resource of resources2) {
    if (resource.kind === "firewall") place = void 0;
    if (resource.kind !== "package" || dependencies(resource).length > 0) ordered.push(resource);
    else {
      place ??= ordered.length;
      ordered.splice(place++, 0, resource);
    }
  }
  return ordered;
}

// src/host/steps/absent.ts
var compareAbsent = ({ path }, facts, around) => {
  const fact = facts.paths[path];
  const because = fact === void 0 ? arriving(around) : [];
  if (fact === void 0 && because.length === 0) return void 0;
  return {
    action: "delete",
    diff: fact === void 0 ? [] : [`-${fact.type === "directory" ? "directory with everything in it" : fact.type}`],
    reason: fact === void 0 ? "in case a package brings it" : void 0,
    because,
    doing: `removing ${path}`,
    script: `rm -rf --one-file-system ${quote(path)}`
  };
};

// src/host/steps/directory.ts
var compareDirectory = (resource, facts) => {
  const { path } = resource;
  const fact = facts.paths[path];
  if (fact !== void 0 && fact.type !== "directory") {
    throw inTheWay(facts, path, fact.type === "file" ? "a file" : "no directory", "a directory");
  }
  const wanted = attributesOf(resource, "0755");
  if (fact === void 0) {
    return {
      action: "create",
      diff: [`+directory ${wanted.mode} ${wanted.owner}:${wanted.group}`],
      doing: `making ${path}`,
      script: `install -d -m ${quote(wanted.mode)} -o ${quote(wanted.owner)} -g ${quote(wanted.group)} ${quote(path)}`
    };
  }
  const diff = attributeDiff(fact, wanted);
  if (diff.length === 0) return void 0;
  return { action: "change", diff, doing: `changing ${path}`, script: setAttributes(path, wanted) };
};

// src/host/steps/file.ts
var compareFile = (resource, facts) => {
  const { path, content } = resource;
  const fact = facts.paths[path];
  if (fact?.type === "directory") throw inTheWay(facts, path, "a directory", "a file");
  const wanted = attributesOf(resource, "0644");
  const same = fact?.type === "file" && fact.sha256 === sha256(content);
  const attributes = fact?.type === "file" ? attributeDiff(fact, wanted) : [];
  if (same && attributes.length === 0) return void 0;
  return {
    action: fact === void 0 ? "create" : "change",
    diff: [...same ? [] : contentDiff(resource, fact), ...attributes],
    doing: `writing ${path}`,
    script: same ? setAttributes(path, wanted) : put(resource, wanted)
  };
};
function contentDiff(resource, fact) {
  if (resource.secret)
    return fact === void 0 ? ["+(secret, not shown)"] : ["-(secret, not shown)", "+(secret, not shown)"];
  if (fact === void 0) return diffLines(void 0, resource.content);
  if (fact.type === "link")
    return [`-link to ${fact.target ?? "?"}`, ...diffLines(void 0, resource.content)];
  if (fact.content === void 0)
    return ["-(not text, or too long to show)", `+${resource.content.length} characters`];
  return diffLines(fact.content, resource.content);
}
function temporaryPath(path) {
  const slash = path.lastIndexOf("/");
  return `${path.slice(0, slash)}/.${path.slice(slash + 1)}.pipeline-new`;
}
function put(resource, attributes) {
  const temporary = temporaryPath(resource.path);
  const name2 = quote(temporary);
  const folder2 = quote(resource.path.slice(0, resource.path.lastIndexOf("/")) || "/");
  const validate = resource.validate?.replaceAll("%s", name2);
  const lines = [
    `[[ -d ${folder2} ]] || mkdir -p ${folder2}`,
    `rm -f ${name2}`,
    `trap ${quote(`rm -f ${name2}`)} EXIT`,
    `( umask 077; set -C; printf %s ${word(resource.content)} >${name2} )`,
    setAttributes(temporary, attributes),
    ...validate === void 0 ? [] : [`validated ${quote(validate)} || exit`],
    `sync ${name2}`,
    `mv -fT ${name2} ${quote(resource.path)}`
  ];
  return lines.join("\n");
}
function word(text) {
  return text === "" ? "''" : quote(text);
}

// src/host/steps/link.ts
var compareLink = ({ path, target }, facts) => {
  const fact = facts.paths[path];
  if (fact?.type === "link" && fact.target === target) return void 0;
  if (fact !== void 0 && fact.type !== "link") {
    throw inTheWay(facts, path, `a ${fact.type === "other" ? "device or socket" : fact.type}`, "a link");
  }
  const temporary = quote(`${path}.pipeline-new`);
  return {
    action: fact === void 0 ? "create" : "change",
    diff: changeOf("link to", fact?.target, target),
    doing: `linking ${path}`,
    script: `mkdir -p "$(dirname ${quote(path)})"
ln -sfn ${quote(target)} ${temporary}
mv -fT ${temporary} ${quote(path)}`
  };
};

// src/host/plan.ts
function plan(facts, resources2) {
  const ordered = inOrder(concerning(resources2, facts.host));
  const known = new Map(ordered.map((resource) => [id(resource), resource]));
  const changed = /* @__PURE__ */ new Set();
  const around = {
    changed,
    due: (resource, watched) => due(resource, watched, known, changed, facts)
  };
  const steps = facts.interrupted ? [{ resource: void 0, difference: REPAIR }] : [];
  for (const resource of ordered) {
    const difference = compare(resource, facts, around);
    if (difference === void 0) continue;
    steps.push({ resource, difference });
    changed.add(id(resource));
  }
  return {
    changes: steps.map(({ resource, difference: { action, diff, reason, because, doing } }) => ({
      id: resource === void 0 ? "packages" : id(resource),
      action,
      diff,
      reason,
      because: because ?? [],
      doing
    })),
    script: steps.length === 0 ? "" : applyScript(scriptSteps(steps, known, heldUnits(ordered, facts)), forget(ordered, changed, facts)),
    secrets: ordered.flatMap((resource) => secretTexts(resource))
  };
}
function secretTexts(resource) {
  const text = resource.kind === "file" ? resource.content : resource.kind === "command" ? resource.run : "";
  if (!("secret" in resource) || !resource.secret) return [];
  return [text, quote(text)];
}
function compare(resource, facts, around) {
  switch (resource.kind) {
    case "package":
      return comparePackage(resource, facts, around);
    case "file":
      return compareFile(resource, facts, around);
    case "absent":
      return compareAbsent(resource, facts, around);
    case "directory":
      return compareDirectory(resource, facts, around);
    case "link":
      return compareLink(resource, facts, around);
    case "user":
      return compareUser(resource, facts, around);
    case "service":
      return compareService(resource, facts, around);
    case "firewall":
      return compareFirewall(resource, facts, around);
    case "command":
      return compareCommand(resource, facts, around);
  }
}
function scriptSteps(steps, known, held2) {
  const result = [];
  for (let index = 0; index < steps.length; ) {
    const rest = steps.slice(index);
    const end = rest.findIndex(({ resource }) => resource?.kind !== "package");
    const packages = end === -1 ? rest : rest.slice(0, end);
    const [first] = rest;
    if (packages.length > 0) {
      result.push({
        bash: transaction(
          packages.map(({ difference }) => difference),
          held2
        ),
        changes: packages.length
      });
      index += packages.length;
    } else if (first !== void 0) {
      result.push({ bash: first.difference.script + remember(first.resource, known), changes: 1 });
      index++;
    }
  }
  return result;
}
function remember(resource, known) {
  if (resource?.kind !== "service" && resource?.kind !== "command") return "";
  const entries = dependencies(resource).flatMap((dependency) => {
    const current = known.get(dependency);
    return current === void 0 ? [] : [[dependency, fingerprint(current)]];
  });
  if (entries.length === 0) return "";
  const name2 = id(resource);
  return `
${stampScript(stampPath(name2), stampText(name2, Object.fromEntries(entries)))}`;
}
function forget(ordered, changed, facts) {
  return ordered.flatMap((resource) => {
    const name2 = id(resource);
    const stamp = facts.stamps[name2];
    if (stamp === void 0 || !dependencies(resource).some((dependency) => changed.has(dependency)))
      return [];
    const kept = Object.entries(stamp).filter(([dependency]) => !changed.has(dependency));
    return [stampScript(stampPath(name2), stampText(name2, Object.fromEntries(kept)))];
  });
}

// src/host/converge.ts
async function converge(connection, resources2, context2, options = {}) {
  const started = context2.now().getTime();
  const facts = await gatherFacts(connection, resources2, context2);
  const planned = plan(facts, resources2);
  if (planned.changes.length > 0 && !options.dryRun) {
    await apply(connection, planned, context2, options);
    const left = plan(await gatherFacts(connection, resources2, context2), resources2);
    if (left.changes.length > 0) throw await unequal(connection, left.changes, context2);
  }
  return { changes: planned.changes, facts, seconds: (context2.now().getTime() - started) / 1e3 };
}
async function unequal(connection, left, context2) {
  const host = connection.target.name;
  const [first] = left;
  const list = left.map(
    ({ id: id2, action, reason }) => `${action} ${id2}${reason === void 0 ? "" : ` (${reason})`}`
  );
  const unit = /^service (.*)$/.exec(first?.id ?? "")?.[1];
  const journal = unit === void 0 ? [] : (await connection.check(
    `journalctl --quiet --no-pager --output=cat --lines=12 --unit=${quote(unit)}`,
    {
      label: `journal of ${unit}`,
      signal: context2.signal
    }
  )).trimEnd().split("\n");
  return new Failure(
    "host",
    `${host}: every step succeeded, but afterwards ${left.length === 1 ? "one thing is" : `${left.length} things are`} still not as it should be: ${list[0]}`,
    {
      host,
      step: first?.id,
      output: [...list.slice(1), ...first?.diff ?? [], ...journal],
      next: unit === void 0 ? "Something on the host changes it back, or a guard never holds: look at it there, then run the command again." : `It was started and did not stay so. Its journal: pipeline prod ssh ${host} -- journalctl -u ${unit}`
    }
  );
}

// src/roles/firewall.ts
function firewall(params) {
  const ssh = params.sshPorts.map((port2) => ({ port: port2, protocol: "tcp", from: "operators" }));
  return {
    kind: "firewall",
    table: "inet pipeline",
    rules: `${set("operators", params.operators)}${set("fleet", params.fleet)}
  chain input {
    type filter hook input priority filter
    policy drop
    iif "lo" accept
    ct state vmap { established : accept, related : accept, invalid : drop }
    icmp type { echo-request, destination-unreachable, time-exceeded, parameter-problem } accept
    icmpv6 type { echo-request, destination-unreachable, packet-too-big, time-exceeded, parameter-problem, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } accept
    ip6 saddr fe80::/10 udp dport 546 accept
${openings([...ssh, ...params.exposures]).join("\n")}
  }
`
  };
}
function set(name2, addresses) {
  const of = (family) => addresses.filter((address2) => address2.includes(":") === (family === 6)).toSorted();
  return [4, 6].map((family) => {
    const elements = of(family);
    const list = elements.length === 0 ? "" : `    elements = { ${elements.join(", ")} }
`;
    return `  set ${name2}${family} {
    type ipv${family}_addr
    flags interval
    auto-merge
${list}  }
`;
  }).join("");
}
function openings(exposures) {
  return ["tcp", "udp"].flatMap(
    (protocol) => ["operators", "fleet", "anyone"].flatMap((from2) => {
      const ports = exposures.filter((exposure) => exposure.protocol === protocol && exposure.from === from2).map(({ port: port2 }) => port2);
      if (ports.length === 0) return [];
      const list = [...new Set(ports)].sort((a, b) => a - b).join(", ");
      const rule2 = `${protocol} dport { ${list} } accept`;
      return from2 === "anyone" ? [`    ${rule2}`] : [`    ip saddr @${from2}4 ${rule2}`, `    ip6 saddr @${from2}6 ${rule2}`];
    })
  );
}

// src/roles/base.ts
var GIB = 2 ** 30;
var onMachine = (host) => host.container === "";
var isSmall = (host) => onMachine(host) && host.memoryBytes < 2 * GIB;
var keepsTime = (daemon) => (host) => onMachine(host) && (host.clock === "" ? "timesyncd" : host.clock) === daemon;
var SSHD = `# Made by pipeline: keys only, and no tricks.
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
PermitEmptyPasswords no
X11Forwarding no
AllowAgentForwarding no
MaxAuthTries 4
LoginGraceTime 30
ClientAliveInterval 60
`;
var JOURNALD = `# Made by pipeline: the journal survives a reboot, and never fills the disk.
[Journal]
Storage=persistent
SystemMaxUse=300M
SystemKeepFree=500M
MaxRetentionSec=30day
`;
var UPGRADES = `// Made by pipeline: security upgrades every day, by themselves; no reboot by itself.
APT::Periodic::Update-Package-Lists "1";
APT::Periodic::Unattended-Upgrade "1";
APT::Periodic::AutocleanInterval "7";
Unattended-Upgrade::Automatic-Reboot "false";
`;
var ROTATION = `# Made by pipeline: a log may grow past its size in less than a day.
[Timer]
OnCalendar=
OnCalendar=hourly
`;
var SWAP = `[Unit]
Description=Swap file (pipeline)

[Swap]
What=/var/swapfile

[Install]
WantedBy=swap.target
`;
var SWAP_FILE = `fallocate -l 1G /var/.swapfile.new
chmod 600 /var/.swapfile.new
mkswap /var/.swapfile.new
mv /var/.swapfile.new /var/swapfile`;
var base = {
  name: "base",
  exposures: [],
  resources: (params) => [
    { kind: "package", name: "nftables" },
    firewall(params),
    {
      kind: "file",
      path: "/etc/ssh/sshd_config.d/10-pipeline.conf",
      content: SSHD,
      validate: "sshd -t -f %s"
    },
    { kind: "service", unit: "ssh.service", reloadOn: ["file /etc/ssh/sshd_config.d/10-pipeline.conf"] },
    { kind: "file", path: "/etc/systemd/journald.conf.d/pipeline.conf", content: JOURNALD },
    {
      kind: "service",
      unit: "systemd-journald.service",
      restartOn: ["file /etc/systemd/journald.conf.d/pipeline.conf"]
    },
    { kind: "package", name: "ca-certificates" },
    { kind: "package", name: "logrotate" },
    { kind: "file", path: "/etc/systemd/system/logrotate.timer.d/pipeline.conf", content: ROTATION },
    {
      kind: "service",
      unit: "logrotate.timer",
      enabled: true,
      restartOn: ["file /etc/systemd/system/logrotate.timer.d/pipeline.conf"]
    },
    { kind: "package", name: "unattended-upgrades" },
    { kind: "file", path: "/etc/apt/apt.conf.d/52pipeline-upgrades", content: UPGRADES },
    { kind: "service", unit: "apt-daily.timer", enabled: true },
    { kind: "service", unit: "apt-daily-upgrade.timer", enabled: true },
    { kind: "package", name: "systemd-timesyncd", when: keepsTime("timesyncd") },
    { kind: "service", unit: "systemd-timesyncd.service", enabled: true, when: keepsTime("timesyncd") },
    { kind: "service", unit: "chrony.service", enabled: true, when: keepsTime("chrony") },
    {
      kind: "command",
      name: "make a swap file of 1 GiB",
      unless: "test -e /var/swapfile",
      run: SWAP_FILE,
      when: isSmall
    },
    { kind: "file", path: "/etc/systemd/system/var-swapfile.swap", content: SWAP, when: isSmall },
    { kind: "service", unit: "var-swapfile.swap", enabled: true, when: isSmall },
    { kind: "directory", path: "/etc/pipeline" },
    { kind: "directory", path: "/var/log/pipeline" }
  ]
};

// src/roles/role.ts
function mebibytes(params, share, least, most) {
  const wanted = Math.floor((params.memoryBytes ?? 0) * share / 2 ** 20);
  return Math.min(most, Math.max(least, wanted));
}

// src/roles/mariadb.ts
var configuration = (pool) => `# Made by pipeline.
[mariadbd]
bind-address = 127.0.0.1
skip-name-resolve
character-set-server = utf8mb4
collation-server = utf8mb4_unicode_ci
innodb_buffer_pool_size = ${pool}M
max_allowed_packet = 64M
`;
var mariadb = {
  name: "mariadb",
  exposures: [],
  resources: (params) => [
    { kind: "package", name: "mariadb-server" },
    {
      kind: "file",
      path: "/etc/mysql/mariadb.conf.d/90-pipeline.cnf",
      content: configuration(mebibytes(params, 0.25, 64, 8192))
    },
    {
      kind: "service",
      unit: "mariadb.service",
      enabled: true,
      restartOn: ["file /etc/mysql/mariadb.conf.d/90-pipeline.cnf"]
    }
  ]
};

// src/roles/monitor.ts
var monitor = {
  name: "monitor",
  exposures: [
    { port: 80, protocol: "tcp", from: "anyone" },
    { port: 443, protocol: "tcp", from: "anyone" },
    { port: 6379, protocol: "tcp", from: "fleet" }
  ],
  resources: () => []
};

// src/proxy/paths.ts
var SITES = "/etc/nginx/pipeline/sites";
var LOGS = "/var/log/nginx/pipeline";

// src/roles/nginx.ts
var LOG_FORMAT = `log_format pipeline escape=json '{"msec":$msec,"app":"$pipeline_app","variant":"$pipeline_variant",'
    '"release":"$pipeline_release","method":"$request_method","uri":"$request_uri","status":$status,'
    '"bytes":$body_bytes_sent,"time":$request_time,"upstream_time":"$upstream_response_time",'
    '"upstream_header_time":"$upstream_header_time","upstream_status":"$upstream_status",'
    '"upstream_addr":"$upstream_addr","id":"$request_id"}';`;
var CONFIGURATION = `# Made by pipeline. Sites lie in ${SITES}.
user www-data;
worker_processes auto;
worker_rlimit_nofile 16384;
pid /run/nginx.pid;
error_log /var/log/nginx/error.log warn;
include /etc/nginx/modules-enabled/*.conf;

events {
  worker_connections 4096;
}

http {
  include /etc/nginx/mime.types;
  default_type application/octet-stream;
  sendfile on;
  tcp_nopush on;
  keepalive_timeout 65s;
  server_tokens off;
  types_hash_max_size 4096;
  server_names_hash_bucket_size 128;

  ssl_protocols TLSv1.2 TLSv1.3;
  ssl_prefer_server_ciphers off;
  ssl_session_cache shared:TLS:10m;
  ssl_session_timeout 1d;
  ssl_session_tickets off;

  gzip on;
  gzip_vary on;
  gzip_proxied any;
  gzip_min_length 1024;
  gzip_types text/plain text/css text/xml application/json application/javascript application/xml image/svg+xml;

  # What a site does not say is empty in its log.
  map "" $pipeline_app { default ""; }
  map "" $pipeline_variant { default ""; }
  map "" $pipeline_release { default ""; }
  ${LOG_FORMAT}
  access_log ${LOGS}/access.log pipeline;

  # Whoever asks for a name that no site has learns nothing. A site that wants these requests says default_server.
  server {
    listen 80;
    listen [::]:80;
    server_name "";
    access_log off;
    return 444;
  }

  include ${SITES}/*.conf;
}
`;
var ROTATION2 = `# Made by pipeline.
${LOGS}/*.log {
  daily
  maxsize 100M
  rotate 14
  compress
  delaycompress
  missingok
  notifempty
  create 0640 www-data adm
  sharedscripts
  postrotate
    if [ -s /run/nginx.pid ]; then kill -USR1 "$(cat /run/nginx.pid)"; fi
  endscript
}
`;
var LIMITS = `# Made by pipeline: it comes back by itself.
[Service]
Restart=always
RestartSec=1s
LimitNOFILE=16384
`;
var nginx = {
  name: "nginx",
  exposures: [
    { port: 80, protocol: "tcp", from: "anyone" },
    { port: 443, protocol: "tcp", from: "anyone" }
  ],
  resources: () => [
    { kind: "package", name: "nginx" },
    { kind: "package", name: "logrotate" },
    { kind: "directory", path: SITES },
    { kind: "directory", path: LOGS, owner: "www-data", group: "adm" },
    { kind: "file", path: "/etc/logrotate.d/pipeline-nginx", content: ROTATION2 },
    { kind: "file", path: "/etc/systemd/system/nginx.service.d/pipeline.conf", content: LIMITS },
    { kind: "file", path: "/etc/nginx/nginx.conf", content: CONFIGURATION, validate: "nginx -t -q -c %s" },
    {
      kind: "service",
      unit: "nginx.service",
      enabled: true,
      restartOn: ["file /etc/systemd/system/nginx.service.d/pipeline.conf"],
      reloadOn: ["file /etc/nginx/nginx.conf"]
    }
  ]
};

// src/roles/node-service.ts
var INSTANCE_RANGE = "198.18.0.0/16";
var INSTANCE_LINKS = "pln*";
var NETWORK = `#!/bin/bash
# Made by pipeline: the network of one instance. Usage: network up|down, with NAMESPACE, LINK, GATEWAY and ADDRESS in the environment.
set -eu
down() {
  ip link delete "$LINK" 2>/dev/null || true
  ip netns delete "$NAMESPACE" 2>/dev/null || true
}
case $1 in
  up)
    down
    ip netns add "$NAMESPACE"
    ip link add "$LINK" type veth peer name eth0 netns "$NAMESPACE"
    ip address add "$GATEWAY/30" dev "$LINK"
    ip link set "$LINK" up
    ip -n "$NAMESPACE" link set lo up
    ip -n "$NAMESPACE" address add "$ADDRESS/30" dev eth0
    ip -n "$NAMESPACE" link set eth0 up
    ip -n "$NAMESPACE" route add default via "$GATEWAY"
    [ "$(cat /proc/sys/net/ipv4/ip_forward)" = 1 ] || echo 1 >/proc/sys/net/ipv4/ip_forward
    mkdir -p /run/pipeline/networks
    # A resolver on the host's loopback address is not reachable from here.
    resolvers=/etc/resolv.conf
    if grep -qs '^nameserver 127\\.' /etc/resolv.conf && [ -e /run/systemd/resolve/resolv.conf ]; then resolvers=/run/systemd/resolve/resolv.conf; fi
    cp -L "$resolvers" "/run/pipeline/networks/$NAMESPACE.resolv.conf" 2>/dev/null || true
    ;;
  down) down ;;
esac
`;
var NETWORK_UNIT = `# Made by pipeline.
[Unit]
Description=Network of %i
After=network.target nftables.service

[Service]
Type=oneshot
RemainAfterExit=yes
EnvironmentFile=/etc/pipeline/networks/%i
ExecStart=/usr/local/lib/pipeline/network up
ExecStop=/usr/local/lib/pipeline/network down
`;
var INSTANCE_RULES = `  chain input {
    type filter hook input priority filter - 1
    policy accept
    iifname "${INSTANCE_LINKS}" ct state established,related accept
    iifname "${INSTANCE_LINKS}" meta l4proto icmp accept
    iifname "${INSTANCE_LINKS}" drop
  }

  chain forward {
    type filter hook forward priority filter
    policy accept
    oifname "${INSTANCE_LINKS}" ct state established,related accept
    oifname "${INSTANCE_LINKS}" drop
  }

  chain postrouting {
    type nat hook postrouting priority srcnat
    policy accept
    ip saddr ${INSTANCE_RANGE} oifname != "${INSTANCE_LINKS}" masquerade
  }
`;
var ROTATION3 = `# Made by pipeline.
/var/log/pipeline/audit.jsonl {
  monthly
  maxsize 20M
  rotate 24
  missingok
  notifempty
}
`;
var nodeService = {
  name: "node-service",
  exposures: [],
  resources: () => [
    { kind: "package", name: "curl" },
    // Node from 25 on is linked against it.
    { kind: "package", name: "libatomic1" },
    { kind: "package", name: "iproute2" },
    { kind: "package", name: "procps" },
    { kind: "package", name: "nftables" },
    { kind: "package", name: "logrotate" },
    { kind: "directory", path: "/etc/pipeline" },
    { kind: "directory", path: "/etc/pipeline/apps" },
    { kind: "directory", path: "/etc/pipeline/networks" },
    { kind: "directory", path: "/var/log/pipeline" },
    { kind: "directory", path: "/var/lib/pipeline" },
    { kind: "directory", path: "/var/lib/pipeline/incoming", mode: "0700" },
    { kind: "file", path: "/etc/logrotate.d/pipeline-audit", content: ROTATION3 },
    { kind: "directory", path: "/usr/local/lib/pipeline" },
    { kind: "file", path: "/usr/local/lib/pipeline/network", content: NETWORK, mode: "0755" },
    { kind: "file", path: "/etc/systemd/system/pipeline-network@.service", content: NETWORK_UNIT },
    { kind: "firewall", table: "inet pipeline_instances", rules: INSTANCE_RULES }
  ]
};

// src/roles/redis.ts
var configuration2 = (memory) => `# Made by pipeline.
bind 127.0.0.1 -::1
protected-mode yes
port 6379
supervised systemd
pidfile /run/redis/redis-server.pid
logfile ""
dir /var/lib/redis
appendonly yes
appendfsync everysec
maxmemory ${memory}mb
maxmemory-policy noeviction
`;
var redis = {
  name: "redis",
  exposures: [],
  resources: (params) => [
    { kind: "package", name: "redis-server" },
    {
      kind: "file",
      path: "/etc/redis/redis.conf",
      content: configuration2(mebibytes(params, 0.25, 64, 4096)),
      mode: "0640",
      owner: "redis"
    },
    {
      kind: "service",
      unit: "redis-server.service",
      enabled: true,
      restartOn: ["file /etc/redis/redis.conf"]
    }
  ]
};

// src/roles/tomcat.ts
function tomcatVersion(host) {
  return host.os === "ubuntu" && Number(host.version) < 24 ? 9 : 10;
}
var SERVER = `<?xml version="1.0" encoding="UTF-8"?>
<!-- Made by pipeline. -->
<Server port="-1">
  <Listener className="org.apache.catalina.startup.VersionLoggerListener"/>
  <Listener className="org.apache.catalina.core.JreMemoryLeakPreventionListener"/>
  <Listener className="org.apache.catalina.core.ThreadLocalLeakPreventionListener"/>
  <Service name="Catalina">
    <Connector port="8080" address="127.0.0.1" protocol="HTTP/1.1" maxThreads="200" connectionTimeout="20000"
               maxPostSize="20971520" URIEncoding="UTF-8"/>
    <Engine name="Catalina" defaultHost="localhost">
      <Host name="localhost" appBase="webapps" unpackWARs="true" autoDeploy="true" undeployOldVersions="true">
        <Valve className="org.apache.catalina.valves.RemoteIpValve" remoteIpHeader="X-Forwarded-For"
               protocolHeader="X-Forwarded-Proto"/>
        <Valve className="org.apache.catalina.valves.ErrorReportValve" showReport="false" showServerInfo="false"/>
      </Host>
    </Engine>
  </Service>
</Server>
`;
function defaults(params) {
  const heap = params.memoryBytes === void 0 ? "-XX:MaxRAMPercentage=50" : `-Xmx${mebibytes(params, 0.5, 192, 16384)}m`;
  return `# Made by pipeline.
JAVA_OPTS="-Djava.awt.headless=true -XX:+ExitOnOutOfMemoryError ${heap}"
`;
}
function resources(version, params) {
  const name2 = `tomcat${version}`;
  const files = [
    { kind: "file", path: `/etc/${name2}/server.xml`, content: SERVER, mode: "0640", group: "tomcat" },
    { kind: "file", path: `/etc/default/${name2}`, content: defaults(params) }
  ];
  const all = [
    { kind: "package", name: name2 },
    ...files,
    {
      kind: "service",
      unit: `${name2}.service`,
      enabled: true,
      restartOn: [`file /etc/${name2}/server.xml`, `file /etc/default/${name2}`]
    }
  ];
  return all.map((resource) => ({ ...resource, when: (host) => tomcatVersion(host) === version }));
}
var tomcat = {
  name: "tomcat",
  exposures: [],
  resources: (params) => [...resources(9, params), ...resources(10, params)]
};

// src/roles/index.ts
var ROLES2 = new Map(
  [base, nginx, nodeService, redis, mariadb, tomcat, monitor].map((role) => [role.name, role])
);
function rolesFor(name2, params) {
  return named(name2).resources(params);
}
function named(name2) {
  const role = ROLES2.get(name2);
  if (role !== void 0) return role;
  const near = closest(name2, ROLES2.keys());
  throw new Failure("usage", `there is no role "${name2}"`, {
    next: near === void 0 ? `Roles are ${[...ROLES2.keys()].join(", ")}.` : `Did you mean ${near}?`
  });
}

// src/ssh/known-hosts.ts
function knownHostName(address2, port2) {
  return port2 === 22 ? address2 : `[${address2}]:${port2}`;
}
function formatKnownHosts(hosts) {
  const lines = /* @__PURE__ */ new Set();
  for (const { address: address2, port: port2, keys } of hosts) {
    if (!/^[A-Za-z0-9._:%-]+$/.test(address2))
      throw new RangeError(`not a host address: ${JSON.stringify(address2)}`);
    for (const key of keys) {
      const match = /^([a-z0-9@.-]+) ([A-Za-z0-9+/]+={0,2})(?: [^\n]*)?$/.exec(key.trim());
      if (match === null) throw new RangeError(`not a public key: ${JSON.stringify(key.slice(0, 80))}`);
      lines.add(`${knownHostName(address2.toLowerCase(), port2)} ${match[1]} ${match[2]}`);
    }
  }
  return [...lines].sort().map((line) => `${line}
`).join("");
}
function writeKnownHosts(path, hosts) {
  return writeFileAtomic(path, formatKnownHosts(hosts), 384);
}

// src/ssh/openssh.ts
import { randomBytes as randomBytes2 } from "node:crypto";
import { createReadStream as createReadStream2 } from "node:fs";
import { stat as stat3 } from "node:fs/promises";
import { Readable, Transform } from "node:stream";
import { pipeline as pipeline2 } from "node:stream/promises";

// src/ssh/arguments.ts
function fileValue(path) {
  return `"${path.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("%", "%%")}"`;
}
function sshArguments(target, patience) {
  const options = [
    "BatchMode=yes",
    "StrictHostKeyChecking=yes",
    "UpdateHostKeys=no",
    `ConnectTimeout=${patience.connectTimeoutSeconds}`,
    `ServerAliveInterval=${Math.max(1, Math.round(patience.silenceSeconds / 3))}`,
    "ServerAliveCountMax=3",
    // Failures are told apart by what ssh prints; a quieter level in the user's configuration would hide it.
    "LogLevel=INFO",
    "ForwardAgent=no",
    "ClearAllForwardings=yes",
    "PermitLocalCommand=no"
  ];
  if (target.identityFile !== void 0) {
    options.push(`IdentityFile=${fileValue(target.identityFile)}`, "IdentitiesOnly=yes");
  }
  if (target.knownHostsFile !== void 0) {
    options.push(`UserKnownHostsFile=${fileValue(target.knownHostsFile)}`, "GlobalKnownHostsFile=/dev/null");
  }
  return [
    ...options.flatMap((option) => ["-o", option]),
    ...(target.options ?? []).flatMap((option) => ["-o", option]),
    "-p",
    String(target.port),
    "-l",
    target.user,
    // An address is never taken for an option.
    "--",
    target.address
  ];
}

// src/ssh/failures.ts
var ConnectionFailure = class extends Failure {
  reason;
  constructor(reason, message, details) {
    super(reason === "client" ? "usage" : "host", message, details);
    this.reason = reason;
  }
};
var where = (target) => `${target.address} port ${target.port}`;
var shell = (target) => command(["ssh", "-v", "-p", String(target.port), `${target.user}@${target.address}`]);
var RULES = [
  {
    pattern: /REMOTE HOST IDENTIFICATION HAS CHANGED|host key for \S+ has changed and you have requested strict/i,
    reason: "host-key-changed",
    explain: (target) => ({
      message: `the host at ${where(target)} shows another host key than the known one: it was reinstalled, or somebody sits in between`,
      next: `If it was reinstalled, remove the old key with ${removeKey(target)} and add the new one, read on the host itself from /etc/ssh/ssh_host_ed25519_key.pub. Nothing was sent to it.`
    })
  },
  {
    pattern: /No \S+ host key is known for|Host key verification failed/i,
    reason: "host-key-unknown",
    explain: (target) => ({
      message: `the host key of ${where(target)} is not known, and no connection is made on trust`,
      next: `Add its line to ${target.knownHostsFile ?? "~/.ssh/known_hosts"}: ${knownHostName(target.address, target.port)} and the key that the host itself has in /etc/ssh/ssh_host_ed25519_key.pub.`
    })
  },
  {
    pattern: /Please login as the user "([^"]+)"/,
    reason: "no-shell",
    explain: (target, match) => ({
      message: `${target.user} may not sign in at ${where(target)}: the host asks for the user ${match[1]}`,
      next: `Set ansible_user=${match[1]} for it in the inventory.`
    })
  },
  {
    pattern: /^sudo: (?:a password is required|a terminal is required|no tty present|sorry, you must have a tty)|is not (?:in the sudoers file|allowed to (?:execute|run sudo))|may not run sudo/im,
    reason: "no-sudo",
    explain: (target) => ({
      message: `${target.user} may not become root through sudo without a password`,
      next: `On the host, as root: echo '${target.user} ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/${target.user.replaceAll(/[.~]/g, "_")}; or set ansible_user=root in the inventory.`
    })
  },
  {
    pattern: /sudo: (?:command )?not found|sudo: No such file/i,
    reason: "no-sudo",
    explain: (target) => ({
      message: `${target.user} cannot become root: sudo is not installed`,
      next: "On the host, as root: apt-get install sudo and let the user use it; or set ansible_user=root in the inventory."
    })
  },
  {
    pattern: /Could not resolve hostname [^\n]*|Name or service not known/i,
    reason: "unreachable",
    explain: (target) => ({
      message: `the name ${target.address} has no address`,
      next: "Correct ansible_host in the inventory, or the name service of this machine."
    })
  },
  {
    pattern: /No route to host|Network is unreachable|Host is down|Host is unreachable/i,
    reason: "unreachable",
    explain: (target, match) => ({
      message: `${where(target)} cannot be reached: ${match[0].toLowerCase()}`,
      next: "See whether the host runs and whether its address is right: pipeline prod status."
    })
  },
  {
    pattern: /Connection refused/i,
    reason: "refused",
    explain: (target) => ({
      message: `nothing listens at ${where(target)}: the connection was refused`,
      next: "The host is up but its SSH service is not, or it listens on another port: set ansible_port in the inventory, or start ssh.service on the host."
    })
  },
  {
    pattern: /Permission denied \(([^)]*)\)|Too many authentication failures/i,
    reason: "permission",
    explain: (target) => ({
      message: `the host at ${where(target)} does not take ${keyOf(target)} for ${target.user}`,
      next: `Add the public key to ~${target.user}/.ssh/authorized_keys on the host, or name the right user and key in the inventory (ansible_user, ansible_ssh_private_key_file).`
    })
  },
  {
    pattern: /System is (?:booting up|going down)|Unprivileged users are not permitted to log in yet/i,
    reason: "closed",
    explain: (target) => ({
      message: `${where(target)} is still starting or about to stop`,
      next: "Wait a few seconds and run the command again."
    })
  },
  {
    pattern: /Bad configuration option|command-line line \d+|[Uu]nsupported option|no such option|unknown option/,
    reason: "client",
    explain: (target) => ({
      message: `ssh does not understand its options for ${target.name}`,
      next: "Correct ansible_ssh_common_args in the inventory, or ~/.ssh/config."
    })
  },
  {
    pattern: /Unable to negotiate with [^\n]*/i,
    reason: "closed",
    explain: (target) => ({
      message: `this machine and ${where(target)} have no key exchange, cipher or key type in common`,
      next: "Update OpenSSH on the older side."
    })
  },
  {
    pattern: /timed? ?out/i,
    reason: "timeout",
    explain: (target) => ({
      message: `${where(target)} does not answer`,
      next: "See whether the host runs (pipeline prod status) and whether a firewall drops SSH from this machine."
    })
  },
  {
    pattern: /kex_exchange_identification|Connection (?:closed|reset) by|ssh_dispatch_run_fatal|Connection to \S+ closed/i,
    reason: "closed",
    explain: (target) => ({
      message: `${where(target)} hung up before anybody signed in`,
      next: "Its SSH service is starting, stopping, or turns away too many connections: wait a few seconds and run the command again."
    })
  }
];
function connectionFailure(target, client) {
  const output = lastLines(client.stderr);
  const details = { host: target.name, step: client.step, output };
  for (const { pattern, reason, explain } of RULES) {
    if (client.connected && reason !== "no-sudo" && reason !== "no-shell") continue;
    const match = pattern.exec(client.stderr);
    if (match === null) continue;
    const { message, next } = explain(target, match);
    return new ConnectionFailure(reason, message, { ...details, next });
  }
  if (!client.connected) {
    const reason = client.exitCode === null ? "timeout" : "closed";
    const message = client.exitCode === null ? "does not finish signing in" : `cannot be reached (ssh exit ${client.exitCode})`;
    return new ConnectionFailure(reason, `${where(target)} ${message}`, {
      ...details,
      next: `See what ssh says: ${shell(target)}`
    });
  }
  if (client.exitCode === 255) {
    return new ConnectionFailure("lost", "the connection was lost half-way", {
      ...details,
      next: "What had begun on the host may still be running there. Run the command again: it goes on from what is done."
    });
  }
  return new ConnectionFailure(
    "no-shell",
    `${target.user} at ${where(target)} did not run the command to its end (exit ${client.exitCode ?? "unknown"})`,
    {
      ...details,
      next: "Either the account has no ordinary shell or no bash, or the command was killed on the host (journalctl -k shows whether memory ran out)."
    }
  );
}
function keyOf(target) {
  return target.identityFile === void 0 ? "any key that ssh offers" : `the key ${target.identityFile}`;
}
function removeKey(target) {
  const file = target.knownHostsFile === void 0 ? [] : ["-f", target.knownHostsFile];
  return command(["ssh-keygen", ...file, "-R", knownHostName(target.address, target.port)]);
}
function lastLines(text, count = 10) {
  return text.split("\n").map((line) => line.trimEnd()).filter((line) => line !== "").slice(-count);
}

// src/ssh/master.ts
import { spawn as spawn3 } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readSync,
  rmdirSync,
  rmSync
} from "node:fs";
import { rm as rm4 } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join as join4 } from "node:path";

// src/ssh/process.ts
import { spawn as spawn2 } from "node:child_process";
import { StringDecoder } from "node:string_decoder";
import { setTimeout as delay } from "node:timers/promises";
var KILL_AFTER_MS = 2e3;
async function runProcess(file, args, options) {
  const child = spawn2(file, args, {
    env: { ...options.env },
    stdio: ["pipe", "pipe", "pipe"],
    detached: true
  });
  let failure;
  const fail = (error) => {
    failure ??= { error };
    onAbort();
  };
  const stdout = collect(child.stdout, options.onStdout, fail);
  const stderr = collect(child.stderr, options.onStderr, fail);
  const ended = new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  const onAbort = () => {
    child.once("exit", () => {
      child.stdout.destroy();
      child.stderr.destroy();
    });
    void terminate(child);
  };
  options.signal.addEventListener("abort", onAbort, { once: true });
  if (options.signal.aborted) onAbort();
  child.stdin.on("error", () => {
  });
  const fed = (options.input?.(child.stdin) ?? Promise.resolve()).then(
    () => child.stdin.end(),
    (error) => {
      if (error.code !== "EPIPE" && error.code !== "ERR_STREAM_PREMATURE_CLOSE") fail(error);
    }
  );
  try {
    const exitCode = await ended;
    child.stdin.destroy();
    await fed;
    if (failure !== void 0) throw failure.error;
    return { exitCode, stdout: stdout(), stderr: stderr() };
  } finally {
    options.signal.removeEventListener("abort", onAbort);
  }
}
async function terminate(child) {
  child.kill("SIGTERM");
  await delay(KILL_AFTER_MS, void 0, { ref: false });
  if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
}
function collect(stream, onLine, fail) {
  const decoder = new StringDecoder("utf8");
  const parts = [];
  let rest = "";
  const take = (text, isLast) => {
    parts.push(text);
    if (onLine === void 0) return;
    const lines = (rest + text).split("\n");
    rest = isLast && lines.at(-1) !== "" ? "" : lines.pop() ?? "";
    try {
      for (const line of lines) onLine(line);
    } catch (error) {
      fail(error);
    }
  };
  stream.on("data", (chunk) => take(decoder.write(chunk), false));
  stream.on("end", () => take(decoder.end(), true));
  return () => parts.join("");
}

// src/ssh/master.ts
var Master = class {
  #options;
  /** The folder with the control socket, while a master stands or is being started. */
  #opening;
  constructor(options) {
    this.#options = options;
  }
  /**
   * Arguments for ssh that make it a client of the master, which stands then. Callers at the same time share one opening.
   * @throws ConnectionFailure; `signal.reason`
   */
  async client(signal) {
    const before = this.#opening;
    if (before !== void 0) {
      const folder2 = await untilAborted(before, signal);
      if (existsSync(socketIn(folder2))) return clientArguments(folder2);
      if (this.#opening === before) await this.close();
    }
    if (this.#opening === void 0) {
      const opening = this.#start();
      this.#opening = opening;
      opening.catch(() => {
        if (this.#opening === opening) this.#opening = void 0;
      });
    }
    return clientArguments(await untilAborted(this.#opening, signal));
  }
  /** Whether it stands and answers. */
  async answers() {
    const folder2 = await this.#opening?.catch(() => void 0);
    return folder2 !== void 0 && this.#ask(folder2, "check");
  }
  /** Ends it. Safe to call twice; never throws. */
  async close() {
    const opening = this.#opening;
    this.#opening = void 0;
    const folder2 = await opening?.catch(() => void 0);
    if (folder2 === void 0) return;
    await this.#ask(folder2, "exit");
    await rm4(folder2, { recursive: true, force: true }).catch(() => void 0);
  }
  async #start() {
    const { target, program: program2, args, env, persistSeconds, limitMs } = this.#options;
    const folder2 = makeSocketFolder();
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), limitMs);
    const persist = ["-M", "-N", "-o", `ControlPersist=${persistSeconds}`, "-o", "RemoteCommand=none"];
    try {
      const signal = AbortSignal.any([this.#options.signal, limit.signal]);
      const all = [...persist, "-S", socketArgument(folder2), ...args];
      const { exitCode, stderr } = await startMaster(program2, all, folder2, { env, signal });
      this.#options.signal.throwIfAborted();
      if (exitCode === 0) return folder2;
      throw connectionFailure(target, { stderr, exitCode, connected: false });
    } catch (error) {
      await rm4(folder2, { recursive: true, force: true });
      throw error.code === "ENOENT" ? missingClient(program2) : error;
    } finally {
      clearTimeout(timer);
    }
  }
  async #ask(folder2, question) {
    if (!existsSync(socketIn(folder2))) return false;
    const { target, program: program2, env } = this.#options;
    const args = ["-S", socketArgument(folder2), "-O", question, "--", target.address];
    return runProcess(program2, args, { env, signal: AbortSignal.timeout(2e3) }).then(
      ({ exitCode }) => exitCode === 0,
      () => false
    );
  }
};
function clientArguments(folder2) {
  return ["-S", socketArgument(folder2), "-T", "-o", "ControlMaster=no", "-o", "RemoteCommand=none"];
}
function missingClient(program2) {
  return new ConnectionFailure("client", `the program ${program2} is not installed`, {
    next: "Install the OpenSSH client: apt-get install openssh-client."
  });
}
function untilAborted(promise, signal) {
  return new Promise((resolve, reject) => {
    const leave = () => reject(signal.reason);
    if (signal.aborted) leave();
    signal.addEventListener("abort", leave, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", leave));
  });
}
async function startMaster(program2, args, folder2, { env, signal }) {
  const path = join4(folder2, "e");
  const file = openSync(path, "w+", 384);
  rmSync(path);
  try {
    const child = spawn3(program2, args, { env, stdio: ["ignore", "ignore", file], detached: true });
    const kill2 = () => child.kill("SIGKILL");
    signal.addEventListener("abort", kill2, { once: true });
    if (signal.aborted) kill2();
    try {
      const exitCode = await new Promise((resolve, reject) => {
        child.once("error", reject);
        child.once("exit", resolve);
      });
      return { exitCode, stderr: readStart(file) };
    } finally {
      signal.removeEventListener("abort", kill2);
    }
  } finally {
    closeSync(file);
  }
}
function readStart(file) {
  const buffer = Buffer.alloc(64 * 1024);
  return buffer.toString("utf8", 0, readSync(file, buffer, 0, buffer.length, 0));
}
var LONGEST_SOCKET = 104 - 1 - 17;
var PREFIX = "pipeline-ssh-";
function makeSocketFolder(base2 = tmpdir()) {
  const name2 = `${PREFIX}${process.pid}-`;
  const longest = socketIn(join4(base2, `${name2}XXXXXX`));
  const parent = Buffer.byteLength(longest) <= LONGEST_SOCKET ? base2 : "/tmp";
  removeEmptyFolders(parent);
  return mkdtempSync(join4(parent, name2));
}
function socketIn(folder2) {
  return join4(folder2, "s");
}
function socketArgument(folder2) {
  return socketIn(folder2).replaceAll("%", "%%");
}
function removeEmptyFolders(parent) {
  for (const name2 of readdirSync(parent)) {
    const pid = name2.startsWith(PREFIX) ? Number.parseInt(name2.slice(PREFIX.length), 10) : Number.NaN;
    if (!Number.isInteger(pid) || isAlive(pid)) continue;
    try {
      rmdirSync(join4(parent, name2));
    } catch {
    }
  }
}
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

// src/ssh/remote.ts
function endMark(token) {
  return new RegExp(`pipeline-end-${token}:(\\d+)\\r?$`);
}
var RUN = 's=$(cat); [[ $s == *"#$1" ]] || exit 1; (eval "$s") </dev/null; r=$?; printf "pipeline-end-%s:%d\\n" "$1" $r >&2; exit $r';
function asRoot(user, argv) {
  const line = ["env", "LC_ALL=C.UTF-8", "LANGUAGE=", ...argv];
  return command(user === "root" ? line : ["sudo", "-n", "-H", "--", ...line]);
}
function runCommand(user, token) {
  return asRoot(user, ["bash", "-c", RUN, "pipeline", token]);
}
function runInput(script, token) {
  return `${script}
#${token}`;
}
var STORE = `set -u
path=$2 size=$3 mode=$4
directory=$(dirname -- "$path")
mkdir -p -- "$directory" || exit 1
[ ! -e "$path" ] || [ -f "$path" ] || { echo "$path is not an ordinary file" >&2; exit 1; }
temporary=$(mktemp -- "$path.XXXXXX") || exit 1
trap 'rm -f -- "$temporary"' EXIT
if ! message=$(cat 2>&1 >"$temporary"); then
  case $message in
    *"No space left"*|*"quota exceeded"*) df -B1 --output=avail,size -- "$directory" | tail -n 1; exit 28 ;;
  esac
  printf '%s\\n' "$message" >&2
  exit 1
fi
got=$(stat -c %s -- "$temporary")
[ "$got" = "$size" ] || { echo "$got of $size bytes arrived" >&2; exit 1; }
chmod -- "$mode" "$temporary" && sync -- "$temporary" && mv -fT -- "$temporary" "$path" && sync -- "$directory"`;
function storeCommand(user, token, file) {
  const script = `(${STORE}
); r=$?; printf "pipeline-end-%s:%d\\n" "$1" $r >&2; exit $r`;
  return asRoot(user, ["bash", "-c", script, "pipeline", token, file.path, String(file.size), file.mode]);
}
function killScript(token, graceSeconds) {
  return `sessions=' '
for file in $(printf '%s' ${token} | grep -lsaFf - /proc/[0-9]*/cmdline); do
  stat=$(<"\${file%cmdline}stat") || continue
  set -- \${stat##*) }
  sessions+="$4 "
done 2>/dev/null
[ "$sessions" != ' ' ] || exit 0
members() {
  local file stat pid
  for file in /proc/[0-9]*/stat; do
    { read -r -d '' stat || true; } <"$file" || continue
    set -- \${stat##*) }
    pid=\${file%/stat}
    [ "$1" = Z ] || [[ $sessions != *" $4 "* ]] || echo "\${pid#/proc/}"
  done 2>/dev/null
}
kill -TERM $(members) 2>/dev/null
end=$((SECONDS + ${graceSeconds}))
while [ "$SECONDS" -lt "$end" ]; do
  [ -n "$(members)" ] || exit 0
  sleep 0.1
done
kill -KILL $(members) 2>/dev/null
true`;
}

// src/ssh/openssh.ts
var DEFAULT_TIMEOUT_MS = 10 * 6e4;
var SIGN_IN_MS = 2e4;
var LINGER_MS = 1e3;
var GRACE_SECONDS = 3;
function connect(target, context2, options = {}) {
  return new OpenSshConnection(target, context2, options);
}
var OpenSshConnection = class {
  target;
  #context;
  #program;
  #patience;
  #env;
  #master;
  constructor(target, context2, options) {
    this.target = target;
    this.#context = context2;
    this.#program = options.program ?? "ssh";
    this.#patience = {
      connectTimeoutSeconds: options.connectTimeoutSeconds ?? 10,
      silenceSeconds: options.silenceSeconds ?? 30
    };
    this.#env = { ...context2.env, LC_ALL: "C" };
    this.#master = new Master({
      target,
      program: this.#program,
      args: this.sshArguments(),
      env: this.#env,
      persistSeconds: options.persistSeconds ?? 60,
      limitMs: this.#patience.connectTimeoutSeconds * 1e3 + SIGN_IN_MS,
      signal: context2.signal
    });
  }
  sshArguments() {
    return sshArguments(this.target, this.#patience);
  }
  async script(text, options) {
    const hide = redactor(options.secrets);
    this.#trace(hide(`${options.label}
${text.trimEnd()}`));
    const result = await this.#run(
      (token) => runCommand(this.target.user, token),
      options,
      (token, stdin) => pipeline2(Readable.from([runInput(text, token)]), stdin)
    );
    const stdout = options.secretOutput === true ? "(output not shown)\n" : result.stdout;
    this.#trace(hide(`${options.label}: exit ${result.exitCode}
${stdout}${result.stderr}`.trimEnd()));
    return result;
  }
  async check(text, options) {
    const result = await this.script(text, options);
    if (result.exitCode === 0) return result.stdout;
    throw new Failure("host", `${options.label} failed (exit ${result.exitCode})`, {
      host: this.target.name,
      step: options.label,
      output: lastLines(shownOutput(result, options)),
      next: "The whole output: the same command with --verbose."
    });
  }
  async upload(source, remotePath, options) {
    const size2 = "path" in source ? (await stat3(source.path)).size : source.data.byteLength;
    const file = { path: remotePath, size: size2, mode: options.mode ?? "0644" };
    const label = `upload ${remotePath}`;
    this.#trace(`${label} (${size2} B, mode ${file.mode})`);
    let sent = 0;
    const count = new Transform({
      transform(chunk, _encoding, done) {
        sent += chunk.length;
        options.onProgress?.(sent);
        done(null, chunk);
      }
    });
    const result = await this.#run(
      (token) => storeCommand(this.target.user, token, file),
      { label, signal: options.signal, timeoutMs: Number.POSITIVE_INFINITY },
      (_token, stdin) => pipeline2(
        "path" in source ? createReadStream2(source.path) : Readable.from([Buffer.from(source.data)]),
        count,
        stdin
      )
    );
    if (result.exitCode === 0) return;
    throw uploadFailure(this.target, file, result);
  }
  close() {
    return this.#master.close();
  }
  /** Runs a command line on the host with `input`, within its time, and ends it there too where it is given up here. */
  async #run(line, options, input) {
    const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const time = new AbortController();
    const timer = Number.isFinite(timeoutMs) ? setTimeout(() => time.abort(), timeoutMs) : void 0;
    const stop = AbortSignal.any([this.#context.signal, ...options.signal ? [options.signal] : []]);
    const signal = AbortSignal.any([stop, time.signal]);
    const token = randomBytes2(8).toString("hex");
    let client;
    let result = { exitCode: -1, stdout: "", stderr: "" };
    try {
      signal.throwIfAborted();
      client = await this.#master.client(signal);
      const args = [...client, ...this.sshArguments(), line(token)];
      const { complete, ...outcome } = await this.#execute(args, token, options, input, signal);
      if (complete) return outcome;
      result = outcome;
      signal.throwIfAborted();
    } catch (error) {
      if (client !== void 0) await this.#kill(client, token);
      stop.throwIfAborted();
      throw time.signal.aborted ? timeoutFailure(this.target, options, timeoutMs, result) : error;
    } finally {
      clearTimeout(timer);
    }
    throw await this.#explain(result, options);
  }
  /** One client over the master: until the run's last line, the client's end, or the signal. */
  async #execute(args, token, options, input, signal) {
    const mark = endMark(token);
    const linger = new AbortController();
    let exitCode;
    const onStderr = (text) => {
      const end = mark.exec(text);
      if (end !== null) {
        exitCode = Number(end[1]);
        setTimeout(() => linger.abort(), LINGER_MS).unref();
      }
      const own = end === null ? text : text.slice(0, end.index);
      if (end === null || own !== "") options.onStderr?.(own);
    };
    const result = await runProcess(this.#program, args, {
      env: this.#env,
      input: (stdin) => input(token, stdin),
      onStdout: options.onStdout,
      onStderr,
      signal: AbortSignal.any([signal, linger.signal])
    });
    const stderr = result.stderr.replace(new RegExp(`${mark.source.slice(0, -1)}\\n?`), "");
    return {
      complete: exitCode !== void 0,
      exitCode: exitCode ?? result.exitCode ?? -1,
      stdout: result.stdout,
      stderr
    };
  }
  /** Ends a run on the host that is given up here. Best effort: where the connection is gone there is nobody to ask. */
  async #kill(client, token) {
    if (!await this.#master.answers()) return;
    const own = randomBytes2(8).toString("hex");
    const args = [...client, ...this.sshArguments(), runCommand(this.target.user, own)];
    await runProcess(this.#program, args, {
      env: this.#env,
      signal: AbortSignal.timeout((GRACE_SECONDS + 10) * 1e3),
      input: (stdin) => pipeline2(Readable.from([runInput(killScript(token, GRACE_SECONDS), own)]), stdin)
    }).catch((error) => this.#trace(`could not end what was running: ${error}`));
  }
  async #explain(result, options) {
    const died = result.exitCode === 255 && await this.#master.answers();
    const exitCode = died ? -1 : result.exitCode;
    const stderr = shownOutput(result, options);
    return connectionFailure(this.target, { stderr, exitCode, connected: true, step: options.label });
  }
  #trace(text) {
    for (const line of text.split("\n")) this.#context.trace(`${this.target.name}: ${line}`);
  }
};
function shownOutput({ stdout, stderr }, options) {
  return redactor(options.secrets)(options.secretOutput === true ? stderr : `${stdout}
${stderr}`);
}
function timeoutFailure(target, options, timeoutMs, result) {
  return new Failure("host", `${options.label} did not end within ${timeoutMs / 1e3} s`, {
    host: target.name,
    step: options.label,
    output: lastLines(shownOutput(result, options)),
    next: "It was ended on the host. See what it waits for with --verbose, then run the command again."
  });
}
var DISK_FULL = 28;
function uploadFailure(target, file, result) {
  const step = `upload ${file.path}`;
  const details = { host: target.name, step, output: lastLines(result.stderr) };
  if (result.exitCode === DISK_FULL) {
    const [free, size2] = result.stdout.trim().split(/\s+/).map(Number);
    const room = `${megabytes(free)} free of ${megabytes(size2)}`;
    return new Failure("host", `${step}: no room for ${megabytes(file.size)}, ${room}`, {
      ...details,
      next: "Make room on the host or give it a larger disk, then run the command again. Nothing was replaced."
    });
  }
  return new Failure("host", `${step} failed (exit ${result.exitCode})`, {
    ...details,
    next: "What stood there before still stands. The whole output: the same command with --verbose."
  });
}
function megabytes(bytes3) {
  if (bytes3 === void 0 || !Number.isFinite(bytes3)) return "an unknown size";
  return bytes3 < 1e6 ? `${bytes3} B` : `${(bytes3 / 1e6).toFixed(1)} MB`;
}

// test/support/hosts.ts
import { spawn as spawn6, spawnSync } from "node:child_process";
import { randomBytes as randomBytes6 } from "node:crypto";
import { mkdtempSync as mkdtempSync2 } from "node:fs";
import { rm as rm8 } from "node:fs/promises";
import { tmpdir as tmpdir2 } from "node:os";
import { join as join15 } from "node:path";

// src/cloud/operator-key.ts
import { randomBytes as randomBytes4 } from "node:crypto";
import { chmod as chmod2, link, mkdir as mkdir5, readFile as readFile3, rename as rename4, rm as rm5, writeFile as writeFile2 } from "node:fs/promises";
import { dirname as dirname4, join as join5 } from "node:path";

// src/cloud/ed25519.ts
import { createHash as createHash3, generateKeyPairSync, randomBytes as randomBytes3 } from "node:crypto";
var TYPE = "ssh-ed25519";
function generateEd25519(comment = "") {
  const { privateKey } = generateKeyPairSync("ed25519");
  const jwk = privateKey.export({ format: "jwk" });
  const seed = Buffer.from(jwk.d ?? "", "base64url");
  const point = Buffer.from(jwk.x ?? "", "base64url");
  return { privateKey: openSshPrivateKey(seed, point, comment), publicKey: publicKeyLine(point) };
}
function publicKeyLine(point) {
  return `${TYPE} ${Buffer.concat([field(TYPE), field(point)]).toString("base64")}`;
}
function publicKeyOf(privateKey) {
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----([\s\S]+?)-----END OPENSSH PRIVATE KEY-----/.exec(
    privateKey
  )?.[1];
  const bytes3 = Buffer.from(body ?? "", "base64");
  const marker = bytes3.indexOf(field(TYPE));
  const start = marker + field(TYPE).length + 4;
  return marker < 0 || bytes3.length < start + 32 ? void 0 : publicKeyLine(bytes3.subarray(start, start + 32));
}
function openSshPrivateKey(seed, point, comment) {
  const check = randomBytes3(4);
  const inner = Buffer.concat([
    ...[check, check, field(TYPE), field(point), field(Buffer.concat([seed, point])), field(comment)]
  ]);
  const padding = Buffer.from(Array.from({ length: (8 - inner.length % 8) % 8 }, (_, index) => index + 1));
  const count = Buffer.from([0, 0, 0, 1]);
  const blob = Buffer.concat([
    ...[Buffer.from("openssh-key-v1\0"), field("none"), field("none"), field(""), count],
    ...[field(Buffer.concat([field(TYPE), field(point)])), field(Buffer.concat([inner, padding]))]
  ]);
  const lines = blob.toString("base64").match(/.{1,70}/g) ?? [];
  return ["-----BEGIN OPENSSH PRIVATE KEY-----", ...lines, "-----END OPENSSH PRIVATE KEY-----", ""].join(
    "\n"
  );
}
function field(content) {
  const bytes3 = Buffer.from(content);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes3.length);
  return Buffer.concat([length, bytes3]);
}

// src/cloud/operator-key.ts
function operatorKeyFile(directory, environment) {
  return join5(directory, ".pipeline", "keys", environment);
}
async function findOperatorKey(directory, environment) {
  const identityFile = operatorKeyFile(directory, environment);
  const text = await readFile3(identityFile, "utf8").catch((error) => {
    if (error.code === "ENOENT") return void 0;
    throw new Failure("usage", `${identityFile} cannot be read (${error.code})`, {
      cause: error,
      next: "Make it readable for you, or run the command as the user who owns it."
    });
  });
  if (text === void 0) return void 0;
  const publicKey = publicKeyOf(text);
  if (publicKey === void 0) {
    throw new Failure("usage", `${identityFile} holds no ed25519 key of OpenSSH`, {
      next: "Put back the key that was there. Where the environment has no hosts yet, remove the file: a new key is made."
    });
  }
  return { identityFile, publicKey: `${publicKey} pipeline ${environment}` };
}
async function operatorKey(directory, environment) {
  const existing = await findOperatorKey(directory, environment);
  if (existing === void 0)
    await makeKey(operatorKeyFile(directory, environment), `pipeline ${environment}`);
  const key = existing ?? await findOperatorKey(directory, environment);
  if (key === void 0)
    throw new Error(`${operatorKeyFile(directory, environment)} was removed while it was made`);
  await chmod2(key.identityFile, 384);
  await writeFileAtomic(`${key.identityFile}.pub`, `${key.publicKey}
`);
  return key;
}
async function makeKey(path, comment) {
  await mkdir5(dirname4(path), { recursive: true, mode: 448 });
  const temporary = `${path}.${randomBytes4(6).toString("hex")}.tmp`;
  try {
    await writeFile2(temporary, generateEd25519(comment).privateKey, { mode: 384, flag: "wx", flush: true });
    await link(temporary, path).catch((error) => {
      if (error.code === "EEXIST") return;
      if (error.code === "EPERM" || error.code === "ENOTSUP") return rename4(temporary, path);
      throw error;
    });
  } finally {
    await rm5(temporary, { force: true });
  }
}

// src/cloud/local/base-image.ts
import { createHash as createHash6 } from "node:crypto";
import { access as access2, mkdir as mkdir7, readdir as readdir4, readFile as readFile7, rm as rm6, stat as stat5, statfs, writeFile as writeFile4 } from "node:fs/promises";
import { dirname as dirname7, join as join11 } from "node:path";

// src/cloud/local/groups.ts
import { access, readdir, readFile as readFile4, rmdir, writeFile as writeFile3 } from "node:fs/promises";
import { join as join7 } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

// src/cloud/local/machine.ts
import { existsSync as existsSync2, readFileSync } from "node:fs";
import { join as join6 } from "node:path";
var MOUNT_OPTIONS = /* @__PURE__ */ new Set(["rw", "ro", "xattr", "clone_children", "cpuset_v2_mode", "noprefix", "none"]);
function readMachine() {
  return {
    root: process.getuid?.() === 0,
    // sd_booted(3)
    systemd: existsSync2("/run/systemd/system"),
    hierarchies: parseHierarchies(readFileSync("/proc/self/mountinfo", "utf8"))
  };
}
function parseHierarchies(mountinfo) {
  const found = /* @__PURE__ */ new Map();
  for (const line of mountinfo.split("\n")) {
    const [left, right] = line.split(" - ");
    const mountPoint = left?.split(" ")[4];
    const [type, , options] = right?.split(" ") ?? [];
    if (mountPoint === void 0 || type !== "cgroup" && type !== "cgroup2") continue;
    const controllers = type === "cgroup" ? (options ?? "").split(",").filter((option) => !MOUNT_OPTIONS.has(option) && !option.startsWith("release_agent=")) : [];
    const key = `${type} ${controllers.join(",")}`;
    if (!found.has(key)) found.set(key, { mountPoint, version: type === "cgroup" ? 1 : 2, controllers });
  }
  return [...found.values()];
}
function isUnified(facts) {
  return facts.hierarchies.length > 0 && facts.hierarchies.every(({ version }) => version === 2);
}
function chooseLauncher(facts) {
  return facts.systemd && isUnified(facts) ? "unit" : "supervisor";
}
function groupNames(environment, own, systemSlice) {
  const unit = new RegExp(`^pipeline-${environment.id}-(.+)\\.service$`);
  return [...own, ...systemSlice.flatMap((name2) => unit.exec(name2)?.[1] ?? [])];
}
function hostGroups(facts, host) {
  if (isUnified(facts)) {
    const root = facts.hierarchies[0]?.mountPoint ?? "/sys/fs/cgroup";
    const unit = chooseLauncher(facts) === "unit";
    const top = unit ? join6(root, "system.slice", host.unit) : join6(root, host.controlGroup);
    const nspawn = unit ? top : join6(top, "machine");
    const limited2 = unit ? [join6(nspawn, "payload")] : [top, join6(nspawn, "payload")];
    return {
      tops: [top],
      leaders: [top, join6(top, "loop"), join6(nspawn, "supervisor")],
      limited: { version: 2, memory: limited2, cpu: limited2 }
    };
  }
  const tops = facts.hierarchies.map(({ mountPoint }) => join6(mountPoint, host.controlGroup));
  const having = (controller) => tops.filter((_, index) => facts.hierarchies[index]?.controllers.includes(controller));
  const named2 = having("name=systemd")[0] ?? tops[0];
  return {
    tops,
    leaders: named2 === void 0 ? [] : [named2],
    limited: { version: 1, memory: having("memory"), cpu: having("cpu") }
  };
}

// src/cloud/local/groups.ts
var PERIOD = 1e5;
async function members(directory) {
  const text = await readIfExists(join7(directory, "cgroup.procs"));
  return text.split("\n").filter(Boolean).map(Number);
}
async function isLed(groups) {
  const counts = await Promise.all(groups.leaders.map(members));
  return counts.some((pids) => pids.length > 0);
}
async function allMembers(groups) {
  const found = await Promise.all(groups.tops.flatMap(async (top) => (await subtree(top)).map(members)));
  return [...new Set((await Promise.all(found.flat())).flat())];
}
async function killAndRemove(groups, host) {
  const deadline = Date.now() + 3e4;
  for (let wait = 2; ; wait = Math.min(wait * 2, 50)) {
    const pids = await allMembers(groups);
    for (const pid of pids) kill(pid);
    if (pids.length === 0 && await removed(groups)) return;
    if (Date.now() > deadline) {
      throw new Failure(
        "host",
        `Processes of ${host} do not end: ${pids.join(", ") || "its control group stays busy"}.`,
        {
          host,
          next: "They wait for the kernel (often a dead network file system): `ps` shows on what. Restart the machine if it does not pass, then run the command again."
        }
      );
    }
    await sleep(wait);
  }
}
async function limitsHold(facts) {
  const [first] = facts.hierarchies;
  const controllers = first && isUnified(facts) ? (await readIfExists(join7(first.mountPoint, "cgroup.controllers"))).trim().split(" ") : facts.hierarchies.flatMap((hierarchy) => hierarchy.controllers);
  return controllers.includes("memory") && controllers.includes("cpu");
}
function quota(cpus) {
  return Math.max(1e3, Math.round(cpus * PERIOD));
}
async function setLimits({ limited: limited2 }, limits, host) {
  const memory = String(limits.memoryBytes);
  for (const directory of limited2.memory) {
    if (limited2.version === 1) await setLegacyMemory(directory, memory, host);
    else {
      if (await heldMemory(directory) > limits.memoryBytes) throw tooSmall(host, limits.memoryBytes);
      await writeIfExists(join7(directory, "memory.max"), memory);
    }
  }
  for (const directory of limited2.cpu) {
    const microseconds = quota(limits.cpus);
    if (limited2.version === 1) await writeIfExists(join7(directory, "cpu.cfs_quota_us"), String(microseconds));
    else await writeIfExists(join7(directory, "cpu.max"), `${microseconds} ${PERIOD}`);
  }
}
async function setLegacyMemory(directory, bytes3, host) {
  const withSwap = join7(directory, "memory.memsw.limit_in_bytes");
  try {
    await writeIfExists(withSwap, "-1");
    await writeIfExists(join7(directory, "memory.limit_in_bytes"), bytes3);
    await writeIfExists(withSwap, bytes3);
  } catch (error) {
    if (error.code === "EBUSY") throw tooSmall(host, Number(bytes3), error);
    throw error;
  }
}
async function heldMemory(directory) {
  const statistics = await readIfExists(join7(directory, "memory.stat"));
  return Number(/^anon (\d+)$/m.exec(statistics)?.[1] ?? 0);
}
function tooSmall(host, bytes3, cause) {
  return new Failure(
    "host",
    `${host} uses more memory than its new limit of ${Math.round(bytes3 / 2 ** 20)} MB.`,
    {
      host,
      step: "memory limit",
      next: "Stop something on the host, or set a higher `memory` in pipeline.yml, then run the command again.",
      cause
    }
  );
}
async function subtree(directory) {
  let entries;
  try {
    entries = await readdir(directory, { withFileTypes: true });
  } catch (error) {
    if (error.code === "ENOENT") return [];
    throw error;
  }
  const below = await Promise.all(
    entries.filter((entry) => entry.isDirectory()).map((entry) => subtree(join7(directory, entry.name)))
  );
  return [...below.flat(), directory];
}
async function removed(groups) {
  for (const top of groups.tops) {
    for (const directory of await subtree(top)) if (!await removeGroup(directory)) return false;
  }
  return true;
}
async function removeGroup(directory) {
  try {
    await rmdir(directory);
  } catch (error) {
    const code = error.code;
    if (code === "EBUSY") return false;
    if (code !== "ENOENT") throw error;
  }
  return true;
}
function kill(pid) {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
}
async function readIfExists(file) {
  try {
    return await readFile4(file, "utf8");
  } catch (error) {
    const code = error.code;
    if (code === "ENOENT" || code === "ENODEV" || code === "EOPNOTSUPP") return "";
    throw error;
  }
}
async function writeIfExists(file, text) {
  if (await exists2(file)) await writeFile3(file, text);
}
async function exists2(path) {
  return access(path).then(
    () => true,
    () => false
  );
}

// src/cloud/local/subnet.ts
function parseNetwork(text) {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(text);
  if (match === null) return void 0;
  const [a, b, c, d, prefix] = match.slice(1).map(Number);
  if (prefix > 32 || [a, b, c, d].some((octet) => octet > 255)) return void 0;
  const address2 = (a << 24 | b << 16 | c << 8 | d) >>> 0;
  return { base: (address2 & mask(prefix)) >>> 0, prefix };
}
function formatNetwork(network) {
  return `${formatAddress(network.base)}/${network.prefix}`;
}
function overlaps(a, b) {
  const prefix = Math.min(a.prefix, b.prefix);
  return (a.base & mask(prefix)) >>> 0 === (b.base & mask(prefix)) >>> 0;
}
function addressIn(subnet, n) {
  const network = parseNetwork(subnet);
  if (network === void 0) throw new RangeError(`not a network: ${subnet}`);
  return formatAddress(network.base + n);
}
function hostNumber(address2) {
  return Number(address2.slice(address2.lastIndexOf(".") + 1));
}
function freeHostNumber(addresses) {
  const taken = new Set([...addresses].map(hostNumber));
  for (let n = 11; n <= 254; n++) if (!taken.has(n)) return n;
  return void 0;
}
function chooseSubnet(networks, occupied) {
  const conflicts = /* @__PURE__ */ new Set();
  for (const text of networks) {
    const network = parseNetwork(text);
    if (network === void 0) continue;
    const first = network.prefix < 24 ? 1 : 0;
    for (let n = first; n < 2 ** (24 - network.prefix); n++) {
      const candidate = { base: network.base + n * 256, prefix: 24 };
      const conflict = occupied.find((one) => overlaps(one.network, candidate));
      if (conflict === void 0) return { subnet: formatNetwork(candidate) };
      conflicts.add(conflict.by);
    }
  }
  return { taken: [...conflicts] };
}
function conflictWith(subnet, occupied) {
  const network = parseNetwork(subnet);
  return network && occupied.find((one) => overlaps(one.network, network));
}
function parseRoutes(text, ignoredInterface) {
  return text.split("\n").slice(1).map((line) => line.trim().split(/\s+/)).flatMap(([name2, destination, , , , , , routeMask]) => {
    if (name2 === void 0 || destination === void 0 || routeMask === void 0) return [];
    const prefix = bits(littleEndian(routeMask));
    if (prefix === 0 || name2 === ignoredInterface) return [];
    const network = { base: littleEndian(destination), prefix };
    return [{ network, by: `route ${formatNetwork(network)} (${name2})` }];
  });
}
function formatAddress(address2) {
  return [24, 16, 8, 0].map((shift) => address2 >>> shift & 255).join(".");
}
function mask(prefix) {
  return prefix === 0 ? 0 : 4294967295 << 32 - prefix >>> 0;
}
function littleEndian(hex) {
  return Buffer.from(hex, "hex").readUInt32LE(0);
}
function bits(value) {
  return value.toString(2).replaceAll("0", "").length;
}

// src/cloud/local/boot.ts
var INIT = "/usr/lib/pipeline/init";
var INIT_SCRIPT = `#!/bin/sh
# usage: init MEMORY_BYTES CPU_QUOTA_MICROSECONDS
while read -r _ target type _; do
  [ "$type" = cgroup ] || continue
  case "$target" in
    *memory* | *cpu | *cpuacct* | *pids* | *blkio*) mount -o remount,bind,rw "$target" ;;
  esac
done < /proc/mounts
if [ -w /sys/fs/cgroup/memory.max ]; then echo "$1" > /sys/fs/cgroup/memory.max; fi
if [ -w /sys/fs/cgroup/cpu.max ]; then echo "$2 100000" > /sys/fs/cgroup/cpu.max; fi
exec /lib/systemd/systemd
`;
function deviceName(bridge, address2) {
  return `${bridge}-${hostNumber(address2)}`;
}
function macAddress(address2) {
  return ["02", "50", ...address2.split(".").map((octet) => Number(octet).toString(16).padStart(2, "0"))].join(
    ":"
  );
}
function bootScript(boot, notify) {
  const q = quote;
  const device = deviceName(boot.bridge, boot.address);
  return `#!/bin/sh
set -eu
mount -t overlay -o ${q(`index=off,lowerdir=${boot.base},upperdir=${boot.upper},workdir=${boot.work}`)} overlay ${q(boot.root)}
: > ${q(boot.network)}
unshare --net=${q(boot.network)} true
ip link delete ${device} 2> /dev/null || true
ip -batch - << END
link add ${device} type veth peer name eth0 address ${macAddress(boot.address)} netns ${boot.network}
link set ${device} master ${boot.bridge} up
neighbour replace ${boot.address} lladdr ${macAddress(boot.address)} dev ${boot.bridge} nud permanent
END
nsenter --net=${q(boot.network)} ip -batch - << END
link set lo up
address add ${boot.address}/${boot.prefix} dev eth0
link set eth0 up
route add default via ${boot.gateway}
END
export SYSTEMD_NSPAWN_TMPFS_TMP=0 SYSTEMD_NSPAWN_API_VFS_WRITABLE=network
exec ${nspawnCommand(boot, notify).map(q).join(" ")}
`;
}
function nspawnCommand(boot, notify) {
  return [
    "systemd-nspawn",
    "--quiet",
    `--directory=${boot.root}`,
    `--machine=${boot.machineName}`,
    `--hostname=${boot.name}`,
    "--register=no",
    "--keep-unit",
    `--network-namespace-path=${boot.network}`,
    "--capability=all",
    // the machine's clock, kernel modules and hardware are not the host's
    "--drop-capability=CAP_SYS_TIME,CAP_SYS_MODULE,CAP_SYS_RAWIO",
    "--link-journal=no",
    "--resolv-conf=off",
    "--timezone=off",
    "--console=read-only",
    "--kill-signal=SIGRTMIN+3",
    ...notify ? ["--notify-ready=yes"] : [],
    INIT,
    String(boot.memoryBytes),
    String(quota(boot.cpus))
  ];
}
function superviseScript(supervision) {
  const { version } = supervision.groups.limited;
  const boot = `unshare --mount --propagation slave sh ${quote(supervision.bootScript)}`;
  return `#!/bin/sh
set -u
exec 9> ${quote(supervision.lockFile)}
flock --nonblock 9 || exit 0
[ -e ${quote(supervision.wanted)} ] || exit 0
${version === 1 ? joinLegacy(supervision) : joinUnified(supervision)}
while [ -e ${quote(supervision.wanted)} ]; do
  code=0
  ${version === 1 ? boot : inMachineGroup(supervision, boot)} 9>&- || code=$?
  # systemd-nspawn ends with 133 when the host reboots
  [ "$code" -eq 133 ] || exit "$code"
done
`;
}
function joinLegacy({ groups, memoryBytes, cpus }) {
  const tops = groups.tops.map(quote).join(" ");
  const write = (value, directory, file) => `[ ! -e ${quote(`${directory}/${file}`)} ] || echo ${value} > ${quote(`${directory}/${file}`)} || exit`;
  return [
    `mkdir -p ${tops} || exit`,
    ...groups.limited.memory.flatMap((directory) => [
      write(memoryBytes, directory, "memory.limit_in_bytes"),
      write(memoryBytes, directory, "memory.memsw.limit_in_bytes")
    ]),
    ...groups.limited.cpu.map((directory) => write(quota(cpus), directory, "cpu.cfs_quota_us")),
    `for group in ${tops}; do`,
    // a group of the cpuset hierarchy takes no process before it is told processors and memory nodes, from the top down
    '  if [ -e "$group/cpuset.cpus" ]; then',
    '    for level in "$group/../.." "$group/.." "$group"; do',
    "      for file in cpuset.cpus cpuset.mems; do",
    '        [ -n "$(cat "$level/$file")" ] || cat "$level/../$file" > "$level/$file"',
    "      done",
    "    done",
    "  fi",
    '  echo $$ > "$group/cgroup.procs" || exit',
    "done"
  ].join("\n");
}
function joinUnified({ groups, memoryBytes, cpus }) {
  const top = groups.tops[0] ?? "";
  const at = (path) => quote(`${top}/${path}`);
  return [
    `mkdir -p ${at("loop")} ${at("machine")} || exit`,
    // controllers are handed down from level to level; a group that hands down may hold no process itself, hence \`loop\` and \`machine\`
    `for level in ${at("../../..")} ${at("../..")} ${at("..")} ${quote(top)}; do`,
    '  for controller in memory cpu pids io; do echo "+$controller" > "$level/cgroup.subtree_control"; done',
    "done 2> /dev/null",
    `[ ! -e ${at("memory.max")} ] || echo ${memoryBytes} > ${at("memory.max")} || exit`,
    `[ ! -e ${at("memory.swap.max")} ] || echo 0 > ${at("memory.swap.max")} || exit`,
    `[ ! -e ${at("cpu.max")} ] || echo "${quota(cpus)} 100000" > ${at("cpu.max")} || exit`,
    `echo $$ > ${at("loop/cgroup.procs")} || exit`
  ].join("\n");
}
function inMachineGroup({ groups }, command3) {
  const enter = `echo $$ > ${quote(`${groups.tops[0]}/machine/cgroup.procs`)} && exec ${command3}`;
  return `sh -c ${quote(enter)}`;
}
function unitArguments(unit, boot) {
  const properties = [
    "Delegate=yes",
    "KillMode=mixed",
    "RestartForceExitStatus=133",
    "SuccessExitStatus=133",
    // rebooting often is no failure
    "StartLimitIntervalSec=0",
    `MemoryMax=${boot.memoryBytes}`,
    "MemorySwapMax=0",
    `CPUQuota=${Math.round(boot.cpus * 100)}%`,
    "TimeoutStopSec=60",
    `StandardOutput=truncate:${boot.log}`,
    `StandardError=truncate:${boot.log}`
  ];
  return [
    "--quiet",
    "--collect",
    `--unit=${unit}`,
    "--service-type=notify",
    ...properties.flatMap((property) => ["--property", property]),
    "unshare",
    "--mount",
    "--propagation",
    "slave",
    "sh",
    boot.script
  ];
}

// src/cloud/local/handed.ts
import { createHash as createHash4 } from "node:crypto";
import { readdir as readdir2, readFile as readFile5 } from "node:fs/promises";
import { dirname as dirname5, join as join8 } from "node:path";

// src/cloud/local/run.ts
import { spawn as spawn4 } from "node:child_process";
function toolEnvironment(context2) {
  const path = (context2.env.PATH ?? "/usr/local/bin:/usr/bin:/bin").split(":");
  const complete = [.../* @__PURE__ */ new Set([...path, "/usr/local/sbin", "/usr/sbin", "/sbin"])].join(":");
  return { ...context2.env, PATH: complete, LC_ALL: "C" };
}
async function run2(context2, command3, args, options = {}) {
  context2.signal.throwIfAborted();
  context2.trace(`$ ${[command3, ...args].join(" ")}`);
  const child = spawn4(command3, args, {
    cwd: "/",
    env: { ...toolEnvironment(context2), ...options.env },
    // a group of its own, so that an abort reaches the program's children too
    detached: true,
    stdio: ["pipe", "pipe", "pipe", options.lock ?? "ignore"]
  });
  const abort = () => {
    if (child.pid !== void 0) signalGroup(child.pid, "SIGTERM");
  };
  context2.signal.addEventListener("abort", abort, { once: true });
  try {
    const output = { stdout: "", stderr: "" };
    for (const name2 of ["stdout", "stderr"]) {
      let rest = "";
      child[name2]?.setEncoding("utf8").on("data", (chunk) => {
        output[name2] += chunk;
        const lines = (rest + chunk).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) options.onLine?.(line);
      });
    }
    child.stdin?.on("error", () => {
    }).end(options.input ?? "");
    const code = await new Promise((resolve, reject) => {
      child.on("error", reject).on("close", (status, signal) => resolve(status ?? (signal ? 128 : 1)));
    });
    context2.signal.throwIfAborted();
    return { code, ...output };
  } catch (error) {
    if (error.code !== "ENOENT") throw error;
    throw new Failure("usage", `This machine has no program ${command3}, which local hosts need.`, {
      next: "Run `pipeline doctor` to see what is missing.",
      cause: error
    });
  } finally {
    context2.signal.removeEventListener("abort", abort);
  }
}
async function mustRun(context2, step, command3, args, options = {}) {
  const result = await run2(context2, command3, args, options);
  if (result.code === 0) return result.stdout;
  throw programFailure(step, command3, result);
}
async function outputOf(context2, command3, args) {
  try {
    const result = await run2(context2, command3, args);
    return result.code === 0 ? result.stdout : void 0;
  } catch (error) {
    if (error instanceof Failure && error.kind === "usage") return void 0;
    throw error;
  }
}
function programFailure(step, command3, result) {
  const output = lastLines2(result.stderr || result.stdout);
  const why = output.at(-1) ?? "it printed nothing";
  return new Failure(
    "host",
    `${step} failed on this machine: ${command3} ended with code ${result.code} (${why}).`,
    {
      step,
      output,
      next: "Mend what the program complains about and run the command again: it takes up where it stopped."
    }
  );
}
function lastLines2(text) {
  return text.split("\n").map((line) => line.trimEnd()).filter((line) => line !== "").slice(-20);
}
function signalGroup(pid, signal) {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
}

// src/cloud/local/handed.ts
var APT_CONF = "/etc/apt/apt.conf.d/00machine";
var HOSTS_FILE = "/etc/hosts";
async function handedFiles(context2, subnet) {
  const [apt, resolver, hosts, npm2, variables] = await Promise.all([
    aptFetchSettings(context2),
    resolverSettings(),
    readText("/etc/hosts"),
    npmSettings(context2.env),
    readText("/etc/environment")
  ]);
  const env = { ...parseEnvironment(variables ?? ""), ...context2.env };
  const files = [
    { path: "/etc/resolv.conf", content: resolver, mode: 420 },
    { path: APT_CONF, content: apt, mode: mayHoldSecret(apt) ? 384 : 420 },
    { path: "/etc/environment", content: environmentFile(env, subnet), mode: 384 },
    { path: "/root/.npmrc", content: npm2, mode: 384 },
    ...await aptLogins(),
    ...await namedFiles([...pathsIn(apt), ...npmPaths(npm2), env.NODE_EXTRA_CA_CERTS ?? ""])
  ];
  const digest2 = createHash4("sha256").update(JSON.stringify(files)).digest("hex").slice(0, 16);
  files.push({ path: HOSTS_FILE, content: hostsFile(hosts ?? ""), mode: 420 });
  return { files, digest: digest2, warnings: loopbackWarnings(resolver, env, apt, npm2) };
}
function loopbackWarnings(resolver, env, ...settings) {
  const proxies = ["http_proxy", "https_proxy", "all_proxy"].map(
    (name2) => env[name2] ?? env[name2.toUpperCase()] ?? ""
  );
  const texts = [
    ...proxies,
    ...settings.flatMap((text) => text.split("\n").filter((line) => /proxy/i.test(line)))
  ];
  const loopback = texts.flatMap(
    (text) => /\/\/(?:[^/@]*@)?((?:127\.[\d.]+|localhost|\[::1\])(?::\d+)?)/i.exec(text)?.[1] ?? []
  );
  return [
    ...hasLoopbackOnly(resolver) ? [
      "The name server listens on this machine's loopback address only: hosts cannot resolve names. Name another one in /etc/resolv.conf."
    ] : [],
    ...[...new Set(loopback)].map(
      (address2) => `The proxy ${address2} listens on this machine's loopback address: hosts cannot reach it. Let it listen on all addresses.`
    )
  ];
}
async function resolverSettings() {
  const own = await readText("/etc/resolv.conf") ?? "";
  return hasLoopbackOnly(own) ? await readText("/run/systemd/resolve/resolv.conf") ?? own : own;
}
async function namedFiles(paths) {
  const wanted = [...new Set(paths)].filter((path) => path !== "" && !path.startsWith("/etc/ssl/certs/"));
  const found = await Promise.all(
    wanted.map(async (path) => ({
      path,
      content: await readText(path),
      mode: /key/i.test(path) ? 384 : 493
    }))
  );
  return found.flatMap(({ content, ...file }) => content === void 0 ? [] : [{ ...file, content }]);
}
async function aptFetchSettings(context2) {
  const dump = await mustRun(context2, "reading apt settings", "apt-config", ["dump"]);
  return selectFetchSettings(dump);
}
function selectFetchSettings(dump) {
  const wanted = dump.split("\n").filter(
    (line) => line.startsWith("Acquire::") && !/^Acquire::(IndexTargets|CompressionTypes|Changelogs|cdrom)\b/.test(line)
  );
  return wanted.map((line) => `${line}
`).join("");
}
function environmentFile(env, subnet) {
  const lines = [];
  for (const name2 of ["http_proxy", "https_proxy", "ftp_proxy", "all_proxy"]) {
    const value = env[name2] ?? env[name2.toUpperCase()];
    if (value) lines.push(`${name2}=${value}`, `${name2.toUpperCase()}=${value}`);
  }
  if (lines.length > 0) {
    const direct = [env.no_proxy ?? env.NO_PROXY, "localhost", "127.0.0.1", subnet].filter(Boolean).join(",");
    lines.push(`no_proxy=${direct}`, `NO_PROXY=${direct}`);
  }
  if (env.NODE_EXTRA_CA_CERTS) lines.push(`NODE_EXTRA_CA_CERTS=${env.NODE_EXTRA_CA_CERTS}`);
  return lines.map((line) => `${line}
`).join("");
}
function parseEnvironment(text) {
  const lines = text.matchAll(/^\s*(?:export\s+)?(\w+)=(["']?)(.*?)\2\s*$/gm);
  return Object.fromEntries([...lines].map(([, name2 = "", , value = ""]) => [name2, value]));
}
function hostsFile(machineHosts) {
  const others = machineHosts.split("\n").filter((line) => /^\s*[\da-f]/i.test(line) && !/^\s*(127\.|::1\b|f[ef]0)/i.test(line));
  return ["127.0.0.1 localhost", "::1 localhost ip6-localhost", ...others].map((line) => `${line}
`).join("");
}
async function npmSettings(env) {
  const variable2 = (name2) => env[`npm_config_${name2}`] ?? env[`NPM_CONFIG_${name2.toUpperCase()}`];
  const prefix = variable2("prefix") ?? dirname5(dirname5(process.execPath));
  const files = [
    "/etc/npmrc",
    variable2("globalconfig") ?? join8(prefix, "etc/npmrc"),
    variable2("userconfig") ?? join8(env.HOME ?? "/root", ".npmrc")
  ];
  const texts = await Promise.all(files.map(readText));
  const variables = ["registry", "cafile", "proxy", "https_proxy", "noproxy", "strict_ssl"].flatMap(
    (name2) => {
      const value = variable2(name2);
      return value === void 0 ? [] : [`${name2.replace("_", "-")}=${value}`];
    }
  );
  return selectNpmSettings([...texts.map((text) => text ?? ""), variables.join("\n")], env);
}
function selectNpmSettings(texts, env) {
  const settings = /* @__PURE__ */ new Map();
  for (const line of texts.join("\n").split("\n")) {
    const match = /^\s*([^;#=\s][^=]*?)\s*=\s*(.*?)\s*$/.exec(line);
    const key = match?.[1];
    if (key === void 0) continue;
    const about = /^(registry|@[^:]+:registry|cafile|ca(\[\])?|proxy|https-proxy|noproxy|strict-ssl|\/\/.+)$/.test(key);
    if (about)
      settings.set(
        key,
        (match?.[2] ?? "").replace(/\$\{(\w+)\}/g, (whole, name2) => env[name2] ?? whole)
      );
  }
  return [...settings].map(([key, value]) => `${key}=${value}
`).join("");
}
function hasLoopbackOnly(resolver) {
  const servers = [...resolver.matchAll(/^\s*nameserver\s+(\S+)/gm)].map((match) => match[1] ?? "");
  return servers.length > 0 && servers.every((server) => server.startsWith("127.") || server === "::1");
}
function mayHoldSecret(aptSettings) {
  return /:\/\/[^/"\s]*@|SslKey/i.test(aptSettings);
}
function pathsIn(aptSettings) {
  return [...aptSettings.matchAll(/"(\/[^"]+)"/g)].map((match) => match[1] ?? "").filter((path) => !path.endsWith("/"));
}
function npmPaths(npm2) {
  return [...npm2.matchAll(/^(?:cafile|\/\/.+:(?:certfile|keyfile))=(\/.+)$/gm)].map(
    (match) => match[1] ?? ""
  );
}
async function aptLogins() {
  const directory = "/etc/apt/auth.conf.d";
  const names2 = await readdir2(directory).catch(() => []);
  const paths = ["/etc/apt/auth.conf", ...names2.map((name2) => join8(directory, name2))];
  const texts = await Promise.all(paths.map(async (path) => ({ path, content: await readText(path) })));
  return texts.flatMap(
    ({ path, content }) => content === void 0 ? [] : [{ path, content, mode: 384 }]
  );
}
async function readText(path) {
  return readFile5(path, "utf8").catch((error) => {
    if (error.code === "ENOENT" || error.code === "EISDIR") return void 0;
    throw error;
  });
}

// src/cloud/local/lock.ts
import { mkdir as mkdir6, open as open2, stat as stat4 } from "node:fs/promises";
import { dirname as dirname6 } from "node:path";
import { setTimeout as sleep2 } from "node:timers/promises";
var HELD = 75;
async function tryLock(context2, path) {
  for (; ; ) {
    const handle = await openForLock(path);
    try {
      const args = ["--nonblock", "--conflict-exit-code", String(HELD), "3"];
      const { code, stderr } = await run2(context2, "flock", args, { lock: handle.fd });
      if (code === 0 && await isStill(path, handle)) return held(handle);
      await handle.close();
      if (code === HELD) return void 0;
      if (code !== 0) throw lockFailure(path, stderr.trim());
    } catch (error) {
      await handle.close();
      throw error;
    }
  }
}
async function waitForLock(context2, path, { forMs = Number.POSITIVE_INFINITY, onWait } = {}) {
  const deadline = Date.now() + forMs;
  for (let attempt = 0; ; attempt++) {
    const lock = await tryLock(context2, path);
    if (lock !== void 0 || Date.now() > deadline) return lock;
    if (attempt === 0) onWait?.();
    await sleep2(100, void 0, { signal: context2.signal });
  }
}
async function openForLock(path) {
  await mkdir6(dirname6(path), { recursive: true, mode: 448 });
  try {
    return await open2(path, "a+", 384);
  } catch (error) {
    if (error.code === "EISDIR") return open2(path, "r");
    throw error;
  }
}
async function isStill(path, handle) {
  const [mine, there] = await Promise.all([handle.stat(), stat4(path).catch(() => void 0)]);
  return mine.ino === there?.ino && mine.dev === there.dev;
}
function lockFailure(path, why) {
  return new Failure("host", `The lock ${path} could not be taken: ${why}.`, {
    next: "Check that the folder is on a local disk: locks on network file systems are not supported."
  });
}
function held(handle) {
  let open4 = true;
  const release = async () => {
    if (open4) await handle.close();
    open4 = false;
  };
  return { descriptor: handle.fd, release, [Symbol.asyncDispose]: release };
}

// src/cloud/local/records.ts
import { readdir as readdir3, readFile as readFile6 } from "node:fs/promises";
import { join as join10 } from "node:path";
import { z as z3 } from "zod";

// src/cloud/local/settings.ts
import { createHash as createHash5 } from "node:crypto";
import { realpathSync } from "node:fs";
import { join as join9 } from "node:path";
var NETWORKS = ["10.77.0.0/16", "172.30.0.0/16", "192.168.176.0/20"];
function localSettings(env) {
  const network = env.PIPELINE_LOCAL_NETWORK;
  if (network !== void 0 && (parseNetwork(network)?.prefix ?? 32) > 24) {
    throw new Failure(
      "usage",
      `PIPELINE_LOCAL_NETWORK is ${JSON.stringify(network)}, which is no IPv4 network of /24 or larger.`,
      {
        next: "Set it to a network that is free on this machine, e.g. 10.99.0.0/16, or unset it."
      }
    );
  }
  return {
    stateDirectory: env.PIPELINE_LOCAL_STATE ?? "/var/lib/pipeline/local",
    cacheDirectory: env.PIPELINE_LOCAL_CACHE ?? "/var/cache/pipeline",
    networks: network === void 0 ? NETWORKS : [network]
  };
}
function environmentLayout(settings, spec) {
  const clone = digest(`${spec.owner}\0${canonical(spec.directory)}`);
  return layoutAt(settings, `${spec.project}-${clone}`, spec.environment);
}
function layoutAt(settings, projectFolder, environment) {
  const id2 = digest(`${projectFolder}/${environment}`);
  const directory = join9(settings.stateDirectory, projectFolder, environment);
  return {
    id: id2,
    directory,
    recordFile: join9(directory, "environment.json"),
    lockFile: join9(directory, "lock.file"),
    bridge: `pl-${id2}`,
    table: `pipeline_${id2}`,
    controlGroup: `pipeline/${id2}`
  };
}
function hostLayout(environment, name2) {
  const directory = join9(environment.directory, name2);
  return {
    name: name2,
    directory,
    recordFile: join9(directory, "host.json"),
    upper: join9(directory, "disk/upper"),
    work: join9(directory, "disk/work"),
    root: join9(directory, "root"),
    network: join9(directory, "network"),
    wanted: join9(directory, "wanted"),
    lockFile: join9(directory, "lock"),
    bootScript: join9(directory, "boot"),
    superviseScript: join9(directory, "supervise"),
    consoleLog: join9(directory, "console.log"),
    controlGroup: `${environment.controlGroup}/${name2}`,
    unit: `pipeline-${environment.id}-${name2}.service`
  };
}
function digest(text) {
  return createHash5("sha256").update(text).digest("hex").slice(0, 8);
}
function canonical(directory) {
  try {
    return realpathSync(directory);
  } catch {
    return directory;
  }
}

// src/cloud/local/records.ts
var environmentRecord = z3.object({
  project: z3.string(),
  environment: z3.string(),
  owner: z3.string(),
  /** Folder of pipeline.yml when the environment was made. */
  directory: z3.string(),
  /** A /24, kept for the environment's life, so that addresses stay. */
  subnet: z3.string()
});
var hostRecord = z3.object({
  name: z3.string(),
  group: z3.string(),
  address: z3.string(),
  /** Folder of the base image that the disk lies on. */
  base: z3.string(),
  /** Public key of the host. */
  hostKey: z3.string(),
  memoryBytes: z3.number(),
  cpus: z3.number(),
  /** Keys of ours in root's authorized_keys. */
  authorizedKeys: z3.array(z3.string()),
  /** Digest of the machine's settings that it was handed last. */
  settings: z3.string()
});
function readEnvironmentRecord(layout) {
  return read(layout.recordFile, environmentRecord);
}
function readHostRecord(file) {
  return read(file, hostRecord);
}
async function listEnvironments(settings) {
  const projects = await folders(settings.stateDirectory);
  const found = await Promise.all(
    projects.map(
      async (project) => Promise.all(
        (await folders(join10(settings.stateDirectory, project))).map(async (environment) => {
          const layout = layoutAt(settings, project, environment);
          return { layout, record: await readEnvironmentRecord(layout) };
        })
      )
    )
  );
  return found.flat();
}
function listHosts(layout) {
  return folders(layout.directory);
}
async function basesInUse(settings) {
  const environments = await listEnvironments(settings);
  const hosts = await Promise.all(
    environments.map(async ({ layout }) => {
      const names2 = await listHosts(layout);
      return Promise.all(names2.map((name2) => readHostRecord(hostLayout(layout, name2).recordFile)));
    })
  );
  return hosts.flat().flatMap((record) => record?.base ?? []);
}
async function read(file, schema) {
  try {
    return schema.safeParse(JSON.parse(await readFile6(file, "utf8"))).data;
  } catch (error) {
    const missing2 = ["ENOENT", "ENOTDIR"].includes(error.code ?? "");
    if (missing2 || error instanceof SyntaxError) return void 0;
    throw error;
  }
}
async function folders(directory) {
  try {
    const entries = await readdir3(directory, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name).sort();
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(error.code ?? "")) return [];
    throw error;
  }
}

// src/cloud/local/sources.ts
var LOCAL_MEDIA = /(^|\s)(cdrom|file|copy):/;
function distributionSources(files, codename) {
  const suites = new Set(["", "-updates", "-security", "/updates"].map((suffix) => codename + suffix));
  const list = [];
  const deb822 = [];
  for (const { name: name2, text } of files) {
    if (name2.endsWith(".sources"))
      deb822.push(...paragraphs(text).flatMap((paragraph) => ownParagraph(paragraph, suites)));
    else if (name2.endsWith(".list")) list.push(...text.split("\n").filter((line) => isOwnLine(line, suites)));
  }
  if (list.length + deb822.length === 0) return void 0;
  return {
    list: list.map((line) => `${line.trim()}
`).join(""),
    deb822: deb822.join("\n"),
    keys: [.../* @__PURE__ */ new Set([...list.flatMap(keysOfLine), ...deb822.flatMap(keysOfParagraph)])]
  };
}
function isOwnLine(line, suites) {
  const match = /^\s*deb\s+(?:\[[^\]]*\]\s+)?\S+\s+(\S+)\s+(.*)$/.exec(line);
  return match !== null && !LOCAL_MEDIA.test(line) && suites.has(match[1] ?? "") && (match[2] ?? "").split(/\s+/).includes("main");
}
function ownParagraph(paragraph, suites) {
  const words2 = (field2) => fieldOf(paragraph, field2).split(/\s+/).filter(Boolean);
  const own = words2("Suites").filter((suite) => suites.has(suite));
  const enabled = !["no", "false", "0", "off"].includes(fieldOf(paragraph, "Enabled").trim().toLowerCase());
  if (!enabled || LOCAL_MEDIA.test(fieldOf(paragraph, "URIs")) || own.length === 0 || !words2("Types").includes("deb") || !words2("Components").includes("main"))
    return [];
  const kept = paragraph.replace(/^Types:.*$/im, "Types: deb").replace(/^Suites:.*(\n[ \t].*)*$/im, `Suites: ${own.join(" ")}`);
  return [`${kept}
`];
}
function paragraphs(text) {
  return text.split("\n").filter((line) => !line.startsWith("#")).join("\n").split(/\n\s*\n/).map((paragraph) => paragraph.trim()).filter(Boolean);
}
function fieldOf(paragraph, field2) {
  return new RegExp(`^${field2}:(.*(?:\\n[ \\t].*)*)`, "im").exec(paragraph)?.[1] ?? "";
}
function keysOfLine(line) {
  const match = /signed-by=([^\]\s]+)/i.exec(line);
  return (match?.[1] ?? "").split(",").filter((key) => key.startsWith("/"));
}
function keysOfParagraph(paragraph) {
  return fieldOf(paragraph, "Signed-By").split(/[\s,]+/).filter((key) => key.startsWith("/"));
}

// src/cloud/local/base-image.ts
var PACKAGES = [
  "systemd",
  "systemd-sysv",
  "dbus",
  "openssh-server",
  "iproute2",
  "ca-certificates",
  "nftables",
  "procps",
  "python3",
  "sudo",
  "curl",
  "logrotate",
  "unattended-upgrades",
  // Node's newer binaries need it, and it is small: a host without it would run apt at its first deploy.
  "libatomic1"
];
var BUILD_STEPS = [
  "running apt-get update",
  "downloading packages",
  "extracting archives",
  "installing essential packages",
  "installing remaining packages",
  "cleaning apt cache"
];
var ROOM = 800 * 2 ** 20;
async function readRecipe() {
  const release = await readFile7("/etc/os-release", "utf8").catch(() => "");
  const codename = /^VERSION_CODENAME="?([^"\n]+)/m.exec(release)?.[1];
  const sources = codename && distributionSources(await aptSources(), codename);
  if (codename === void 0 || !sources) {
    throw new Failure(
      "usage",
      "Local hosts are made from this machine's Debian or Ubuntu archive, and none is configured in /etc/apt.",
      {
        next: "Run pipeline on Debian 12 or Ubuntu 22.04 (or newer) with the distribution's own archive in /etc/apt/sources.list, or use `--provider digitalocean`."
      }
    );
  }
  const keys = await Promise.all(
    sources.keys.map(async (name2) => ({ name: name2, text: await readFile7(name2, "base64").catch(() => "") }))
  );
  return { codename, sources, keys, certificates: await filesIn("/usr/local/share/ca-certificates", ".crt") };
}
function baseDirectory(settings, recipe) {
  const script = buildScript(recipe, "/workshop", "/base");
  const everything = JSON.stringify([recipe, script, INIT_SCRIPT, FINISH, process.arch]);
  return join11(
    settings.cacheDirectory,
    "base",
    createHash6("sha256").update(everything).digest("hex").slice(0, 16)
  );
}
function rootOf(base2) {
  return join11(base2, "rootfs");
}
async function baseExists(base2) {
  return access2(rootOf(base2)).then(
    () => true,
    () => false
  );
}
async function ensureBase(context2, settings, recipe, base2) {
  const stage = "base image";
  context2.progress({ stage, state: "started", detail: `${recipe.codename}, about half a minute, once` });
  try {
    var _stack = [];
    try {
      const lock = __using(_stack, await waitForLock(context2, `${base2}.lock`, {
        onWait: () => context2.progress({ stage, state: "running", detail: "another command is building it" })
      }), true);
      if (lock !== void 0 && !await baseExists(base2)) await build(context2, recipe, base2, lock.descriptor);
      await removeOldBases(context2, settings, base2);
    } catch (_) {
      var _error = _, _hasError = true;
    } finally {
      var _promise = __callDispose(_stack, _error, _hasError);
      _promise && await _promise;
    }
  } catch (error) {
    context2.progress({ stage, state: "failed" });
    throw error;
  }
  context2.progress({ stage, state: "done" });
}
async function removeOldBases(context2, settings, current) {
  const parent = dirname7(current);
  const used = /* @__PURE__ */ new Set([current, ...await basesInUse(settings)]);
  const old = context2.now().getTime() - 7 * 24 * 3600 * 1e3;
  for (const name2 of await folders(parent)) {
    var _stack = [];
    try {
      const path = join11(parent, name2);
      const lockFile = `${path.replace(/\.building$/, "")}.lock`;
      const made2 = await stat5(path).catch(() => void 0);
      if (used.has(path) || made2 === void 0 || made2.mtimeMs > old) continue;
      const lock = __using(_stack, await tryLock(context2, lockFile), true);
      if (lock === void 0) continue;
      await mustRun(context2, "base image", "rm", ["-rf", "--one-file-system", path, lockFile]);
    } catch (_) {
      var _error = _, _hasError = true;
    } finally {
      var _promise = __callDispose(_stack, _error, _hasError);
      _promise && await _promise;
    }
  }
}
async function build(context2, recipe, base2, lock) {
  const parent = dirname7(base2);
  await mkdir7(parent, { recursive: true, mode: 448 });
  const { bavail, bsize } = await statfs(parent);
  if (bavail * bsize < ROOM) throw diskFull(parent, bavail * bsize);
  const workshop = `${base2}.building`;
  await rm6(workshop, { recursive: true, force: true });
  await mkdir7(join11(workshop, "ca-certificates"), { recursive: true, mode: 448 });
  await mkdir7(join11(workshop, "image"), { mode: 493 });
  const put2 = (name2, text, mode = 384) => writeFile4(join11(workshop, name2), text, { mode });
  await put2("finish", FINISH, 448);
  await put2("init", INIT_SCRIPT, 493);
  await put2("apt.conf", await aptFetchSettings(context2));
  for (const { name: name2, text } of recipe.certificates) await put2(join11("ca-certificates", name2), text, 420);
  await put2("keys", recipe.sources.keys.map((key) => `${key}
`).join(""));
  if (recipe.sources.list !== "") await put2("sources.list", recipe.sources.list, 420);
  if (recipe.sources.deb822 !== "") await put2("debian.sources", recipe.sources.deb822, 420);
  const result = await run2(
    context2,
    "unshare",
    ["--mount", "--propagation", "private", "sh", "-c", buildScript(recipe, workshop, base2)],
    {
      lock,
      onLine: (line) => {
        const done = BUILD_STEPS.findIndex((step) => line.startsWith(`I: ${step}`));
        if (done < 0) return;
        const count = { done, of: BUILD_STEPS.length };
        context2.progress({ stage: "base image", state: "running", detail: BUILD_STEPS[done], count });
      }
    }
  );
  if (result.code === 0) return;
  const { bavail: left } = await statfs(parent);
  if (/no space left on device/i.test(result.stderr) || left * bsize < 2 ** 20)
    throw diskFull(parent, left * bsize);
  throw programFailure("base image", "mmdebstrap", result);
}
function buildScript(recipe, workshop, base2) {
  const sources = [
    ...recipe.sources.list === "" ? [] : ["sources.list"],
    ...recipe.sources.deb822 === "" ? [] : ["debian.sources"]
  ].map((name2) => quote(join11(workshop, name2)));
  const excluded = ["/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*"];
  return `set -eu
trap 'rm -rf --one-file-system ${quote(workshop)}' EXIT
trap 'exit 143' TERM INT HUP
mmdebstrap --mode=root --variant=apt --format=directory --skip=cleanup/apt/lists \\
  --include=${PACKAGES.join(",")} --aptopt=${quote(join11(workshop, "apt.conf"))} \\
  ${excluded.map((pattern) => quote(`--dpkgopt=path-exclude=${pattern}`)).join(" ")} \\
  ${quote(`--customize-hook=${join11(workshop, "finish")} ${workshop} "$1"`)} \\
  ${quote(recipe.codename)} ${quote(join11(workshop, "image/rootfs"))} ${sources.join(" ")}
mv --no-target-directory ${quote(join11(workshop, "image"))} ${quote(base2)}
`;
}
var FINISH = `#!/bin/sh
set -eu
workshop=$1
root=$2
mkdir -p "$root/usr/local/share/ca-certificates"
cp -r "$workshop/ca-certificates/." "$root/usr/local/share/ca-certificates/"
chroot "$root" update-ca-certificates > /dev/null 2>&1
while read -r key; do
  [ -e "$root$key" ] || [ ! -e "$key" ] || install -D -m 644 "$key" "$root$key"
done < "$workshop/keys"
install -D -m 755 "$workshop/init" "$root${INIT}"
# every host gets keys and settings of its own
rm -f "$root"/etc/ssh/ssh_host_* "$root/etc/apt/apt.conf.d/99mmdebstrap"
# an archive's address may hold a password
grep -rlE '://[^/ ]+@' "$root/etc/apt" | xargs -r chmod 600
# no terminal, no hardware, and the network is there before the first program
for unit in getty.target console-getty.service systemd-networkd.service systemd-resolved.service \\
  dev-hugepages.mount sys-kernel-debug.mount sys-kernel-tracing.mount systemd-pstore.service fstrim.timer; do
  ln -sf /dev/null "$root/etc/systemd/system/$unit"
done
# packages that link manual pages expect the folders, though the pages are left out
for section in 1 2 3 4 5 6 7 8; do mkdir -p "$root/usr/share/man/man$section"; done
echo LANG=C.UTF-8 > "$root/etc/default/locale"
chroot "$root" apt-cache gencaches > /dev/null
`;
function diskFull(directory, free) {
  return new Failure(
    "usage",
    `The disk of ${directory} is full: the base image needs ${ROOM / 2 ** 20} MB, ${Math.floor(free / 2 ** 20)} MB are free.`,
    {
      step: "base image",
      next: "Make room there, or set PIPELINE_LOCAL_CACHE to a folder on another disk, then run the command again."
    }
  );
}
async function aptSources() {
  const main = await readFile7("/etc/apt/sources.list", "utf8").catch(() => "");
  const directory = "/etc/apt/sources.list.d";
  return [
    { name: "sources.list", text: main },
    ...await filesIn(directory, ".list"),
    ...await filesIn(directory, ".sources")
  ];
}
async function filesIn(directory, suffix) {
  const names2 = await readdir4(directory).catch(() => []);
  const wanted = names2.filter((name2) => name2.endsWith(suffix)).sort();
  return Promise.all(
    wanted.map(async (name2) => ({ name: name2, text: await readFile7(join11(directory, name2), "utf8") }))
  );
}

// src/cloud/local/claim.ts
import { readFile as readFile9, writeFile as writeFile6 } from "node:fs/promises";

// src/cloud/local/network.ts
import { readdir as readdir5, readFile as readFile8, writeFile as writeFile5 } from "node:fs/promises";

// src/cloud/local/firewalls.ts
function admittingChain(rules) {
  if (rules.includes("-N DOCKER-USER")) return "DOCKER-USER";
  return rules.some((rule2) => /^-P FORWARD (DROP|REJECT)$/.test(rule2)) ? "FORWARD" : void 0;
}
function deletions(rules, bridge) {
  return rules.map((rule2) => rule2.split(" ")).filter(
    ([verb, , direction, device]) => verb === "-A" && (direction === "-i" || direction === "-o") && device === bridge
  ).map((words2) => ["-D", ...words2.slice(1)]);
}
function insertions(rules, bridge) {
  const chain = admittingChain(rules);
  if (chain === void 0) return [];
  return ["-i", "-o"].filter((direction) => !rules.includes(`-A ${chain} ${direction} ${bridge} -j ACCEPT`)).map((direction) => ["-I", chain, direction, bridge, "-j", "ACCEPT"]);
}
async function isAdmitted(context2, bridge) {
  return insertions(await iptablesRules(context2), bridge).length === 0;
}
async function admitBridge(context2, bridge, lock) {
  const found = await look(context2);
  for (const rule2 of insertions(found.rules, bridge)) {
    await mustRun(context2, "network", "iptables", ["-w", ...rule2], { lock });
  }
  if (found.firewalld) {
    await mustRun(
      context2,
      "network",
      "firewall-cmd",
      ["--quiet", "--zone=trusted", `--change-interface=${bridge}`],
      { lock }
    );
  }
}
async function expelBridge(context2, bridge, lock) {
  const found = await look(context2);
  const rules = deletions(found.rules, bridge);
  for (const rule2 of rules) await mustRun(context2, "network", "iptables", ["-w", ...rule2], { lock });
  if (!found.firewalld) return;
  const { code } = await run2(context2, "firewall-cmd", [
    "--quiet",
    "--zone=trusted",
    `--query-interface=${bridge}`
  ]);
  if (code !== 0) return;
  await mustRun(
    context2,
    "network",
    "firewall-cmd",
    ["--quiet", "--zone=trusted", `--remove-interface=${bridge}`],
    { lock }
  );
}
async function look(context2) {
  const [rules, firewalld] = await Promise.all([
    iptablesRules(context2),
    outputOf(context2, "firewall-cmd", ["--state"])
  ]);
  return { rules, firewalld: firewalld !== void 0 };
}
async function iptablesRules(context2) {
  return (await outputOf(context2, "iptables", ["-w", "-S"]))?.split("\n") ?? [];
}
function closedChains(listing) {
  const found = [];
  let [family, table, chain] = ["", "", ""];
  for (const line of listing.split("\n")) {
    const [word2, first = "", second = ""] = line.trim().split(/\s+/);
    if (word2 === "table") [family, table] = [first, second];
    else if (word2 === "chain") chain = first;
    else if (/hook forward .*policy drop;/.test(line)) found.push({ family, table, chain });
  }
  const told = (one) => one.table === "filter" && one.chain === "FORWARD" || one.table === "firewalld";
  return found.filter((one) => one.family !== "ip6" && !told(one));
}
async function forwardingWarnings(context2) {
  const closed = closedChains(await outputOf(context2, "nft", ["list", "chains"]) ?? "");
  const warnings = closed.map(async ({ family, table, chain }) => {
    const rules = await outputOf(context2, "nft", ["list", "chain", family, table, chain]) ?? "";
    if (rules.includes('"pl-')) return [];
    const where2 = `${family} ${table} ${chain}`;
    return [
      `The nftables chain ${where2} drops what this machine forwards: hosts reach no other network. Admit them: nft 'insert rule ${where2} iifname "pl-*" accept; insert rule ${where2} oifname "pl-*" accept'`
    ];
  });
  return (await Promise.all(warnings)).flat();
}

// src/cloud/local/network.ts
async function networkReady(context2, layout, subnet) {
  const [routes, forwarding, devices] = await Promise.all([
    readFile8("/proc/net/route", "utf8"),
    readFile8("/proc/sys/net/ipv4/ip_forward", "utf8"),
    readdir5("/sys/class/net")
  ]);
  if (!devices.includes(layout.bridge) || forwarding.trim() !== "1") return false;
  const own = routes.split("\n").filter((line) => line.startsWith(`${layout.bridge}	`));
  if (conflictWith(subnet, parseRoutes(`header
${own.join("\n")}`, "")) === void 0) return false;
  const [table, admitted] = await Promise.all([
    hasTable(context2, layout),
    isAdmitted(context2, layout.bridge)
  ]);
  return table && admitted;
}
async function subnetFor(settings, layout, record) {
  const occupied = await occupiedNetworks(settings, layout);
  if (record !== void 0) {
    const conflict = conflictWith(record.subnet, occupied);
    if (conflict === void 0) return record.subnet;
    throw new Failure(
      "usage",
      `The hosts' network ${record.subnet} is taken on this machine: ${conflict.by}.`,
      {
        step: "network",
        next: "Remove that route or network (a VPN?), or destroy the environment and bring it up again: it then gets another network."
      }
    );
  }
  const choice = chooseSubnet(settings.networks, occupied);
  if ("subnet" in choice) return choice.subnet;
  throw new Failure(
    "usage",
    `No network is free for the hosts: ${choice.taken.slice(0, 3).join(", ")} overlap ${settings.networks.join(", ")}.`,
    {
      step: "network",
      next: "Set PIPELINE_LOCAL_NETWORK to a network that is free here, e.g. PIPELINE_LOCAL_NETWORK=10.99.0.0/16."
    }
  );
}
async function ensureNetwork(context2, layout, subnet, lock) {
  const { bridge } = layout;
  const devices = await readdir5("/sys/class/net");
  const batch = [
    ...devices.includes(bridge) ? [] : [`link add ${bridge} type bridge forward_delay 0`],
    `address replace ${addressIn(subnet, 1)}/24 dev ${bridge}`,
    `link set ${bridge} up`,
    ...devices.filter((device) => device.startsWith(`${bridge}-`)).map((device) => `link set ${device} master ${bridge} up`)
  ];
  await mustRun(context2, "network", "ip", ["-batch", "-"], { input: `${batch.join("\n")}
`, lock });
  await writeFile5("/proc/sys/net/ipv4/ip_forward", "1");
  await mustRun(context2, "network", "nft", ["-f", "-"], { input: tableText(layout, subnet), lock });
  await admitBridge(context2, bridge, lock);
}
async function removeNetwork(context2, layout, lock) {
  const all = await readdir5("/sys/class/net");
  const devices = all.filter((device) => device === layout.bridge || device.startsWith(`${layout.bridge}-`));
  for (const device of devices) await deleteDevice(context2, device, lock);
  if (await hasTable(context2, layout))
    await mustRun(context2, "network", "nft", ["delete", "table", "ip", layout.table], { lock });
  await expelBridge(context2, layout.bridge, lock);
}
function tableText(layout, subnet) {
  return `table ip ${layout.table}
delete table ip ${layout.table}
table ip ${layout.table} {
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr ${subnet} ip daddr != ${subnet} masquerade
  }
}
`;
}
async function occupiedNetworks(settings, own) {
  const routes = parseRoutes(await readFile8("/proc/net/route", "utf8"), own.bridge);
  const environments = await listEnvironments(settings);
  const others = environments.flatMap(({ layout, record }) => {
    const network = record && layout.id !== own.id ? parseNetwork(record.subnet) : void 0;
    return network ? [{ network, by: `environment ${record?.environment} of ${record?.directory} (${record?.subnet})` }] : [];
  });
  return [...others, ...routes];
}
async function hasTable(context2, layout) {
  const tables = await outputOf(context2, "nft", ["list", "tables", "ip"]);
  return (tables ?? "").split("\n").includes(`table ip ${layout.table}`);
}
async function deleteDevice(context2, device, lock) {
  const result = await run2(context2, "ip", ["link", "delete", device], { lock });
  if (result.code !== 0 && (await readdir5("/sys/class/net")).includes(device)) {
    throw new Failure("host", `The network device ${device} cannot be removed: ${result.stderr.trim()}.`, {
      step: "network",
      next: `Run \`ip link delete ${device}\` by hand and the command again.`
    });
  }
}

// src/cloud/local/claim.ts
var PATIENCE_MS = 5e3;
async function lockEnvironment(context2, environment) {
  const lock = await waitForLock(context2, environment.lockFile, {
    forMs: PATIENCE_MS,
    onWait: () => context2.progress({ stage: "lock", state: "running", detail: "another command is ending" })
  });
  if (lock === void 0) {
    const holder = await readFile9(environment.lockFile, "utf8").catch(() => "");
    const who = holder === "" ? "Another command" : `Another command (${holder})`;
    throw new Failure("locked", `${who} is changing the hosts of this environment on this machine.`, {
      next: "Wait until it has ended, or stop it, and run the command again."
    });
  }
  await writeFile6(environment.lockFile, `process ${process.pid} since ${context2.now().toISOString()}`);
  return lock;
}
async function claimSubnet(context2, settings, layout, spec) {
  var _stack = [];
  try {
    const _lock = __using(_stack, await waitForLock(context2, settings.stateDirectory), true);
    if (await readEnvironmentRecord(layout) !== void 0) return;
    const { project, environment, owner, directory } = spec;
    const record = {
      project,
      environment,
      owner,
      directory,
      subnet: await subnetFor(settings, layout, void 0)
    };
    await writeFileAtomic(layout.recordFile, `${JSON.stringify(record, null, 2)}
`);
  } catch (_) {
    var _error = _, _hasError = true;
  } finally {
    var _promise = __callDispose(_stack, _error, _hasError);
    _promise && await _promise;
  }
}

// src/cloud/local/destroy.ts
import { readdir as readdir6, readFile as readFile11, rmdir as rmdir2 } from "node:fs/promises";
import { dirname as dirname8, join as join12 } from "node:path";

// src/cloud/local/running.ts
import { spawn as spawn5 } from "node:child_process";
import { open as open3, readFile as readFile10, rm as rm7, writeFile as writeFile7 } from "node:fs/promises";
import { createConnection } from "node:net";
import { setTimeout as sleep3 } from "node:timers/promises";
var BOOT_TIMEOUT_MS = 9e4;
async function startHost(context2, fleet, layout, record) {
  await endHost(context2, fleet, layout);
  await writeScripts(fleet, layout, record);
  await writeFile7(layout.wanted, "");
  if (chooseLauncher(fleet.facts) === "supervisor") return detach(layout);
  const args = unitArguments(layout.unit, { ...record, script: layout.bootScript, log: layout.consoleLog });
  const result = await run2(context2, "systemd-run", args, { lock: fleet.lock });
  if (result.code !== 0) throw await startFailure(layout, programFailure("start", "systemd-run", result));
  return { failed: () => false };
}
async function writeScripts(fleet, layout, record) {
  const { facts, environment, subnet } = fleet;
  const boot = {
    ...layout,
    ...record,
    base: rootOf(record.base),
    machineName: `${record.name}-${environment.id}`,
    bridge: environment.bridge,
    prefix: 24,
    gateway: addressIn(subnet, 1)
  };
  await writeFileAtomic(layout.bootScript, bootScript(boot, chooseLauncher(facts) === "unit"));
  const groups = hostGroups(facts, layout);
  await writeFileAtomic(layout.superviseScript, superviseScript({ ...layout, ...record, groups }));
}
async function waitForSsh(context2, fleet, layout, address2, starting = { failed: () => false }) {
  const groups = hostGroups(fleet.facts, layout);
  const started = Date.now();
  while (!await answersSsh(address2, 1e4)) {
    context2.signal.throwIfAborted();
    const waited = Date.now() - started;
    const dead = starting.failed() || waited > 1e4 && !await isLed(groups);
    if (dead) throw await startFailure(layout, "it stopped while it booted");
    if (waited > BOOT_TIMEOUT_MS) {
      const seconds = BOOT_TIMEOUT_MS / 1e3;
      throw await startFailure(layout, `it did not answer on ${address2}:22 within ${seconds} seconds`);
    }
    await sleep3(20);
  }
}
var CONNECT_MS = 200;
function answersSsh(address2, greetingMs) {
  return new Promise((resolve) => {
    const socket = createConnection({ host: address2, port: 22, timeout: CONNECT_MS });
    const end = (answer) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", () => socket.setTimeout(greetingMs));
    socket.once("data", (data) => end(data.toString("latin1").startsWith("SSH-")));
    for (const event of ["error", "timeout", "close"]) socket.once(event, () => end(false));
  });
}
async function endHost(context2, fleet, layout) {
  await rm7(layout.wanted, { force: true });
  const groups = hostGroups(fleet.facts, layout);
  if (chooseLauncher(fleet.facts) === "unit") {
    for (const verb of [["kill", "--signal=KILL"], ["stop"], ["reset-failed"]]) {
      await run2(context2, "systemctl", ["--quiet", ...verb, layout.unit], { lock: fleet.lock });
    }
  }
  for (; ; ) {
    await killAndRemove(groups, layout.name);
    const lock = await waitForLock(context2, layout.lockFile, { forMs: 50 });
    await lock?.release();
    if (lock !== void 0) return;
  }
}
async function limitHost(context2, fleet, layout, record) {
  await setLimits(hostGroups(fleet.facts, layout), record, layout.name);
  await writeScripts(fleet, layout, record);
  if (chooseLauncher(fleet.facts) === "supervisor") return;
  const properties = [`MemoryMax=${record.memoryBytes}`, `CPUQuota=${Math.round(record.cpus * 100)}%`];
  await mustRun(context2, "limits", "systemctl", ["set-property", "--runtime", layout.unit, ...properties], {
    lock: fleet.lock
  });
}
async function detach(layout) {
  const log = await open3(layout.consoleLog, "w", 384);
  try {
    const child = spawn5("sh", [layout.superviseScript], {
      cwd: "/",
      env: { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" },
      detached: true,
      stdio: ["ignore", log.fd, log.fd]
    });
    await new Promise((resolve, reject) => child.once("spawn", resolve).once("error", reject));
    child.unref();
    return { failed: () => child.exitCode !== null || child.signalCode !== null };
  } finally {
    await log.close();
  }
}
async function startFailure(layout, why) {
  const log = await readFile10(layout.consoleLog, "utf8").catch(() => "");
  const own = typeof why === "string" ? { reason: why, output: [] } : { reason: why.message, output: why.output };
  const output = consoleLines(log);
  return new Failure("host", `${layout.name} did not come up: ${own.reason}.`, {
    host: layout.name,
    step: "start",
    output: output.length > 0 ? output : own.output,
    next: `Run the command again, which starts it anew where it does not run; its whole console is in ${layout.consoleLog}.`,
    cause: typeof why === "string" ? void 0 : why
  });
}
function consoleLines(console2) {
  const esc = String.fromCharCode(27);
  const text = console2.replace(new RegExp(`${esc}(?:\\[[\\d;?]*[A-Za-z]|[A-Z])|\r`, "g"), "");
  return lastLines2(text.replace(/^\[[ *]{6}\].*$/gm, ""));
}

// src/cloud/local/destroy.ts
async function destroyable(facts, environment) {
  const [record, names2, devices] = await Promise.all([
    readEnvironmentRecord(environment),
    hostNames(facts, environment),
    readdir6("/sys/class/net")
  ]);
  const hosts = await Promise.all(names2.map((name2) => describeHost(environment, name2)));
  const network = devices.includes(environment.bridge) || record !== void 0;
  return {
    removed: [...hosts, ...network ? [`network ${record?.subnet ?? environment.bridge}`] : []],
    left: []
  };
}
async function destroyEnvironment(context2, facts, environment) {
  var _stack = [];
  try {
    const lock = __using(_stack, await lockEnvironment(context2, environment), true);
    const { removed: removed2 } = await destroyable(facts, environment);
    const fleet = { facts, lock: lock.descriptor };
    const names2 = await hostNames(facts, environment);
    await Promise.all(names2.map((name2) => removeHost(context2, fleet, hostLayout(environment, name2))));
    await removeNetwork(context2, environment, lock.descriptor);
    await removeGroups(facts, environment);
    await removeFolder(context2, environment.directory, lock.descriptor);
    await removeIfEmpty(dirname8(environment.directory));
    return { removed: removed2, left: [] };
  } catch (_) {
    var _error = _, _hasError = true;
  } finally {
    var _promise = __callDispose(_stack, _error, _hasError);
    _promise && await _promise;
  }
}
async function removeHost(context2, fleet, layout) {
  context2.progress({ host: layout.name, stage: "removing", state: "started" });
  await endHost(context2, fleet, layout);
  await removeFolder(context2, layout.directory, fleet.lock);
  context2.progress({ host: layout.name, stage: "removing", state: "done" });
}
async function hostNames(facts, environment) {
  const groups = facts.hierarchies.map(async ({ mountPoint }) => {
    const own = await folders(join12(mountPoint, environment.controlGroup));
    return groupNames(environment, own, await folders(join12(mountPoint, "system.slice")));
  });
  return [.../* @__PURE__ */ new Set([...await listHosts(environment), ...(await Promise.all(groups)).flat()])].sort();
}
async function describeHost(environment, name2) {
  const record = await readHostRecord(hostLayout(environment, name2).recordFile);
  return `host ${name2} (${record?.address ?? "half-made"})`;
}
async function removeGroups(facts, environment) {
  for (const { mountPoint } of facts.hierarchies) {
    const group = join12(mountPoint, environment.controlGroup);
    await removeGroup(group);
    await removeGroup(dirname8(group));
  }
}
async function removeFolder(context2, directory, lock) {
  const mounts = await readFile11("/proc/self/mountinfo", "utf8");
  const stale = mounts.split("\n").map((line) => line.split(" ")[4] ?? "").filter((mountPoint) => mountPoint.startsWith(`${directory}/`));
  for (const mountPoint of stale.reverse()) await run2(context2, "umount", ["--lazy", mountPoint], { lock });
  await mustRun(context2, "removing disks", "rm", ["-rf", "--one-file-system", directory], { lock });
}
async function removeIfEmpty(directory) {
  await rmdir2(directory).catch((error) => {
    if (error.code !== "ENOTEMPTY" && error.code !== "ENOENT") throw error;
  });
}

// src/cloud/local/disk.ts
import { randomBytes as randomBytes5 } from "node:crypto";
import { chmod as chmod3, mkdir as mkdir8, writeFile as writeFile8 } from "node:fs/promises";
import { dirname as dirname9, join as join13 } from "node:path";
var PRIVATE_FOLDERS = ["/root", "/root/.ssh"];
async function makeHost(layout, host) {
  const { name: name2, group, memoryBytes, cpus } = host.spec;
  const key = generateEd25519(name2);
  const files = [
    ...host.handed.files.map(
      (file) => file.path === HOSTS_FILE ? { ...file, content: `${host.address} ${name2}
${file.content}` } : file
    ),
    { path: "/etc/hostname", content: `${name2}
`, mode: 420 },
    { path: "/etc/machine-id", content: `${randomBytes5(16).toString("hex")}
`, mode: 292 },
    { path: "/etc/ssh/ssh_host_ed25519_key", content: key.privateKey, mode: 384 },
    { path: "/etc/ssh/ssh_host_ed25519_key.pub", content: `${key.publicKey} ${name2}
`, mode: 420 },
    { path: "/root/.ssh/authorized_keys", content: authorizedKeysText(host.authorizedKeys), mode: 384 }
  ];
  await mkdir8(layout.directory, { recursive: true, mode: 448 });
  await Promise.all([layout.work, layout.root].map((path) => mkdir8(path, { recursive: true })));
  await mkdir8(layout.upper, { recursive: true });
  for (const file of files) await lay(layout.upper, file);
  for (const folder2 of PRIVATE_FOLDERS) await chmod3(join13(layout.upper, folder2), 448);
  const record = {
    name: name2,
    group,
    address: host.address,
    base: host.base,
    hostKey: key.publicKey,
    memoryBytes,
    cpus,
    authorizedKeys: [...host.authorizedKeys],
    settings: host.handed.digest
  };
  await saveHost(layout, record);
  return record;
}
async function saveHost(layout, record) {
  await writeFileAtomic(layout.recordFile, `${JSON.stringify(record, null, 2)}
`);
}
function authorizedKeysText(keys) {
  return keys.map((key) => `${key}
`).join("");
}
async function lay(upper, file) {
  const path = join13(upper, file.path);
  await mkdir8(dirname9(path), { recursive: true, mode: 493 });
  await writeFile8(path, file.content, { mode: file.mode });
  await chmod3(path, file.mode);
}

// src/cloud/local/found.ts
import { statfs as statfs2 } from "node:fs/promises";
import { dirname as dirname10 } from "node:path";

// src/cloud/local/plan.ts
function planLocal(found, spec) {
  const wanted = new Set(spec.machines.map(({ name: name2 }) => name2));
  const remove = found.hosts.filter(({ name: name2 }) => !wanted.has(name2));
  const hosts = hostWork(found, spec);
  const some = hosts.length > 0;
  const base2 = !found.baseReady && hosts.some(needsBase(found.base));
  const network = some && !found.networkReady;
  const changes = [
    ...sharedChanges(found, { key: some && found.operatorKey === void 0, base: base2, network }),
    ...remove.map(({ name: name2, record }) => change(name2, "host", "remove", record?.address ?? "half-made")),
    ...hosts.flatMap(hostChanges)
  ];
  const machines = found.hosts.flatMap(
    (host) => host.record && wanted.has(host.name) ? [asMachine(found, host.record, host)] : []
  );
  const warnings = [...found.warnings, ...hosts.filter(({ lost }) => lost).map(lostSentence)];
  return {
    plan: { changes, machines, warnings },
    work: { base: base2, network, remove: remove.map(({ name: name2 }) => name2), hosts }
  };
}
function lostSentence({ spec, record }) {
  return `${spec.name} cannot be started: ${record?.base}, the base image that its disk lies on, was removed.`;
}
function hostWork(found, spec) {
  const known = new Map(found.hosts.map((host) => [host.name, host]));
  const keys = authorizedKeys(found.operatorKey, spec);
  const addresses = spec.machines.flatMap(({ name: name2 }) => known.get(name2)?.record?.address ?? []);
  return spec.machines.map((machine2) => {
    const host = known.get(machine2.name);
    if (host?.record === void 0) {
      const number = freeHostNumber(addresses);
      if (number === void 0) throw new RangeError(`no address is free in ${found.subnet}`);
      const address2 = addressIn(found.subnet, number);
      addresses.push(address2);
      const differs2 = { limits: false, keys: false, settings: false };
      return {
        spec: machine2,
        address: address2,
        record: void 0,
        leftover: host !== void 0,
        start: false,
        lost: false,
        differs: differs2
      };
    }
    const { record, alive, baseReady } = host;
    const differs = {
      limits: record.memoryBytes !== machine2.memoryBytes || record.cpus !== machine2.cpus,
      keys: found.operatorKey === void 0 || !sameSet(record.authorizedKeys, keys),
      settings: record.settings !== found.settings
    };
    const lost = !alive && !baseReady && record.base !== found.base;
    return { spec: machine2, address: record.address, record, leftover: false, start: !alive, lost, differs };
  });
}
function needsBase(base2) {
  return ({ record, start }) => record === void 0 || start && record.base === base2;
}
function sharedChanges(found, needs) {
  const packages = found.missingPackages;
  return [
    ...packages.length > 0 ? [change(null, "packages of this machine", "create", ...packages)] : [],
    ...needs.key ? [change(null, "key", "create", found.identityFile)] : [],
    ...needs.base ? [change(null, "base image", "create", "about 30 seconds and 250 MB, once for this machine")] : [],
    ...needs.network ? [change(null, "network", found.hosts.length > 0 ? "restart" : "create", found.subnet)] : []
  ];
}
function hostChanges({ spec, address: address2, record, leftover, start, lost, differs }) {
  const { name: name2 } = spec;
  if (record === void 0) {
    const detail = [`${address2}, ${size(spec)}`, ...leftover ? ["a half-made one is replaced"] : []];
    return [change(name2, "host", "create", ...detail)];
  }
  if (lost) return [];
  return [
    ...start ? [change(name2, "host", "restart", `${address2}, it does not run`)] : [],
    ...differs.limits ? [change(name2, "limits", "change", `${size(record)} \u2192 ${size(spec)}`)] : [],
    ...differs.keys ? [change(name2, "sign-in keys", "change")] : [],
    ...differs.settings ? [
      change(
        name2,
        "settings of this machine",
        "change",
        "name servers, proxies, apt or npm settings differ"
      )
    ] : []
  ];
}
function authorizedKeys(operatorKey2, spec) {
  return [
    ...new Set(
      [...operatorKey2 === void 0 ? [] : [operatorKey2], ...spec.authorizedKeys].map((key) => key.trim())
    )
  ];
}
function asMachine(found, record, state) {
  return {
    name: record.name,
    group: record.group,
    address: record.address,
    privateAddress: record.address,
    state: !state.alive ? "stopped" : state.answers ? "running" : "starting",
    user: "root",
    port: 22,
    identityFile: found.identityFile,
    hostKeys: [record.hostKey],
    monthlyCost: 0
  };
}
function change(host, step, action, ...detail) {
  return { host, step, action, detail };
}
function size({ memoryBytes, cpus }) {
  return `${Math.round(memoryBytes / 2 ** 20)} MB, ${cpus} CPU${cpus === 1 ? "" : "s"}`;
}
function sameSet(a, b) {
  return a.length === b.length && a.every((item) => b.includes(item));
}

// src/cloud/local/tools.ts
import { access as access3, constants } from "node:fs/promises";
import { join as join14 } from "node:path";
var TOOLS = {
  "systemd-nspawn": "systemd-container",
  mmdebstrap: "mmdebstrap",
  nft: "nftables",
  ip: "iproute2",
  unshare: "util-linux",
  nsenter: "util-linux",
  flock: "util-linux",
  mount: "mount",
  "apt-config": "apt"
};
async function missingPackages(context2) {
  const folders2 = (toolEnvironment(context2).PATH ?? "").split(":");
  const missing2 = await Promise.all(
    Object.entries(TOOLS).map(
      async ([program2, name2]) => await isInstalled(program2, folders2) ? [] : [name2]
    )
  );
  return [...new Set(missing2.flat())].sort();
}
function installCommand(packages) {
  return `apt-get install --no-install-recommends --yes ${packages.join(" ")}`;
}
async function ensureTools(context2) {
  const packages = await missingPackages(context2);
  if (packages.length === 0) return;
  const stage = "packages of this machine";
  context2.progress({ stage, state: "started", detail: `apt-get install ${packages.join(" ")}` });
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  const apt = (...args) => run2(context2, "apt-get", ["--quiet", "--option", "DPkg::Lock::Timeout=120", ...args], { env });
  const install = () => apt("install", "--no-install-recommends", "--yes", ...packages);
  let result = await install();
  if (result.code !== 0 && (await apt("update")).code === 0) result = await install();
  if (result.code !== 0) {
    context2.progress({ stage, state: "failed" });
    throw programFailure(`installing ${packages.join(", ")}`, "apt-get", result);
  }
  const still = await missingPackages(context2);
  if (still.length > 0) {
    throw new Failure("host", `apt-get installed ${still.join(", ")}, but the programs are still missing.`, {
      next: `Look at what \`${installCommand(still)}\` says.`
    });
  }
  context2.progress({ stage, state: "done" });
}
async function isInstalled(program2, folders2) {
  for (const folder2 of folders2) {
    const found = await access3(join14(folder2, program2), constants.X_OK).then(
      () => true,
      () => false
    );
    if (found) return true;
  }
  return false;
}

// src/cloud/local/found.ts
var GREETING_MS = 2e3;
async function find(local) {
  const { context: context2, spec, settings, environment, facts } = local;
  const [packages, record, key, hosts, recipe, limited2] = await Promise.all([
    missingPackages(context2),
    readEnvironmentRecord(environment),
    findOperatorKey(spec.directory, spec.environment),
    findHosts(local),
    readRecipe(),
    limitsHold(facts)
  ]);
  const subnet = await subnetFor(settings, environment, record);
  const base2 = baseDirectory(settings, recipe);
  const toolsReady = packages.length === 0;
  const [handed, ready, baseReady, closed] = await Promise.all([
    handedFiles(context2, subnet),
    record !== void 0 && toolsReady ? networkReady(context2, environment, subnet) : false,
    baseExists(base2),
    forwardingWarnings(context2)
  ]);
  const unlimited = "Memory and processor limits of hosts do not hold here: the controllers of the control groups are not available.";
  const found = {
    missingPackages: packages,
    subnet,
    networkReady: ready,
    base: base2,
    baseReady,
    operatorKey: key?.publicKey,
    identityFile: operatorKeyFile(spec.directory, spec.environment),
    settings: handed.digest,
    hosts,
    warnings: [...handed.warnings, ...closed, ...limited2 ? [] : [unlimited]]
  };
  return { found, recipe, base: base2, handed };
}
async function findMachines(local) {
  const identityFile = operatorKeyFile(local.spec.directory, local.spec.environment);
  const hosts = await findHosts(local);
  return hosts.flatMap((host) => host.record ? [asMachine({ identityFile }, host.record, host)] : []);
}
async function canStack(settings) {
  const OVERLAYFS = 2035054128;
  let folder2 = settings.stateDirectory;
  for (; ; ) {
    const found = await statfs2(folder2).catch(() => void 0);
    if (found !== void 0) return found.type !== OVERLAYFS;
    folder2 = dirname10(folder2);
  }
}
async function findHosts({ environment, facts }) {
  const names2 = await listHosts(environment);
  return Promise.all(names2.map((name2) => findHost(environment, facts, name2)));
}
async function findHost(environment, facts, name2) {
  const layout = hostLayout(environment, name2);
  const [record, alive] = await Promise.all([
    readHostRecord(layout.recordFile),
    isLed(hostGroups(facts, layout))
  ]);
  if (record === void 0) return { name: name2, record, alive, answers: false, baseReady: true };
  const [answers, baseReady] = await Promise.all([
    alive && answersSsh(record.address, GREETING_MS),
    baseExists(record.base)
  ]);
  return { name: name2, record, alive, answers, baseReady };
}

// src/cloud/local/inside.ts
import { readFile as readFile12 } from "node:fs/promises";
async function replaceKeys(context2, fleet, layout, keys) {
  const script = `set -eu
umask 077
mkdir -p /root/.ssh
touch /root/.ssh/authorized_keys
{ grep -vxF "$@" /root/.ssh/authorized_keys || [ $? -eq 1 ]; cat; } > /root/.ssh/authorized_keys.new
mv /root/.ssh/authorized_keys.new /root/.ssh/authorized_keys`;
  const patterns = [.../* @__PURE__ */ new Set([...keys.before, ...keys.after])].flatMap((key) => ["-e", key]);
  await runInside(context2, fleet, layout, {
    step: "sign-in keys",
    script,
    args: patterns,
    input: authorizedKeysText(keys.after)
  });
}
async function layInside(context2, fleet, layout, files) {
  const script = `set -eu
umask 077
mkdir -p -m 755 "$(dirname "$1")"
cat > "$1.new"
chmod "$2" "$1.new"
mv "$1.new" "$1"`;
  for (const { path, mode, content } of files.filter((file) => file.path !== HOSTS_FILE)) {
    const args = [path, mode.toString(8)];
    await runInside(context2, fleet, layout, { step: path, script, args, input: content });
  }
}
async function runInside(context2, fleet, layout, inside) {
  const pid = await initOf(fleet.facts, layout);
  const enter = [`--target=${pid}`, "--mount", "--root", "--wd=/"];
  await mustRun(
    context2,
    `${inside.step} of ${layout.name}`,
    "nsenter",
    [...enter, "sh", "-c", inside.script, "sh", ...inside.args],
    { input: inside.input, lock: fleet.lock }
  );
}
async function initOf(facts, layout) {
  for (const pid of await allMembers(hostGroups(facts, layout))) {
    const status = await readFile12(`/proc/${pid}/status`, "utf8").catch(() => "");
    if (/^NSpid:.*\t1$/m.test(status)) return pid;
  }
  throw new Failure("host", `${layout.name} does not run.`, {
    host: layout.name,
    next: "Run `pipeline prod up`, which starts it."
  });
}

// src/cloud/local/provider.ts
function createLocalProvider(context2, spec) {
  const settings = localSettings(context2.env);
  const environment = environmentLayout(settings, spec);
  const local = { context: context2, spec, settings, environment, facts: readMachine() };
  const asRoot2 = async (work) => {
    requireRoot(local);
    return work();
  };
  return {
    name: "local",
    plan: () => asRoot2(async () => planLocal((await find(local)).found, spec).plan),
    apply: (plan2) => asRoot2(() => apply2(local, plan2)),
    machines: () => asRoot2(() => findMachines(local)),
    destroyable: () => asRoot2(() => destroyable(local.facts, environment)),
    destroy: () => asRoot2(() => destroyEnvironment(context2, local.facts, environment))
  };
}
function requireRoot({ facts }) {
  if (facts.root) return;
  throw new Failure(
    "usage",
    "Local hosts need root: they have disks, networks and control groups of their own on this machine.",
    { next: "Run the same command with sudo, or use `--provider digitalocean`." }
  );
}
async function apply2(local, plan2) {
  var _stack = [];
  try {
    const { context: context2, spec, settings, environment } = local;
    const settled = plan2.changes.length === 0 && plan2.machines.every(({ state }) => state === "running");
    if (settled) return plan2.machines;
    await requireAbility(local);
    await ensureTools(context2);
    const lock = __using(_stack, await lockEnvironment(context2, environment), true);
    await claimSubnet(context2, settings, environment, spec);
    const key = await operatorKey(spec.directory, spec.environment);
    const findings = await find(local);
    const { work } = planLocal(findings.found, spec);
    if (work.base) await ensureBase(context2, settings, findings.recipe, findings.base);
    const fleet = {
      facts: local.facts,
      environment,
      subnet: findings.found.subnet,
      lock: lock.descriptor
    };
    await settleAll(work.remove.map((name2) => removeHost(context2, fleet, hostLayout(environment, name2))));
    if (work.network) {
      context2.progress({ stage: "network", state: "started", detail: fleet.subnet });
      await ensureNetwork(context2, environment, fleet.subnet, fleet.lock);
      context2.progress({ stage: "network", state: "done", detail: fleet.subnet });
    }
    const keys = authorizedKeys(key.publicKey, spec);
    await settleAll(work.hosts.map((host) => settle({ ...local, fleet, findings, keys }, host)));
    return findMachines(local);
  } catch (_) {
    var _error = _, _hasError = true;
  } finally {
    var _promise = __callDispose(_stack, _error, _hasError);
    _promise && await _promise;
  }
}
async function requireAbility({ facts, settings }) {
  if (facts.hierarchies.length === 0) {
    throw new Failure("usage", "No control groups are mounted on this machine, and hosts need them.", {
      next: "Mount them (`mount -t cgroup2 none /sys/fs/cgroup`), or run on a machine with systemd."
    });
  }
  if (await canStack(settings)) return;
  throw new Failure(
    "usage",
    `The folder ${settings.stateDirectory} lies on an overlay, as in a container, where hosts' disks cannot be stacked.`,
    {
      next: "Mount an ordinary disk there (a Docker volume will do), or set PIPELINE_LOCAL_STATE to a folder on one."
    }
  );
}
async function settle(work, host) {
  const { context: context2 } = work;
  const event = { host: host.spec.name, stage: "host", detail: host.address };
  const boots = host.record === void 0 || host.start;
  if (boots) context2.progress({ ...event, state: "started" });
  try {
    await mend(work, host, boots);
  } catch (error) {
    context2.progress({ ...event, state: "failed" });
    throw error;
  }
  if (boots) context2.progress({ ...event, state: "done" });
}
async function mend(work, host, boots) {
  const { context: context2, environment, fleet } = work;
  const { name: name2 } = host.spec;
  const layout = hostLayout(environment, name2);
  if (host.lost) {
    throw new Failure("host", lostSentence(host), {
      host: name2,
      next: "Restore that folder from a backup, or run `pipeline prod destroy` and `pipeline prod up`, which makes the host anew."
    });
  }
  if (host.leftover) await removeHost(context2, fleet, layout);
  const record = host.record ? await limited(work, host, host.record) : await made(work, host);
  const starting = boots ? await startHost(context2, fleet, layout, record) : void 0;
  await waitForSsh(context2, fleet, layout, record.address, starting);
  if (host.record) await handedDown(work, host, record);
}
function made({ environment, findings, keys }, { spec, address: address2 }) {
  const { base: base2, handed } = findings;
  return makeHost(hostLayout(environment, spec.name), { spec, address: address2, base: base2, handed, authorizedKeys: keys });
}
async function limited({ context: context2, environment, fleet }, host, before) {
  const { name: name2, group, memoryBytes, cpus } = host.spec;
  const layout = hostLayout(environment, name2);
  const record = { ...before, group, memoryBytes, cpus };
  if (host.differs.limits && !host.start) await limitHost(context2, fleet, layout, record);
  await saveHost(layout, record);
  return record;
}
async function handedDown({ context: context2, environment, fleet, findings, keys }, host, record) {
  const layout = hostLayout(environment, record.name);
  if (host.differs.keys) {
    await replaceKeys(context2, fleet, layout, { before: record.authorizedKeys, after: keys });
  }
  if (host.differs.settings) await layInside(context2, fleet, layout, findings.handed.files);
  await saveHost(layout, { ...record, authorizedKeys: [...keys], settings: findings.handed.digest });
}
async function settleAll(tasks) {
  const results = await Promise.allSettled(tasks);
  for (const result of results) if (result.status === "rejected") throw result.reason;
}

// test/support/power.ts
import { execFile } from "node:child_process";
import { setTimeout as sleep4 } from "node:timers/promises";
import { promisify } from "node:util";

// test/support/ssh-arguments.ts
import { writeFileSync } from "node:fs";
function sshArguments2(machine2) {
  const knownHosts = `${machine2.identityFile}.${machine2.name}.known_hosts`;
  const { address: address2, port: port2, hostKeys } = machine2;
  writeFileSync(knownHosts, formatKnownHosts([{ address: address2, port: port2, keys: hostKeys }]));
  const options = [
    "BatchMode=yes",
    "StrictHostKeyChecking=yes",
    `UserKnownHostsFile=${knownHosts}`,
    "ConnectTimeout=5",
    "LogLevel=ERROR"
  ];
  return [
    "-F",
    "none",
    ...options.flatMap((option) => ["-o", option]),
    "-i",
    machine2.identityFile,
    "-p",
    String(port2),
    `${machine2.user}@${address2}`
  ];
}

// test/support/power.ts
async function powerCut(spec, name2) {
  const layout = hostLayout(environmentLayout(localSettings(process.env), spec), name2);
  await killAndRemove(hostGroups(readMachine(), layout), name2);
}
async function reboot(machine2) {
  const ssh = async (command3) => (await promisify(execFile)("ssh", [...sshArguments2(machine2), command3])).stdout;
  const bootId = () => ssh("cat /proc/sys/kernel/random/boot_id").catch(() => "");
  const before = await bootId();
  await ssh("systemctl reboot").catch(() => "");
  const deadline = Date.now() + 3e4;
  for (; ; ) {
    const now = await bootId();
    if (now !== "" && now !== before) return;
    if (Date.now() > deadline) throw new Error(`${machine2.name} does not come back from its reboot`);
    await sleep4(50);
  }
}

// test/support/hosts.ts
function testEnvironment(wanted) {
  return {
    project: `test-${randomBytes6(4).toString("hex")}`,
    environment: "prod",
    owner: "pipeline-tests",
    directory: mkdtempSync2(join15(tmpdir2(), "pipeline-test-")),
    machines: wanted.names.map((name2) => machineSpec(name2, wanted)),
    operators: ["127.0.0.0/8"],
    authorizedKeys: [],
    ...wanted.spec
  };
}
function machineSpec(name2, wanted = {}) {
  return {
    name: name2,
    group: name2.replace(/-\d+$/, ""),
    roles: [],
    exposures: [],
    memoryBytes: wanted.memory ?? 512 * 2 ** 20,
    cpus: wanted.cpus ?? 2,
    size: "s-1vcpu-1gb",
    region: "nyc3",
    image: "debian-12-x64"
  };
}
async function startHosts(wanted) {
  const context2 = wanted.context ?? quietContext();
  const spec = testEnvironment(wanted);
  const provider = createLocalProvider(context2, spec);
  const release = guard(spec);
  let stopped = false;
  const stop = async () => {
    if (stopped) return;
    await createLocalProvider(quietContext({ env: context2.env }), spec).destroy();
    await rm8(spec.directory, { recursive: true, force: true });
    stopped = true;
    release();
  };
  try {
    const machines = await provider.apply(await provider.plan());
    const machine2 = (name2) => {
      const found = machines.find((one) => one.name === name2);
      if (found === void 0) throw new Error(`no host ${name2} among ${machines.map((one) => one.name)}`);
      return found;
    };
    return {
      machines,
      provider,
      spec,
      machine: machine2,
      powerCut: (name2) => powerCut(spec, name2),
      reboot: (name2) => reboot(machine2(name2)),
      stop
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
async function withHosts(wanted, use) {
  const hosts = await startHosts(wanted);
  try {
    return await use(hosts.machines, hosts);
  } finally {
    await hosts.stop();
  }
}
function guard(spec) {
  const script = 'read -r word; [ "$word" = released ] || exec "$0" "$@"';
  const cleaner = join15("/work/main/test/support", "hosts-cleaner.mjs");
  const child = spawn6("sh", ["-c", script, process.execPath, cleaner, JSON.stringify(spec)], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"]
  });
  child.unref();
  child.stdin.unref();
  return () => {
    child.stdin.on("error", () => {
    }).end("released\n");
  };
}

// test/support/load.ts
import { Agent, request } from "node:http";
function startLoad(options) {
  const agent = new Agent({ keepAlive: options.keepAlive, maxSockets: 512 });
  const others = {};
  let sent = 0;
  let ok = 0;
  let slowest = 0;
  const underWay = /* @__PURE__ */ new Set();
  const started = performance.now();
  const one = () => {
    const began = performance.now();
    return new Promise((resolve) => {
      const asked = request(
        options.url,
        {
          agent,
          method: options.method ?? "GET",
          headers: { ...options.headers, "content-length": Buffer.byteLength(options.body ?? "") },
          timeout: 2e4
        },
        (answer) => {
          answer.resume();
          answer.on("end", () => {
            const status = answer.statusCode ?? 0;
            resolve(status >= 200 && status < 300 && answer.complete ? "" : `status ${status}`);
          });
          answer.on("error", (error) => resolve(error.code ?? error.message));
        }
      );
      asked.on("timeout", () => asked.destroy(new Error("no answer in 20 s")));
      asked.on("error", (error) => resolve(error.code ?? error.message));
      asked.end(options.body);
    }).then((fault) => {
      if (fault === "") {
        ok++;
        slowest = Math.max(slowest, performance.now() - began);
      } else others[fault] = (others[fault] ?? 0) + 1;
    });
  };
  const timer = setInterval(() => {
    const due2 = Math.floor((performance.now() - started) / 1e3 * options.rate);
    while (sent < due2) {
      sent++;
      const asked = one().finally(() => underWay.delete(asked));
      underWay.add(asked);
    }
  }, 5);
  return {
    async stop() {
      clearInterval(timer);
      await Promise.all(underWay);
      agent.destroy();
      return { sent, ok, others, slowest };
    }
  };
}

// bench/deploy/main.ts
var { values } = parseArgs({
  options: { rounds: { type: "string", default: "5" }, rate: { type: "string", default: "100" } }
});
var rounds = Number(values.rounds);
var rate = Number(values.rate);
var NODE = process.versions.node;
var NPM = "10.9.9";
var PARAMS = { fleet: [], operators: [], sshPorts: [22], exposures: [] };
var folder = mkdtempSync3(join16(tmpdir3(), "pipeline-bench-deploy-"));
var context = quietContext();
var median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
try {
  execFileSync("node", ["examples/survey/make-repository.mjs", join16(folder, "survey")]);
  const program2 = join16(folder, "program.mjs");
  buildSync({
    entryPoints: [join16("/work/main/bench/deploy", "../../test/support/deploy-program.ts")],
    bundle: true,
    platform: "node",
    target: "node20",
    format: "esm",
    outfile: program2,
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);"
    }
  });
  await withHosts({ names: ["web"], memory: 1024 * 2 ** 20 }, async ([machine2]) => {
    if (machine2 === void 0) throw new Error("no host");
    const knownHostsFile = join16(folder, "known_hosts");
    await writeKnownHosts(knownHostsFile, [
      { address: machine2.address, port: machine2.port, keys: machine2.hostKeys }
    ]);
    const { name: name2, address: address2, port: port2, user, identityFile } = machine2;
    const target = { name: name2, address: address2, port: port2, user, identityFile, knownHostsFile };
    const host = connect(target, context);
    await converge(host, [...rolesFor("nginx", PARAMS), ...rolesFor("node-service", PARAMS)], context);
    await preparePlain(host);
    const config = {
      ...configSchema.parse({
        project: "bench",
        hosts: { web: { roles: ["nginx"] } },
        apps: {
          survey: {
            source: join16(folder, "survey"),
            hosts: ["web"],
            node: NODE,
            health: { path: "/", status: 200, contains: "survey" }
          }
        }
      }),
      path: join16(folder, "pipeline.yml"),
      directory: folder
    };
    const pipeline3 = (verb, ref) => {
      const file = join16(folder, "job.json");
      writeFileSync2(
        file,
        JSON.stringify({ verb, config, app: "survey", ref, targets: [target], env: process.env })
      );
      return command2(process.execPath, [program2, file]);
    };
    const plain = (ref) => command2("ssh", [
      ...sshArguments2(machine2),
      `cd /srv/plain && git fetch --quiet && git checkout --quiet origin/${ref} && PATH=/opt/pipeline/node/${NODE}/bin:$PATH /opt/npm/bin/npm-cli.js ci --silent && systemctl restart plain`
    ]);
    for (const ref of ["good", "better"]) await pipeline3("deploy", ref);
    for (const ref of ["good", "better"]) await plain(ref);
    const rows = {
      deploy: { name: "pipeline deploy", seconds: [], sent: 0, dropped: 0 },
      same: { name: "pipeline deploy, nothing new", seconds: [], sent: 0, dropped: 0 },
      rollback: { name: "pipeline rollback", seconds: [], sent: 0, dropped: 0 },
      plain: { name: "git pull, npm ci, restart", seconds: [], sent: 0, dropped: 0 }
    };
    const measure = async (row, address3, work) => {
      const visitors = startLoad({ url: address3, rate, keepAlive: true });
      await delay2(200);
      const began = performance.now();
      await work();
      row.seconds.push((performance.now() - began) / 1e3);
      const { sent, ok } = await visitors.stop();
      row.sent += sent;
      row.dropped += sent - ok;
    };
    for (let round = 0; round < rounds; round++) {
      await measure(
        rows.deploy,
        `http://${address2}/`,
        () => pipeline3("deploy", round % 2 ? "better" : "good")
      );
      await measure(rows.same, `http://${address2}/`, () => pipeline3("deploy", round % 2 ? "better" : "good"));
      await measure(rows.rollback, `http://${address2}/`, () => pipeline3("rollback"));
      await measure(rows.plain, `http://${address2}:8088/`, () => plain(round % 2 ? "better" : "good"));
    }
    await host.close();
    const base2 = median(rows.plain.seconds);
    console.log(`${rounds} rounds, ${rate} requests a second, medians
`);
    for (const { name: name3, seconds, sent, dropped } of Object.values(rows)) {
      const time = median(seconds);
      console.log(
        `${name3.padEnd(30)} ${time.toFixed(2).padStart(6)} s   ${(time / base2).toFixed(2)} \xD7 plain   dropped ${dropped} of ${sent}`
      );
    }
  });
} finally {
  rmSync2(folder, { recursive: true, force: true });
}
async function command2(program2, args) {
  await execa3(program2, args, { stdin: "ignore", stderr: "inherit" });
}
async function preparePlain(host) {
  const architecture = ownArchitecture();
  const npm2 = join16(await npmForBuilds(NPM, context), "..");
  execFileSync("tar", ["-czf", join16(folder, "npm.tgz"), "-C", npm2, "."]);
  execFileSync("tar", ["-czf", join16(folder, "survey.tgz"), "-C", folder, "survey"]);
  await host.upload(
    { path: await nodeArchive({ version: NODE, architecture }, context) },
    "/root/node.tgz",
    {}
  );
  await host.upload({ path: join16(folder, "npm.tgz") }, "/root/npm.tgz", {});
  await host.upload({ path: join16(folder, "survey.tgz") }, "/root/survey.tgz", {});
  await host.check(
    `set -e
apt-get install -y -q git >/dev/null 2>&1
mkdir -p /opt/pipeline/node/${NODE} /opt/npm && tar -xzf /root/node.tgz --strip-components=1 -C /opt/pipeline/node/${NODE}
tar -xzf /root/npm.tgz -C /opt/npm && tar -xzf /root/survey.tgz -C /root && chown -R root: /root/survey
git clone -q /root/survey /srv/plain
cat >/etc/systemd/system/plain.service <<'UNIT'
[Service]
WorkingDirectory=/srv/plain
Environment=PORT=5000
ExecStart=/opt/pipeline/node/${NODE}/bin/node server.js
Restart=always
UNIT
cat >/etc/nginx/pipeline/sites/plain.conf <<'SITE'
server { listen 8088; access_log off; location / { proxy_pass http://127.0.0.1:5000; } }
SITE
systemctl daemon-reload && systemctl start plain && systemctl reload nginx`,
    { label: "prepare the plain way" }
  );
}
