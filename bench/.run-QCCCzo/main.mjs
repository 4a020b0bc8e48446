// bench/agent/main.ts
import { spawn as spawn2, spawnSync as spawnSync2 } from "node:child_process";
import { appendFileSync, mkdtempSync as mkdtempSync3, readFileSync as readFileSync3, renameSync, rmSync as rmSync3, writeFileSync as writeFileSync2 } from "node:fs";
import { get } from "node:http";
import { tmpdir as tmpdir3 } from "node:os";
import { join as join3 } from "node:path";
import { parseArgs } from "node:util";

// test/agent/redis-server.ts
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

// src/agent/resp.ts
import { connect as connectTcp } from "node:net";
import { connect as connectTls } from "node:tls";

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

// src/agent/resp.ts
var RedisError = class extends Error {
  name = "RedisError";
  code;
  constructor(message) {
    super(message);
    this.code = message.split(" ", 1)[0] ?? "";
  }
};
var RedisConnection = class _RedisConnection {
  #socket;
  #waiting = [];
  #received = Buffer.alloc(0);
  #ended;
  #onEnd = () => {
  };
  constructor(socket, timeoutMs) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 15e3);
    socket.on("data", (data) => this.#onData(data));
    socket.on("error", (error) => this.#end(error));
    socket.on("close", () => this.#end(new Error("the connection was closed")));
    socket.setTimeout(timeoutMs, () => {
      if (this.#waiting.length > 0) this.#end(new Error(`no answer within ${timeoutMs / 1e3} s`));
    });
  }
  /**
   * Connects and signs in.
   * @throws the socket's error, RedisError where the sign-in is refused
   */
  static async open(address, timeoutMs = 1e4) {
    const connection = new _RedisConnection(await openSocket(address, timeoutMs), timeoutMs);
    if (address.password !== void 0) {
      const credentials = address.user === void 0 ? [address.password] : [address.user, address.password];
      try {
        await connection.command("AUTH", ...credentials);
      } catch (error) {
        connection.close();
        throw error;
      }
    }
    return connection;
  }
  /** Sends one command. Commands may be sent without waiting for the answers of those before. */
  command(...parts) {
    return new Promise((resolve, reject) => {
      if (this.#ended !== void 0) return reject(this.#ended);
      this.#waiting.push({ resolve, reject });
      this.#socket.write(encodeCommand(parts));
    });
  }
  /** Called once when the connection has ended, for whatever reason but `close`. */
  onEnd(listener) {
    this.#onEnd = listener;
    if (this.#ended !== void 0) listener(this.#ended);
  }
  /** Ends the connection at once; what is waited for rejects. */
  close() {
    this.#onEnd = () => {
    };
    this.#end(new Error("the connection was closed by us"));
  }
  #end(error) {
    if (this.#ended !== void 0) return;
    this.#ended = error;
    this.#socket.destroy();
    for (const { reject } of this.#waiting.splice(0)) reject(error);
    this.#onEnd(error);
  }
  #onData(data) {
    this.#received = this.#received.length === 0 ? data : Buffer.concat([this.#received, data]);
    try {
      let offset = 0;
      for (; ; ) {
        const parsed = parseReply(this.#received, offset);
        if (parsed === void 0) break;
        offset = parsed.end;
        const waiting = this.#waiting.shift();
        if (parsed.value instanceof RedisError) waiting?.reject(parsed.value);
        else waiting?.resolve(parsed.value);
      }
      this.#received = this.#received.subarray(offset);
      if (this.#received.length > MAX_REPLY) throw new Error("the answer is longer than 4 MiB");
    } catch (error) {
      this.#end(error);
    }
  }
};
var MAX_REPLY = 4 * 1024 * 1024;
function openSocket(address, timeoutMs) {
  const { host, port, path, tls } = address;
  return new Promise((resolve, reject) => {
    const socket = path !== void 0 ? connectTcp({ path }) : tls === void 0 ? connectTcp({ host, port }) : connectTls({ host, port, ...defined("ca", tls.ca), ...defined("servername", tls.servername) });
    const timer = setTimeout(
      () => socket.destroy(new Error(`no connection within ${timeoutMs / 1e3} s`)),
      timeoutMs
    );
    socket.once(tls === void 0 || path !== void 0 ? "connect" : "secureConnect", () => {
      clearTimeout(timer);
      socket.removeAllListeners();
      resolve(socket);
    });
    socket.once("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
  });
}
function defined(key, value) {
  return value === void 0 ? {} : { [key]: value };
}
function encodeCommand(parts) {
  let text = `*${parts.length}\r
`;
  for (const part of parts) text += `$${Buffer.byteLength(part)}\r
${part}\r
`;
  return text;
}
function parseReply(buffer, offset) {
  const lineEnd = buffer.indexOf("\r\n", offset);
  if (lineEnd < 0) return void 0;
  const line = buffer.toString("utf8", offset + 1, lineEnd);
  const after = lineEnd + 2;
  switch (buffer[offset]) {
    case 43:
      return { value: line, end: after };
    case 45:
      return { value: new RedisError(line), end: after };
    case 58:
      return { value: Number(line), end: after };
    case 36: {
      const length = Number(line);
      if (length === -1) return { value: null, end: after };
      if (buffer.length < after + length + 2) return void 0;
      return { value: buffer.toString("utf8", after, after + length), end: after + length + 2 };
    }
    case 42:
      return Number(line) === -1 ? { value: null, end: after } : parseArray(buffer, after, Number(line));
    default:
      throw new Failure("host", "What answers is not Redis.", {
        next: "Check the address, and that TLS is on at both ends or at none."
      });
  }
}
function parseArray(buffer, offset, length) {
  const items = [];
  let end = offset;
  for (let i = 0; i < length; i++) {
    const item = parseReply(buffer, end);
    if (item === void 0) return void 0;
    items.push(item.value instanceof RedisError ? item.value.message : item.value);
    end = item.end;
  }
  return { value: items, end };
}

// test/agent/redis-server.ts
function redisUnavailable() {
  const missing = ["redis-server", "openssl"].filter(
    (name) => spawnSync(name, ["--version"]).status === null && spawnSync(name, ["version"]).status === null
  );
  return missing.length === 0 ? void 0 : `this machine lacks ${missing.join(" and ")}: run \`apt-get install --yes ${missing.join(" ")}\``;
}
var TestRedis = class _TestRedis {
  directory = mkdtempSync(join(tmpdir(), "pipeline-redis-"));
  /** The administrator's way in: a Unix socket. */
  socket = join(this.directory, "redis.sock");
  port = 0;
  #server;
  /** Starts with TLS and an append-only file, so that it survives `kill`. */
  static async start() {
    const redis = new _TestRedis();
    redis.port = await freePort();
    const subject = ["-subj", "/CN=pipeline-monitor", "-addext", "subjectAltName=DNS:pipeline-monitor"];
    const key = [
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:P-256",
      "-nodes",
      "-keyout",
      redis.#file("key.pem")
    ];
    const made = spawnSync("openssl", [
      "req",
      "-x509",
      "-days",
      "2",
      ...key,
      "-out",
      redis.#file("cert.pem"),
      ...subject
    ]);
    if (made.status !== 0) throw new Error(`openssl: ${made.stderr}`);
    writeFileSync(redis.#file("users.acl"), "user default on nopass ~* &* +@all\n");
    await redis.resume();
    return redis;
  }
  /** Starts it again after `kill`, with its data. */
  async resume() {
    const options = {
      port: "0",
      "tls-port": String(this.port),
      bind: "127.0.0.1",
      "tls-cert-file": this.#file("cert.pem"),
      "tls-key-file": this.#file("key.pem"),
      "tls-auth-clients": "no",
      aclfile: this.#file("users.acl"),
      unixsocket: this.socket,
      dir: this.directory,
      appendonly: "yes",
      appendfsync: "always",
      "maxmemory-policy": "noeviction"
    };
    const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
    this.#server = spawn("redis-server", [...args, "--save", ""], { stdio: "ignore" });
    for (let attempt = 0; attempt < 100; attempt++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      if (await this.admin("PING").then(
        (reply) => reply === "PONG",
        () => false
      ))
        return;
    }
    throw new Error("redis-server does not answer");
  }
  /** Pulls its plug. */
  async kill() {
    const server = this.#server;
    if (server === void 0) return;
    this.#server = void 0;
    const ended = once(server, "exit");
    server.kill("SIGKILL");
    await ended;
  }
  async remove() {
    await this.kill();
    rmSync(this.directory, { recursive: true, force: true });
  }
  /** The address for a user, over TLS. */
  address(user, password) {
    const ca = readFileSync(this.#file("cert.pem"), "utf8");
    return {
      host: "127.0.0.1",
      port: this.port,
      tls: { ca, servername: "pipeline-monitor" },
      user,
      password
    };
  }
  /** Makes the user of an agent, who can append to the inbox of one host and do nothing else. */
  async addAgent(host, password) {
    const rules = [
      "on",
      "resetpass",
      `>${password}`,
      "resetkeys",
      "resetchannels",
      "-@all",
      "+xadd",
      `%W~in:${host}:*`
    ];
    await this.admin("ACL", "SETUSER", `agent-${host}`, ...rules);
    await this.admin("ACL", "SAVE");
    return this.address(`agent-${host}`, password);
  }
  /** One command as the administrator. */
  async admin(...command) {
    const connection = await RedisConnection.open({ host: "", port: 0, path: this.socket });
    try {
      return await connection.command(...command);
    } finally {
      connection.close();
    }
  }
  /** Entries of a stream, as fields. */
  async entries(stream) {
    const reply = await this.admin("XRANGE", stream, "-", "+");
    return reply.map(([, parts]) => {
      const fields = {};
      for (let i = 0; i < parts.length; i += 2) fields[parts[i] ?? ""] = parts[i + 1] ?? "";
      return fields;
    });
  }
  #file(name) {
    return join(this.directory, name);
  }
};
async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

// test/agent/support.ts
import { mkdtempSync as mkdtempSync2, readFileSync as readFileSync2, rmSync as rmSync2 } from "node:fs";
import { tmpdir as tmpdir2 } from "node:os";
import { join as join2 } from "node:path";
import { build } from "esbuild";
async function bundleAgent() {
  const directory2 = mkdtempSync2(join2(tmpdir2(), "pipeline-agent-"));
  const path = join2(directory2, "agent.js");
  await build({
    entryPoints: [join2("/work/main/test/agent", "../../src/agent/main.ts")],
    bundle: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    minify: true,
    outfile: path,
    logLevel: "error"
  });
  return { path, remove: () => rmSync2(directory2, { recursive: true, force: true }) };
}

// bench/agent/main.ts
var { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    interval: { type: "string", default: "1" },
    lines: { type: "string", default: "2000" },
    flags: { type: "string", default: "--max-semi-space-size=1 --max-old-space-size=64 --v8-pool-size=1" }
  }
});
var seconds = Number(values.seconds);
var intervalSeconds = Number(values.interval);
var linesPerSecond = Number(values.lines);
var flags = values.flags.split(" ").filter((flag) => flag !== "");
var WARM_UP_SECONDS = 10;
var EXPORTER_PORT = 19101;
var directory = mkdtempSync3(join3(tmpdir3(), "pipeline-bench-"));
var children = [];
var timers = [];
function look(program) {
  const stat = readFileSync3(`/proc/${program.pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  program.ticks.push(Number(fields[11]) + Number(fields[12]));
  program.kilobytes.push(
    Number(/VmRSS:\s+(\d+)/.exec(readFileSync3(`/proc/${program.pid}/status`, "utf8"))?.[1])
  );
}
function start(name, command, args) {
  const child = spawn2(command, args, { stdio: ["ignore", "ignore", "ignore"] });
  children.push(child);
  return { name, pid: child.pid ?? 0, ticks: [], kilobytes: [] };
}
function makeLines(count) {
  let text = "";
  for (let i = 0; i < count; i++) {
    const time = (2e-3 * Math.exp(3 * Math.random() ** 3)).toFixed(3);
    const status = i % 97 === 0 ? 500 : 200;
    const release = i % 10 === 0 ? "20240102-0fb8c1c" : "20240101-05c965f";
    text += `{"msec":${(Date.now() / 1e3).toFixed(3)},"app":"checkbox","variant":"blue","release":"${release}","method":"GET","uri":"/api/study/${"abcdefghijklmnopqrst"[i % 20]}/load/${1e6 + i * 7919 % 1e6}?x=${i}","status":${status},"bytes":${400 + i % 1e3},"time":${time},"upstream_time":"${time}","upstream_header_time":"${time}","upstream_status":"${status}","upstream_addr":"127.0.0.1:3001","id":"8f14e45fceea167a5a36dedd4bea2543"}
`;
  }
  return text;
}
async function run() {
  const missing = redisUnavailable();
  if (missing !== void 0) throw new Error(missing);
  const redis = await TestRedis.start();
  const agent = await bundleAgent();
  try {
    const programs = [await startAgent("agent, no traffic", "idle", [], redis, agent.path)];
    const log = join3(directory, "busy.json.log");
    writeFileSync2(log, "");
    const logs = [{ server: "nginx", path: log }];
    programs.push(await startAgent(`agent, ${linesPerSecond} lines/s`, "busy", logs, redis, agent.path));
    if (spawnSync2("prometheus-node-exporter", ["--version"]).status === 0) {
      const listen = `--web.listen-address=127.0.0.1:${EXPORTER_PORT}`;
      programs.push(start("node_exporter (Debian), scraped", "prometheus-node-exporter", [listen]));
      timers.push(setInterval(scrape, intervalSeconds * 1e3));
    } else console.log("node_exporter is absent: apt-get install prometheus-node-exporter");
    const chunk = makeLines(Math.round(linesPerSecond / 10));
    timers.push(setInterval(() => appendFileSync(log, chunk), 100));
    const rotate = () => {
      renameSync(log, join3(directory, "rotated"));
      writeFileSync2(log, "");
    };
    timers.push(setInterval(rotate, 6e4));
    await new Promise((resolve) => setTimeout(resolve, WARM_UP_SECONDS * 1e3));
    for (let second = 0; second <= seconds; second++) {
      for (const program of programs) look(program);
      if (second < seconds) await new Promise((resolve) => setTimeout(resolve, 1e3));
    }
    await report(programs, redis);
  } finally {
    for (const timer of timers) clearInterval(timer);
    for (const child of children) child.kill("SIGKILL");
    agent.remove();
    await redis.remove();
    rmSync3(directory, { recursive: true });
  }
}
async function startAgent(name, host, logs, redis, path) {
  const config = join3(directory, `${host}.json`);
  const address = await redis.addAgent(host, "secret");
  writeFileSync2(config, JSON.stringify({ host, intervalSeconds, redis: address, logs }), { mode: 384 });
  return start(name, process.execPath, [...flags, path, "run", "--config", config]);
}
function scrape() {
  get({ host: "127.0.0.1", port: EXPORTER_PORT, path: "/metrics" }, (response) => response.resume()).on(
    "error",
    (error) => {
      console.log(`node_exporter: ${error.message}`);
    }
  );
}
async function report(programs, redis) {
  console.log(
    `${seconds} s, one sample every ${intervalSeconds} s, after ${WARM_UP_SECONDS} s of warm-up; flags ${flags.join(" ") || "none"}
`
  );
  console.log("| program | memory at the end | highest | growth over the last half | of a core |");
  console.log("|---|---|---|---|---|");
  for (const { name, ticks, kilobytes } of programs) {
    const used = ((ticks.at(-1) ?? 0) - (ticks[0] ?? 0)) / 100 / seconds;
    const megabytes = (value = 0) => `${(value / 1024).toFixed(1)} MB`;
    const half = kilobytes[Math.floor(kilobytes.length / 2)] ?? 0;
    const end = kilobytes.at(-1) ?? 0;
    console.log(
      `| ${name} | ${megabytes(end)} | ${megabytes(Math.max(...kilobytes))} | ${megabytes(end - half)} | ${(used * 100).toFixed(2)} % |`
    );
  }
  for (const host of ["idle", "busy"]) {
    const stream = `in:${host}:samples`;
    const [length, bytes] = [
      await redis.admin("XLEN", stream),
      await redis.admin("MEMORY", "USAGE", stream, "SAMPLES", "0")
    ];
    console.log(
      `
${host}: ${length} samples in the inbox, ${Math.round(Number(bytes) / Number(length))} bytes each`
    );
  }
  const lines = (await redis.entries("in:busy:samples")).reduce(
    (sum, fields) => sum + (JSON.parse(fields.agent ?? "[[]]")[0][6] ?? 0),
    0
  );
  console.log(`log lines counted: ${lines}`);
}
await run();
