// bench/judge/main.ts
import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";

// bench/judge/limits.ts
import betainc from "@stdlib/math-base-special-betainc";
function upperLimit(hits, runs) {
  if (hits >= runs) return 1;
  let low = hits / runs;
  let high = 1;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (betainc(middle, hits + 1, runs - hits) < 0.975) low = middle;
    else high = middle;
  }
  return high;
}

// src/judge/types.ts
var HISTOGRAM_GAMMA = 1.02;

// src/judge/histogram.ts
var LN_GAMMA = Math.log(HISTOGRAM_GAMMA);
function bucketOf(value) {
  return Math.ceil(Math.log(value) / LN_GAMMA - 1e-9) + 0;
}
function upperEdge(index) {
  return Math.exp(index * LN_GAMMA);
}

// src/judge/input-error.ts
var JudgeInputError = class extends Error {
  name = "JudgeInputError";
  /** Where in the document, e.g. `metricSetPairList[2].values.control[7]`. */
  path;
  /** What the judge expects there. */
  expected;
  constructor(path, expected, found) {
    super(`${path}: expected ${expected}${found === void 0 ? "" : `, found ${describe(found)}`}.`);
    this.path = path;
    this.expected = expected;
  }
};
function describe(value) {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 40 ? `${text.slice(0, 40)}\u2026` : text;
}

// src/judge/sequential/slots.ts
var SLOTS = 2048;
var OFFSET = 512;
var NO_COUNTS = { slots: [], counts: [], total: 0 };
function slotOfIndex(index) {
  return Math.min(SLOTS - 1, Math.max(1, index + OFFSET));
}
function slotOfValue(value) {
  return value <= 0 ? 0 : slotOfIndex(bucketOf(value));
}
function nearestSlot(value) {
  return value <= 0 ? 0 : slotOfIndex(Math.round(Math.log(value) / Math.log(HISTOGRAM_GAMMA)));
}
function slotEdge(slot) {
  return slot === 0 ? 0 : upperEdge(slot - OFFSET);
}
function slotMiddle(slot) {
  return slot === 0 ? 0 : upperEdge(slot - OFFSET - 0.5);
}
var EDGES = Float64Array.from({ length: SLOTS }, (_, slot) => slotEdge(slot));
function spread(block, resolution) {
  if (resolution <= 0) return block;
  const bySlot = /* @__PURE__ */ new Map();
  const add = (slot, count2) => bySlot.set(slot, (bySlot.get(slot) ?? 0) + count2);
  for (const [i, slot] of block.slots.entries()) {
    const count2 = block.counts[i];
    const top = EDGES[slot];
    const bottom = slot === 0 ? 0 : EDGES[slot - 1];
    if (top - bottom >= resolution) {
      add(slot, count2);
      continue;
    }
    const ticks = Math.round(top / resolution) * resolution;
    const value = ticks > bottom && ticks <= top ? ticks : (bottom + top) / 2;
    const low = Math.max(0, value - resolution / 2);
    const high = value + resolution / 2;
    const first = Math.max(slotOfValue(low), slotOfValue(resolution / 64));
    const last = slotOfValue(high);
    for (let target = first; target <= last; target++) {
      const from = target === first ? low : EDGES[target - 1];
      const to = target === last ? high : EDGES[target];
      add(target, count2 * (to - from) / (high - low));
    }
  }
  return fromMap(bySlot);
}
function sparse(histograms2) {
  const bySlot = /* @__PURE__ */ new Map();
  for (const { zero = 0, counts } of histograms2) {
    if (zero > 0) bySlot.set(0, (bySlot.get(0) ?? 0) + zero);
    for (const [index, count2] of Object.entries(counts)) {
      const slot = slotOfIndex(Number(index));
      bySlot.set(slot, (bySlot.get(slot) ?? 0) + count2);
    }
  }
  return fromMap(bySlot);
}
function merge(a, b) {
  if (a.total === 0) return b;
  if (b.total === 0) return a;
  const bySlot = new Map(a.slots.map((slot, i) => [slot, a.counts[i]]));
  for (const [i, slot] of b.slots.entries())
    bySlot.set(slot, (bySlot.get(slot) ?? 0) + b.counts[i]);
  return fromMap(bySlot);
}
function fromMap(bySlot) {
  const slots = [...bySlot.keys()].sort((a, b) => a - b);
  const counts = slots.map((slot) => bySlot.get(slot));
  return { slots, counts, total: counts.reduce((sum3, count2) => sum3 + count2, 0) };
}
function shareFrom(block, slot) {
  let above = 0;
  for (let i = block.slots.length - 1; i >= 0 && block.slots[i] >= slot; i--)
    above += block.counts[i];
  return above / block.total;
}
function noDenseCounts() {
  return { counts: new Float64Array(SLOTS), total: 0 };
}
function addBlock(dense, block) {
  if (block.total === 0) return dense;
  const counts = Float64Array.from(dense.counts);
  for (const [i, slot] of block.slots.entries())
    counts[slot] = counts[slot] + block.counts[i];
  return { counts, total: dense.total + block.total };
}
function quantileSlot(dense, quantile2) {
  const rank = quantile2 * dense.total;
  let seen = 0;
  for (let slot = 0; slot < SLOTS; slot++) {
    seen += dense.counts[slot];
    if (seen >= rank && seen > 0) return slot;
  }
  return SLOTS - 1;
}
function thinned(block, size, random) {
  let left = block.total;
  let wanted = size;
  const counts = block.counts.map((count2) => {
    let taken = 0;
    for (let i = 0; i < count2; i++, left--) {
      if (random() * left < wanted) {
        taken++;
        wanted--;
      }
    }
    return taken;
  });
  return { slots: block.slots, counts, total: size };
}

// src/judge/sequential/trials.ts
function errorTrials({ baseline, candidate }, status) {
  const routes = /* @__PURE__ */ new Set([...Object.keys(baseline.routes), ...Object.keys(candidate.routes)]);
  const events = (route) => {
    if (route === void 0) return 0;
    return status === "4xx" ? route.status["4xx"] ?? 0 : failures(route);
  };
  return [...routes].map((name) => ({
    candidateTrials: candidate.routes[name]?.requests ?? 0,
    candidateEvents: events(candidate.routes[name]),
    baselineTrials: baseline.routes[name]?.requests ?? 0,
    baselineEvents: events(baseline.routes[name])
  }));
}
function failures({ requests, status }) {
  const answeredWell = (status["2xx"] ?? 0) + (status["3xx"] ?? 0) + (status["4xx"] ?? 0);
  return Math.max(0, requests - answeredWell);
}
function bodyTrials({ baseline, candidate }) {
  return [
    {
      candidateTrials: candidate.bodies?.compared ?? 0,
      candidateEvents: candidate.bodies?.disagreed ?? 0,
      baselineTrials: baseline.bodies?.compared ?? 0,
      baselineEvents: baseline.bodies?.disagreed ?? 0
    }
  ];
}
function requestsOf(second) {
  return Object.values(second.routes).reduce((sum3, route) => sum3 + route.requests, 0);
}

// src/judge/kayenta/from-experiment.ts
var POINTS = 12;
var LONGEST_STEP = 60;
function toKayentaDocument(experiment, stepSeconds) {
  const { config, seconds } = experiment;
  const first = seconds[0]?.at ?? 0;
  const length = (seconds.at(-1)?.at ?? 0) - first + 1;
  const step = stepSeconds ?? Math.min(LONGEST_STEP, Math.max(1, Math.floor(length / POINTS)));
  const metrics = metricsOf(config);
  const sides = {
    control: steps(seconds, "baseline", config, step),
    experiment: steps(seconds, "candidate", config, step)
  };
  const values = (metric2, side2) => sides[side2].map((part) => metric2.value(part)).map((value) => Number.isFinite(value) ? value : "NaN");
  const measured2 = metrics.filter(
    (metric2) => [...values(metric2, "control"), ...values(metric2, "experiment")].some((value) => value !== "NaN")
  );
  return {
    canaryConfig: {
      name: "pipeline canary",
      description: `One point for every ${step} s`,
      configVersion: "1",
      applications: [],
      judge: { name: "NetflixACAJudge-v1.0", judgeConfigurations: {} },
      metrics: measured2.map(({ name, group, critical, allowedIncrease }) => ({
        name,
        groups: [group],
        analysisConfigurations: {
          canary: { direction: "increase", critical, effectSize: { allowedIncrease } }
        }
      })),
      templates: {},
      classifier: { groupWeights: {} }
    },
    scoreThresholds: { pass: 95, marginal: 75 },
    metricSetPairList: measured2.map((metric2) => ({
      name: metric2.name,
      id: metric2.name,
      tags: {},
      values: { control: values(metric2, "control"), experiment: values(metric2, "experiment") }
    }))
  };
}
function steps(seconds, variant, { warmupSeconds }, step) {
  const active = seconds.filter(
    (second) => Object.values(second[variant].routes).some((route) => route.requests > 0)
  );
  const start = (active[0]?.at ?? 0) + warmupSeconds;
  const warm = active.filter((second) => second.at >= start);
  const count2 = Math.ceil(((warm.at(-1)?.at ?? start - 1) - start + 1) / step);
  return Array.from(
    { length: count2 },
    (_, index) => warm.filter((second) => Math.floor((second.at - start) / step) === index).map((second) => second[variant])
  );
}
function metricsOf(config) {
  const { metrics } = config;
  const latency = config.quantiles.map(({ quantile: quantile2, tolerance }) => ({
    name: `latency p${Number((quantile2 * 100).toPrecision(6))}`,
    group: "latency",
    critical: false,
    allowedIncrease: 1 + tolerance,
    value: (seconds) => quantileOf(histograms(seconds, "latency"), quantile2, config.latencyResolutionMs)
  }));
  const mean2 = (name, group, tolerance, value) => ({
    name,
    group,
    critical: false,
    allowedIncrease: 1 + tolerance,
    value
  });
  return [
    rate("errors (5xx)", (second) => errorTrials({ baseline: second, candidate: second }, "5xx")),
    {
      ...rate("errors (4xx)", (second) => errorTrials({ baseline: second, candidate: second }, "4xx")),
      critical: false
    },
    rate("wrong bodies", (second) => bodyTrials({ baseline: second, candidate: second })),
    ...latency,
    mean2(
      "response size",
      "size",
      metrics.size.tolerance,
      (seconds) => quantileOf(histograms(seconds, "size"), 0.5, 0)
    ),
    mean2("cpu for each request", "resources", metrics.cpu.tolerance, (seconds) => {
      const measured2 = seconds.filter((second) => second.cpuSeconds !== void 0);
      return 1e3 * sum(measured2, (second) => second.cpuSeconds ?? 0) / sum(measured2, requestsOf);
    }),
    mean2("memory", "resources", metrics.memory.tolerance, (seconds) => {
      const measured2 = seconds.filter((second) => second.memoryBytes !== void 0);
      return sum(measured2, (second) => second.memoryBytes ?? 0) / measured2.length;
    }),
    mean2("restarts", "events", 0, (seconds) => total(seconds, "restarts")),
    mean2("error lines", "events", 0, (seconds) => total(seconds, "errorLines"))
  ];
}
function rate(name, trials) {
  return {
    name,
    group: "errors",
    critical: true,
    allowedIncrease: 1,
    value: (seconds) => {
      const strata = seconds.flatMap(trials);
      return sum(strata, (stratum) => stratum.candidateEvents) / sum(strata, (stratum) => stratum.candidateTrials);
    }
  };
}
function histograms(seconds, key) {
  return seconds.flatMap((second) => Object.values(second.routes).flatMap((route) => route[key] ?? []));
}
function quantileOf(parts, quantile2, resolution) {
  const dense = addBlock(noDenseCounts(), spread(sparse(parts), resolution));
  return dense.total === 0 ? Number.NaN : slotMiddle(quantileSlot(dense, quantile2));
}
function total(seconds, key) {
  const measured2 = seconds.filter((second) => second[key] !== void 0);
  return measured2.length === 0 ? Number.NaN : sum(measured2, (second) => second[key] ?? 0);
}
function sum(items, value) {
  return items.reduce((total2, item) => total2 + value(item), 0);
}

// src/judge/random.ts
function seededUniform(seed) {
  let state = seed | 0;
  return () => {
    state = state + 1831565813 | 0;
    let t = Math.imul(state ^ state >>> 15, 1 | state);
    t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t;
    return ((t ^ t >>> 14) >>> 0) / 4294967296;
  };
}

// src/judge/kayenta/brent.ts
var TOLERANCE = 1e-4;
var MAX_STEPS = 1001;
function findZero(f, low, high, fLow, fHigh) {
  if (fLow === 0) return low;
  if (fHigh === 0) return high;
  let [previous, fPrevious] = [low, fLow];
  let [best, fBest] = [high, fHigh];
  let [opposite, fOpposite] = [low, fLow];
  for (let steps2 = 0; steps2 < MAX_STEPS; steps2++) {
    let interpolation2 = function() {
      const span = opposite - best;
      let p;
      let q;
      if (previous === opposite) {
        const slope = fBest / fPrevious;
        p = span * slope;
        q = 1 - slope;
      } else {
        const previousToOpposite = fPrevious / fOpposite;
        const bestToOpposite = fBest / fOpposite;
        const bestToPrevious = fBest / fPrevious;
        p = bestToPrevious * (span * previousToOpposite * (previousToOpposite - bestToOpposite) - (best - previous) * (bestToOpposite - 1));
        q = (previousToOpposite - 1) * (bestToOpposite - 1) * (bestToPrevious - 1);
      }
      if (p > 0) q = -q;
      else p = -p;
      const within = p < 0.75 * span * q - Math.abs(tolerance * q) / 2 && p < Math.abs(lastStep * q / 2);
      return within ? p / q : void 0;
    };
    var interpolation = interpolation2;
    const lastStep = best - previous;
    if (Math.abs(fOpposite) < Math.abs(fBest)) {
      [previous, best, opposite] = [best, opposite, best];
      [fPrevious, fBest, fOpposite] = [fBest, fOpposite, fBest];
    }
    const tolerance = 2 * Number.EPSILON * Math.abs(best) + TOLERANCE / 2;
    const bisection = (opposite - best) / 2;
    if (Math.abs(bisection) <= tolerance || fBest === 0) return best;
    let step = bisection;
    if (Math.abs(lastStep) >= tolerance && Math.abs(fPrevious) > Math.abs(fBest)) {
      step = interpolation2() ?? bisection;
    }
    if (Math.abs(step) < tolerance) step = step > 0 ? tolerance : -tolerance;
    [previous, fPrevious] = [best, fBest];
    best += step;
    fBest = f(best);
    if (fBest > 0 && fOpposite > 0 || fBest < 0 && fOpposite < 0) {
      [opposite, fOpposite] = [previous, fPrevious];
    }
  }
  return best;
}

// src/judge/kayenta/normal.ts
var CENTRAL = [
  -364441206401782e-35,
  -16850591381820166e-35,
  128584807152564e-32,
  11157877678025181e-33,
  -1333171662854621e-31,
  20972767875968562e-33,
  6637638134358324e-30,
  -4054566272975207e-29,
  -8151934197605472e-29,
  26335093153082323e-28,
  -12975133253453532e-27,
  -5415412054294628e-26,
  10512122733215323e-25,
  -4112633980346984e-24,
  -29070369957882005e-24,
  42347877827932404e-23,
  -13654692000834679e-22,
  -13882523362786469e-21,
  18673420803405714e-20,
  -740702534166267e-18,
  -0.006033670871430149,
  0.24015818242558962,
  1.6536545626831027
];
var TAIL = [
  22137376921775787e-25,
  9075656193888539e-23,
  -27517406297064545e-23,
  18239629214389228e-24,
  15027403968909828e-22,
  -4013867526981546e-21,
  29234449089955446e-22,
  12475304481671779e-21,
  -47318229009055734e-21,
  6828485145957318e-20,
  24031110387097894e-21,
  -3550375203628475e-19,
  9532893797373805e-19,
  -0.0016882755560235047,
  0.002491442096107851,
  -0.003751208507569241,
  0.005370914553590064,
  1.0052589676941592,
  3.0838856104922208
];
var FAR_TAIL = [
  -27109920616438573e-27,
  -2555641816996525e-25,
  15076572693500548e-25,
  -3789465440126737e-24,
  761570120807834e-23,
  -1496002662714924e-23,
  2914795345090108e-23,
  -6771199775845234e-23,
  22900482228026655e-23,
  -99298272942317e-20,
  4526062597223154e-21,
  -1968177810553167e-20,
  7599527703001776e-20,
  -21503011930044477e-20,
  -13871931833623122e-20,
  1.0103004648645344,
  4.849906401408584
];
function normalQuantile(p) {
  return Math.SQRT2 * inverseErf(2 * p - 1);
}
function inverseErf(x) {
  const w = -Math.log((1 - x) * (1 + x));
  if (w < 6.25) return polynomial(CENTRAL, w - 3.125) * x;
  if (w < 16) return polynomial(TAIL, Math.sqrt(w) - 3.25) * x;
  return polynomial(FAR_TAIL, Math.sqrt(w) - 5) * x;
}
function polynomial(coefficients, x) {
  return coefficients.reduce((sum3, coefficient) => coefficient + sum3 * x, 0);
}

// src/judge/kayenta/mann-whitney.ts
var AllTiedError = class extends Error {
  name = "AllTiedError";
  constructor() {
    super("No interval can be computed where all observations are tied.");
  }
};
function mannWhitney(experiment, control, confidenceLevel) {
  const x = Float64Array.from(experiment).sort();
  const y = Float64Array.from(control).sort();
  const shifted = new Float64Array(x.length);
  const statistic = (shift) => rankStatistic(shiftInto(shifted, x, shift), y);
  const shiftMin = at(x, 0) - at(y, y.length - 1);
  const shiftMax = at(x, x.length - 1) - at(y, 0);
  const zMin = statistic(shiftMin);
  const zMax = statistic(shiftMax);
  const z = normalQuantile((1 - confidenceLevel) / 2);
  const root = (target) => findZero((shift) => statistic(shift) - target, shiftMin, shiftMax, zMin - target, zMax - target);
  const end = (target) => {
    if (zMin - target <= 0) return shiftMin;
    if (zMax - target >= 0) return shiftMax;
    return root(target);
  };
  return { low: end(-z), high: end(z), estimate: root(0) };
}
function shiftInto(target, x, shift) {
  for (let i = 0; i < x.length; i++) target[i] = at(x, i) - shift;
  if (Number.isFinite(shift)) return target;
  for (let i = 0; i < x.length; i++) if (Number.isNaN(at(target, i))) target[i] = Number.POSITIVE_INFINITY;
  return target.sort();
}
function rankStatistic(x, y) {
  const m = x.length;
  const n = y.length;
  const { ranks, ties } = rankSum(x, y);
  const deviation = ranks - m * (m + 1) / 2 - m * n / 2;
  const sigma = Math.sqrt(m * n / 12 * (m + n + 1 - ties / ((m + n) * (m + n - 1))));
  if (sigma === 0) throw new AllTiedError();
  return (deviation - Math.sign(deviation) * 0.5) / sigma;
}
function rankSum(x, y) {
  let ranks = 0;
  let ties = 0;
  let i = 0;
  let j = 0;
  while (i < x.length || j < y.length) {
    const start = i + j;
    const firstX = i;
    const value = j >= y.length || i < x.length && !before(at(y, j), at(x, i)) ? at(x, i) : at(y, j);
    while (i < x.length && equal(at(x, i), value)) i++;
    while (j < y.length && equal(at(y, j), value)) j++;
    const group = i + j - start;
    ranks += (i - firstX) * (start + (group + 1) / 2);
    ties += group * group * group - group;
  }
  return { ranks, ties };
}
var equal = (a, b) => a === b && (a !== 0 || Object.is(a, b));
var before = (a, b) => a < b || a === 0 && b === 0 && Object.is(a, -0) && Object.is(b, 0);
var at = (values, index) => values[index];

// src/judge/kayenta/statistics.ts
function mean(values) {
  const first = sum2(values) / values.length;
  let correction = 0;
  for (const value of values) correction += value - first;
  return first + correction / values.length;
}
function variance(values) {
  if (values.length === 1) return 0;
  const center = mean(values);
  let squares = 0;
  let residue = 0;
  for (const value of values) {
    const deviation = value - center;
    squares += deviation * deviation;
    residue += deviation;
  }
  return (squares - residue * residue / values.length) / (values.length - 1);
}
function percentile(sorted, p) {
  if (sorted.length === 0) return Number.NaN;
  const position = (sorted.length - 1) * (p / 100) + 1;
  const whole = Math.floor(position);
  const lower = sorted[Math.max(0, Math.min(sorted.length, whole) - 1)];
  if (whole >= sorted.length) return sorted[sorted.length - 1];
  return lower + (position - whole) * (sorted[whole] - lower);
}
function tukeyFences(sorted, factor) {
  const q1 = percentile(sorted, 25);
  const q3 = percentile(sorted, 75);
  const range = q3 - q1;
  return { low: q1 - factor * range, high: q3 + factor * range };
}
function withoutOutliers(values, factor) {
  const sorted = Float64Array.from(values).sort();
  const fences = tukeyFences(sorted, factor);
  const low = Math.min(percentile(sorted, 1), fences.low);
  const high = Math.max(percentile(sorted, 99), fences.high);
  return values.filter((value) => !(value > high || value < low));
}
function meanRatio(experiment, control) {
  const above = mean(experiment);
  const below = mean(control);
  return below === 0 || above === 0 ? Number.NaN : above / below;
}
function commonLanguageEffect(experiment, control) {
  const m = experiment.length;
  const n = control.length;
  const { ranks } = rankSum(Float64Array.from(experiment).sort(), Float64Array.from(control).sort());
  return (2 * ranks - m * (m + 1)) / (2 * n * m);
}
function roundToCents(value) {
  if (!Number.isFinite(value) || Math.abs(value) >= 1e15) return value;
  const [whole = "0", fraction = ""] = decimalDigits(Math.abs(value)).split(".");
  const cents = BigInt(whole + fraction.slice(0, 2).padEnd(2, "0")) + (Number(fraction[2] ?? 0) >= 5 ? 1n : 0n);
  return Math.sign(value) * Number(cents) / 100;
}
function decimalDigits(value) {
  const text = String(value);
  return text.includes("e") ? value.toFixed(20) : text;
}
function sum2(values) {
  let total2 = 0;
  for (const value of values) total2 += value;
  return total2;
}

// src/judge/kayenta/classify.ts
function prepare(values, config) {
  const known = config.nanStrategy === "remove" ? values.filter((value) => !Number.isNaN(value)) : values.map((value) => Number.isNaN(value) ? 0 : value);
  return config.outlierFactor === null ? known : withoutOutliers(known, config.outlierFactor);
}
function classify(experiment, control, config, settings) {
  if (experiment.length === 0 || control.length === 0) return withoutData(config);
  if (sameValues(experiment, control)) return pass("The Canary and Baseline data are identical");
  const bothConstant = isConstant(experiment) && isConstant(control);
  if (bothConstant && experiment[0] === control[0]) return pass(void 0);
  const [x, y] = bothConstant ? withNoise(experiment, control) : [experiment, control];
  const shift = mannWhitney(x, y, settings.confidenceLevel);
  const deviation = meanRatio(x, y);
  const effect = config.effectSize.measure === "cles" ? commonLanguageEffect(x, y) : deviation;
  const classification2 = compare(shift, effect, config, settings.tolerance);
  if (classification2 === "Pass") return { classification: classification2, reason: void 0, deviation, critical: false };
  const critical = config.critical && isCriticalEffect(classification2, effect, config);
  const reason = critical ? `The metric ${config.name} was classified as ${classification2} (Critical)` : `${config.name} was classified as ${classification2}`;
  return { classification: classification2, reason, deviation, critical };
}
function withoutData(config) {
  if (config.nanStrategy === "replace") return pass(void 0);
  const fails = config.mustHaveData && !config.critical;
  return {
    classification: fails ? "NodataFailMetric" : "Nodata",
    reason: `Missing data for ${config.name}`,
    deviation: 1,
    critical: config.critical
  };
}
function compare(shift, effect, { direction, effectSize }, tolerance) {
  const bound = tolerance * Math.abs(shift.estimate);
  if (direction !== "decrease" && shift.low > bound && !(effect < effectSize.allowedIncrease)) return "High";
  if (direction !== "increase" && shift.high < -bound && !(effect > effectSize.allowedDecrease)) return "Low";
  return "Pass";
}
function isCriticalEffect(classification2, effect, { effectSize }) {
  return classification2 === "High" ? !(effect < effectSize.criticalIncrease) : !(effect > effectSize.criticalDecrease);
}
var pass = (reason) => ({
  classification: "Pass",
  reason,
  deviation: 1,
  critical: false
});
function sameValues(a, b) {
  if (a.length !== b.length) return false;
  const sortedA = Float64Array.from(a).sort();
  const sortedB = Float64Array.from(b).sort();
  return sortedA.every((value, index) => value === sortedB[index]);
}
var isConstant = (values) => values.every((value) => value === values[0]);
function withNoise(experiment, control) {
  const normal = normalDraws(24301);
  const blur = (values) => values.map((value) => value + normal() * value * 1e-5);
  return [blur(experiment), blur(control)];
}
function normalDraws(seed) {
  const uniform = seededUniform(seed);
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

// src/judge/kayenta/input.ts
var NETFLIX_TOLERANCE = 0.25;
var NETFLIX_CONFIDENCE = 0.98;
var WORDS = {
  NaN: Number.NaN,
  "": Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  INF: Number.POSITIVE_INFINITY,
  "+INF": Number.POSITIVE_INFINITY,
  "-Infinity": Number.NEGATIVE_INFINITY,
  "-INF": Number.NEGATIVE_INFINITY
};
function readKayentaInput(document) {
  const root = object(document, "document");
  const config = object(root.canaryConfig, "canaryConfig");
  const judge = optional(config.judge, "canaryConfig.judge", object) ?? {};
  const settingsPath = "canaryConfig.judge.judgeConfigurations";
  const settings = optional(judge.judgeConfigurations, settingsPath, object) ?? {};
  const metrics = list(config.metrics, "canaryConfig.metrics").map(
    (metric2, index) => readMetric(metric2, `canaryConfig.metrics[${index}]`)
  );
  const byName = new Map(metrics.toReversed().map((metric2) => [metric2.name, metric2]));
  return {
    metrics: byName,
    pairs: list(root.metricSetPairList, "metricSetPairList").map(
      (pair, index) => readPair(pair, `metricSetPairList[${index}]`, byName)
    ),
    groupWeights: readWeights(config),
    thresholds: readThresholds(root, config),
    tolerance: optional(
      settings.tolerance,
      `${settingsPath}.tolerance`,
      numberWhere("a number \u2265 0", (n) => n >= 0)
    ) ?? NETFLIX_TOLERANCE,
    confidenceLevel: optional(
      settings.confidenceLevel,
      `${settingsPath}.confidenceLevel`,
      numberWhere("a number between 0 and 1", (n) => n > 0 && n < 1)
    ) ?? NETFLIX_CONFIDENCE
  };
}
function readMetric(value, path) {
  const metric2 = object(value, path);
  const analysisPath = `${path}.analysisConfigurations`;
  const analysis = optional(metric2.analysisConfigurations, analysisPath, object) ?? {};
  const at2 = `${analysisPath}.canary`;
  const canary = optional(analysis.canary, at2, object) ?? {};
  const effect = optional(canary.effectSize, `${at2}.effectSize`, object) ?? {};
  const outliers = optional(canary.outliers, `${at2}.outliers`, object) ?? {};
  const flag = (key) => optional(canary[key], `${at2}.${key}`, boolean) ?? false;
  const measure = effect.measure === "cles" ? "cles" : "meanRatio";
  const threshold = (key) => optional(effect[key], `${at2}.effectSize.${key}`, finite) ?? (measure === "cles" ? 0.5 : 1);
  const factorPath = `${at2}.outliers.outlierFactor`;
  const factor = optional(
    outliers.outlierFactor,
    factorPath,
    numberWhere("a number above 0", (n) => n > 0)
  ) ?? 3;
  const direction = canary.direction;
  return {
    name: string(metric2.name, `${path}.name`),
    groups: (optional(metric2.groups, `${path}.groups`, list) ?? []).map(
      (group, index) => string(group, `${path}.groups[${index}]`)
    ),
    // Words that Kayenta does not know mean its defaults.
    direction: direction === "increase" || direction === "decrease" ? direction : "either",
    nanStrategy: canary.nanStrategy === "replace" ? "replace" : "remove",
    outlierFactor: outliers.strategy === "remove" ? factor : null,
    critical: flag("critical"),
    mustHaveData: flag("mustHaveData"),
    muted: flag("muted"),
    effectSize: {
      measure,
      allowedIncrease: threshold("allowedIncrease"),
      allowedDecrease: threshold("allowedDecrease"),
      criticalIncrease: threshold("criticalIncrease"),
      criticalDecrease: threshold("criticalDecrease")
    }
  };
}
function readPair(value, path, metrics) {
  const pair = object(value, path);
  const name = string(pair.name, `${path}.name`);
  if (!metrics.has(name)) {
    throw new JudgeInputError(`${path}.name`, "the name of a metric in canaryConfig.metrics", name);
  }
  const values = object(pair.values, `${path}.values`);
  const tags = optional(pair.tags, `${path}.tags`, object);
  return {
    name,
    id: optional(pair.id, `${path}.id`, string),
    tags,
    control: series(values.control, `${path}.values.control`),
    experiment: series(values.experiment, `${path}.values.experiment`)
  };
}
function readWeights(config) {
  const classifier = optional(config.classifier, "canaryConfig.classifier", object) ?? {};
  const path = "canaryConfig.classifier.groupWeights";
  const weights = optional(classifier.groupWeights, path, object) ?? {};
  return new Map(
    Object.entries(weights).map(([group, weight]) => [group, finite(weight, `${path}.${group}`)])
  );
}
function readThresholds(root, config) {
  const classifier = optional(config.classifier, "canaryConfig.classifier", object) ?? {};
  const thresholds = object(root.scoreThresholds ?? classifier.scoreThresholds, "scoreThresholds");
  return {
    pass: finite(thresholds.pass, "scoreThresholds.pass"),
    marginal: finite(thresholds.marginal, "scoreThresholds.marginal")
  };
}
function series(value, path) {
  return Float64Array.from(list(value, path), (item, index) => {
    if (typeof item === "number") return item;
    if (item === null) return Number.NaN;
    const parsed = typeof item === "string" ? WORDS[item.trim()] ?? Number(item) : Number.NaN;
    if (typeof item !== "string" || Number.isNaN(parsed) && WORDS[item.trim()] === void 0) {
      throw new JudgeInputError(`${path}[${index}]`, 'a number, "NaN" or null', item);
    }
    return parsed;
  });
}
function optional(value, path, read) {
  return value === void 0 || value === null ? void 0 : read(value, path);
}
function object(value, path) {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new JudgeInputError(path, "an object", value ?? null);
  }
  return value;
}
function list(value, path) {
  if (!Array.isArray(value)) throw new JudgeInputError(path, "a list", value ?? null);
  return value;
}
function string(value, path) {
  if (typeof value !== "string") throw new JudgeInputError(path, "a text", value ?? null);
  return value;
}
function boolean(value, path) {
  if (typeof value !== "boolean") throw new JudgeInputError(path, "true or false", value);
  return value;
}
function finite(value, path) {
  if (typeof value !== "number" || !Number.isFinite(value))
    throw new JudgeInputError(path, "a number", value ?? null);
  return value;
}
var numberWhere = (expected, holds) => (value, path) => {
  if (typeof value !== "number" || !holds(value)) throw new JudgeInputError(path, expected, value);
  return value;
};

// src/judge/kayenta/score.ts
function score(results, { groupWeights, thresholds }) {
  const groups = scoreGroups(results);
  const failure = overridingFailure(results);
  const value = failure === void 0 ? summaryScore(groups, groupWeights) : 0;
  const classification2 = value >= thresholds.pass ? "Pass" : value >= thresholds.marginal ? "Marginal" : "Fail";
  return {
    score: { score: value, classification: classification2, classificationReason: failure ?? "" },
    groupScores: groups.map(({ name, score: score3 }) => ({
      name,
      score: score3,
      classification: "",
      classificationReason: ""
    }))
  };
}
function overridingFailure(results) {
  const critical = results.find((result) => result.critical && result.classification !== "Pass");
  if (critical !== void 0) return `Canary Failed: ${critical.classificationReason ?? "null"}`;
  const missing = results.filter((result) => result.classification === "Nodata").length;
  if (missing / results.length * 100 >= 50) return "Canary Failed: 50% or more metrics returned NODATA";
  return void 0;
}
function scoreGroups(results) {
  const names2 = new Set(results.flatMap((result) => result.groups));
  return [...names2].map((name) => {
    const labels = results.flatMap(
      (result) => result.groups.filter((group) => group === name).map(() => result.classification)
    );
    const passed = labels.filter((label2) => label2 === "Pass").length;
    const counted = labels.filter((label2) => label2 !== "Nodata" && label2 !== "Error").length;
    return { name, score: counted === 0 ? 0 : passed / counted * 100, hasData: counted > 0 };
  });
}
function summaryScore(groups, weights) {
  const weightSum = [...weights.values()].reduce((sum3, weight) => sum3 + weight, 0);
  const unweighted = groups.filter((group) => !weights.has(group.name)).length;
  const share = unweighted > 0 ? (100 - weightSum) / unweighted : 0;
  const total2 = groups.reduce(
    (sum3, group) => sum3 + (group.hasData ? group.score : 100) * ((weights.get(group.name) ?? share) / 100),
    0
  );
  return roundToCents(total2);
}

// src/judge/kayenta/judge.ts
var KAYENTA_JUDGE_NAME = "NetflixACAJudge-v1.0";
function judgeKayenta(document) {
  const input = readKayentaInput(document);
  const results = input.pairs.map((pair) => judgeMetric(pair, input));
  const scored = score(
    results.filter((result) => !result.muted),
    input
  );
  return {
    judgeName: KAYENTA_JUDGE_NAME,
    results,
    groupScores: scored.groupScores,
    score: scored.score
  };
}
function judgeMetric(pair, input) {
  const config = input.metrics.get(pair.name);
  const experiment = prepare(pair.experiment, config);
  const control = prepare(pair.control, config);
  return {
    name: pair.name,
    ...pair.tags === void 0 ? {} : { tags: pair.tags },
    ...pair.id === void 0 ? {} : { id: pair.id },
    ...classification(experiment, control, config, input),
    groups: config.groups,
    experimentMetadata: metadata(experiment),
    controlMetadata: metadata(control),
    muted: config.muted
  };
}
function classification(experiment, control, config, input) {
  try {
    const result = classify(experiment, control, config, input);
    return {
      classification: result.classification,
      ...result.reason === void 0 ? {} : { classificationReason: result.reason },
      resultMetadata: { ratio: json(result.deviation) },
      critical: result.critical
    };
  } catch (error) {
    if (!(error instanceof AllTiedError)) throw error;
    return { classification: "Error", classificationReason: "Metric Classification Failed", critical: false };
  }
}
function metadata(values) {
  const count2 = values.length;
  if (count2 === 0) return { stats: { min: 0, max: 0, mean: 0, std: 0, count: count2 } };
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (value < min) min = value;
    if (value > max) max = value;
  }
  const std = Math.sqrt(variance(values));
  return { stats: { min: json(min), max: json(max), mean: json(mean(values)), std: json(std), count: count2 } };
}
function json(value) {
  return Number.isFinite(value) ? value : String(value);
}

// src/judge/sequential/config.ts
var metric = (role, weight, [tolerance, margin, absolute]) => ({ role, weight, tolerance, margin, absolute });
var quantile = (at2, weight, margin) => ({
  quantile: at2,
  ...metric("critical", weight, [0.1, margin, 1])
});
var defaultSequentialConfig = {
  alpha: 0.01,
  promoteAlpha: 0.05,
  intervalLevel: 0.95,
  warmupSeconds: 5,
  minimumSeconds: 15,
  deadlineSeconds: null,
  latencyBlockSeconds: 1,
  gaugeBlockSeconds: 5,
  latencyResolutionMs: 1,
  brokenShare: 0.5,
  traffic: "interleaved",
  quantiles: [quantile(0.5, 10, 0.15), quantile(0.9, 10, 0.2), quantile(0.99, 15, 0.5)],
  routeWeight: 5,
  metrics: {
    "errors-5xx": metric("critical", 40, [0, 0.25, 5e-3]),
    "errors-4xx": metric("critical", 5, [0, 0.25, 5e-3]),
    bodies: metric("critical", 10, [0, 0.25, 0.01]),
    restarts: metric("watched", 3, [0, 0, 0]),
    "error-lines": metric("watched", 2, [0, 0, 0]),
    "latency-distribution": metric("informative", 0, [0, 0, 0.15]),
    size: metric("informative", 5, [0.1, 0.1, 16]),
    cpu: metric("informative", 5, [0.2, 0.3, 0]),
    memory: metric("informative", 5, [0.2, 0.3, 16 * 1024 * 1024])
  }
};
function sequentialConfig(options = {}) {
  const defaults = defaultSequentialConfig;
  const metrics = Object.fromEntries(
    Object.entries(defaults.metrics).map(([kind, settings]) => [
      kind,
      { ...settings, ...options.metrics?.[kind] }
    ])
  );
  const config = { ...defaults, ...options, metrics };
  check(config);
  return config;
}
function check(config) {
  const require2 = (holds, path, expected, found) => {
    if (!holds) throw new JudgeInputError(`config.${path}`, expected, found);
  };
  for (const key of ["alpha", "promoteAlpha", "intervalLevel", "brokenShare"]) {
    require2(config[key] > 0 && config[key] < 1, key, "a number between 0 and 1", config[key]);
  }
  for (const key of ["warmupSeconds", "minimumSeconds", "latencyResolutionMs"]) {
    require2(config[key] >= 0, key, "a number \u2265 0", config[key]);
  }
  for (const key of ["latencyBlockSeconds", "gaugeBlockSeconds"]) {
    require2(Number.isInteger(config[key]) && config[key] > 0, key, "a whole number of seconds \u2265 1", config[key]);
  }
  const traffic = config.traffic;
  require2(traffic === "interleaved" || traffic === "sequential", "traffic", "interleaved or sequential", traffic);
  const named = [
    ...Object.entries(config.metrics).map(([kind, settings]) => [`metrics.${kind}`, settings]),
    ...config.quantiles.map((settings, i) => [`quantiles[${i}]`, settings])
  ];
  for (const [path, { role, weight, tolerance, margin, absolute }] of named) {
    require2(["critical", "watched", "informative"].includes(
      role
    ), `${path}.role`, "critical, watched or informative", role);
    require2(weight >= 0 && (weight > 0 || role === "informative"), `${path}.weight`, "a number above 0", weight);
    require2(tolerance >= 0, `${path}.tolerance`, "a number \u2265 0", tolerance);
    require2(margin >= tolerance, `${path}.margin`, "a number, at least the tolerance", margin);
    require2(absolute >= 0, `${path}.absolute`, "a number \u2265 0", absolute);
  }
  const wholes = config.metrics["latency-distribution"].role;
  require2(wholes === "informative", "metrics.latency-distribution.role", "informative", wholes);
  for (const [i, { quantile: at2 }] of config.quantiles.entries()) {
    require2(at2 > 0 && at2 < 1, `quantiles[${i}].quantile`, "a number between 0 and 1", at2);
  }
}
function totalWeight({ metrics, quantiles, routeWeight }) {
  const deciding = [...Object.values(metrics), ...quantiles].filter(
    (settings) => settings.role !== "informative"
  );
  return deciding.reduce((sum3, settings) => sum3 + settings.weight, routeWeight);
}
function alphaShare(config, settings) {
  return settings.role === "informative" ? 1 : settings.weight / totalWeight(config);
}
function routeAlphaShare(config, order) {
  return config.routeWeight / (totalWeight(config) * order * (order + 1) * Math.max(1, config.quantiles.length));
}

// src/judge/sequential/hypergeometric.ts
var EXACT_OUTCOMES = 2e3;
function logMoments(events, candidate, baseline, slopes) {
  const lowest = Math.max(0, events - baseline);
  const highest = Math.min(events, candidate);
  if (highest - lowest > EXACT_OUTCOMES) {
    const share = candidate / (candidate + baseline);
    return slopes.map((slope) => events * Math.log(share * Math.exp(slope) + 1 - share));
  }
  const logWeights = new Float64Array(highest - lowest + 1);
  for (let c = lowest; c < highest; c++) {
    const odds2 = (events - c) * (candidate - c) / ((c + 1) * (baseline - events + c + 1));
    logWeights[c + 1 - lowest] = logWeights[c - lowest] + Math.log(odds2);
  }
  const total2 = logSum(logWeights, 0);
  return slopes.map((slope) => lowest * slope + logSum(logWeights, slope) - total2);
}
function logSum(weights, slope) {
  let largest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < weights.length; i++) largest = Math.max(largest, weights[i] + slope * i);
  let sum3 = 0;
  for (let i = 0; i < weights.length; i++) sum3 += Math.exp(weights[i] + slope * i - largest);
  return largest + Math.log(sum3);
}

// src/judge/sequential/wealth.ts
function startingWealth(channels, gamblers) {
  return { gamblers, logs: new Float64Array(channels * gamblers), peaks: new Float64Array(channels) };
}
function afterRound(wealth, gain) {
  const { gamblers } = wealth;
  const logs = Float64Array.from(wealth.logs);
  const peaks = Float64Array.from(wealth.peaks);
  for (let channel = 0; channel < peaks.length; channel++) {
    const start = channel * gamblers;
    for (let gambler = 0; gambler < gamblers; gambler++) {
      logs[start + gambler] = logs[start + gambler] + gain(channel, gambler);
    }
    const value = logMeanExp(logs, start, gamblers);
    if (value > peaks[channel]) peaks[channel] = value;
  }
  return { gamblers, logs, peaks };
}
function logEvidence(wealth, channel) {
  return logMeanExp(wealth.logs, channel * wealth.gamblers, wealth.gamblers);
}
function leadingWealth({ logs, gamblers }, channel) {
  return Math.max(...logs.subarray(channel * gamblers, (channel + 1) * gamblers));
}
function peakEvidence(wealth, channel) {
  return wealth.peaks[channel];
}
function progress(wealth, channel) {
  return {
    peak: peakEvidence(wealth, channel),
    current: logEvidence(wealth, channel),
    leader: leadingWealth(wealth, channel)
  };
}
function logMeanExp(values, start, count2) {
  let largest = Number.NEGATIVE_INFINITY;
  for (let i = start; i < start + count2; i++) largest = Math.max(largest, values[i]);
  if (largest === Number.NEGATIVE_INFINITY) return largest;
  let sum3 = 0;
  for (let i = start; i < start + count2; i++) sum3 += Math.exp(values[i] - largest);
  return largest + Math.log(sum3 / count2);
}

// src/judge/sequential/counts.ts
var ODDS = [1.3, 2, 4, 20];
var SLOPES = [...ODDS.map(Math.log), ...ODDS.map((odds2) => -Math.log(odds2))];
var MOST_FROM_A_SECOND = 2.5;
var STAKES = [0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 0.95];
var ENDS = [
  0,
  1e-3,
  2e-3,
  3e-3,
  5e-3,
  7e-3,
  0.01,
  0.015,
  0.02,
  0.03,
  0.04,
  0.05,
  0.07,
  0.1,
  0.15,
  0.2,
  0.3,
  0.4,
  0.5,
  0.6,
  0.7,
  0.8,
  0.9,
  0.95,
  0.98
];
var DIFFERENCES = [
  ...ENDS.slice(1).map((end) => -end).reverse(),
  ...ENDS
];
var NO_TRIALS = {
  candidateTrials: 0,
  candidateEvents: 0,
  baselineTrials: 0,
  baselineEvents: 0
};
function noCounts() {
  return {
    totals: NO_TRIALS,
    odds: startingWealth(2, ODDS.length),
    margin: startingWealth(1, 2 * STAKES.length),
    ends: startingWealth(2 * DIFFERENCES.length, STAKES.length)
  };
}
function countSecond(state, strata, margin) {
  const second = strata.reduce(addTrials, NO_TRIALS);
  if (second.candidateTrials + second.baselineTrials === 0) return state;
  const swapped = swap(second);
  return {
    totals: addTrials(state.totals, second),
    odds: betOnOdds(state.odds, strata),
    margin: afterRound(state.margin, (_, gambler) => {
      const stake = STAKES[gambler % STAKES.length];
      return gambler < STAKES.length ? gainAgainstDifference(second, stake, margin.difference) : gainAgainstRatio(second, stake, 1 + margin.ratio);
    }),
    ends: afterRound(state.ends, (channel, gambler) => {
      const stake = STAKES[gambler];
      if (channel < DIFFERENCES.length)
        return gainAgainstDifference(second, stake, DIFFERENCES[channel]);
      return gainAgainstDifference(swapped, stake, -DIFFERENCES[channel - DIFFERENCES.length]);
    })
  };
}
var worseCount = (state) => peakEvidence(state.odds, 0);
var lowerCount = (state) => peakEvidence(state.odds, 1);
var noWorseCount = (state) => progress(state.margin, 0);
function differenceInterval(state, level) {
  const threshold = Math.log(2 / (1 - level));
  const excluded = (channel) => peakEvidence(state.ends, channel) >= threshold;
  const count2 = DIFFERENCES.length;
  const above = DIFFERENCES.findIndex((_, index) => excluded(index));
  const below = DIFFERENCES.findLastIndex((_, index) => excluded(count2 + index));
  return [DIFFERENCES[below] ?? null, DIFFERENCES[above] ?? null];
}
function betOnOdds(odds2, strata) {
  const gains = new Float64Array(SLOPES.length);
  for (const { candidateTrials, candidateEvents, baselineTrials, baselineEvents } of strata) {
    const events = candidateEvents + baselineEvents;
    if (events === 0 || events === candidateTrials + baselineTrials) continue;
    if (candidateTrials === 0 || baselineTrials === 0) continue;
    const moments = logMoments(events, candidateTrials, baselineTrials, SLOPES);
    for (const [i, slope] of SLOPES.entries()) {
      gains[i] = gains[i] + candidateEvents * slope - moments[i];
    }
  }
  return afterRound(
    odds2,
    (channel, gambler) => Math.min(gains[channel * ODDS.length + gambler], MOST_FROM_A_SECOND)
  );
}
function gainAgainstDifference(stratum, stake, difference) {
  const { candidateTrials: n, candidateEvents, baselineTrials: m, baselineEvents } = stratum;
  const left = 1 - stake * difference;
  const payoff = baselineEvents === 0 ? 0 : baselineEvents * Math.log1p(stake / left * n / m);
  const cost = candidateEvents === 0 ? 0 : candidateEvents * Math.log1p(-stake);
  return payoff + cost - n * Math.log(left);
}
function gainAgainstRatio(stratum, stake, ratio2) {
  const { candidateTrials: n, candidateEvents, baselineTrials: m, baselineEvents } = stratum;
  const payoff = baselineEvents === 0 ? 0 : baselineEvents * Math.log1p(stake * ratio2 * n / m);
  return payoff + (candidateEvents === 0 ? 0 : candidateEvents * Math.log1p(-stake));
}
function addTrials(a, b) {
  return {
    candidateTrials: a.candidateTrials + b.candidateTrials,
    candidateEvents: a.candidateEvents + b.candidateEvents,
    baselineTrials: a.baselineTrials + b.baselineTrials,
    baselineEvents: a.baselineEvents + b.baselineEvents
  };
}
function swap(trials) {
  return {
    candidateTrials: trials.baselineTrials,
    candidateEvents: trials.baselineEvents,
    baselineTrials: trials.candidateTrials,
    baselineEvents: trials.candidateEvents
  };
}

// src/judge/sequential/symmetric.ts
var STEEPNESS = [0.15, 0.5, 1.5];
var STAKE = 0.98;
function noSymmetricBets(channels) {
  return { wealth: startingWealth(channels, STEEPNESS.length), sums: new Float64Array(channels), blocks: 0 };
}
function betOn(bets, differences2) {
  const { sums, blocks } = bets;
  const wealth = afterRound(bets.wealth, (channel, gambler) => {
    const difference = differences2[channel];
    if (difference === 0) return 0;
    const sum3 = sums[channel];
    const scaled = sum3 === 0 ? Math.sign(difference) : difference * blocks / sum3;
    return Math.log1p(STAKE * Math.tanh(STEEPNESS[gambler] * scaled));
  });
  return {
    wealth,
    sums: sums.map((sum3, channel) => sum3 + Math.abs(differences2[channel])),
    blocks: blocks + 1
  };
}

// src/judge/sequential/ratio-claims.ts
var STEPS = [1, 2, 3, 4, 5, 7, 9, 11, 14, 17, 21, 26, 32, 39, 47, 57, 70, 90, 120, 160, 232];
var SHIFTS = [...STEPS.map((step) => -step).reverse(), 0, ...STEPS];
var WORSE = 0;
var NO_WORSE = 1;
var LOWER = 2;
var ABOVE = 3;
var BELOW = ABOVE + SHIFTS.length;
var CHANNELS = BELOW + SHIFTS.length;
var noClaims = () => noSymmetricBets(CHANNELS);
function byChannel(differences2) {
  const result = new Float64Array(CHANNELS);
  result[WORSE] = differences2.worse;
  result[NO_WORSE] = differences2.noWorse;
  result[LOWER] = differences2.lower;
  for (const [i, shift] of SHIFTS.entries()) {
    result[ABOVE + i] = differences2.above(shift);
    result[BELOW + i] = differences2.below(shift);
  }
  return result;
}
function claimEvidence({ wealth }) {
  return {
    worse: peakEvidence(wealth, WORSE),
    lower: peakEvidence(wealth, LOWER),
    noWorse: progress(wealth, NO_WORSE)
  };
}
function ratioInterval({ wealth }, level) {
  const threshold = Math.log(2 / (1 - level));
  const shown = (channel) => peakEvidence(wealth, channel) >= threshold;
  const factor = (index) => index < 0 ? null : HISTOGRAM_GAMMA ** SHIFTS[index];
  const low = factor(SHIFTS.findLastIndex((_, i) => shown(ABOVE + i)));
  const high = factor(SHIFTS.findIndex((_, i) => shown(BELOW + i)));
  return low !== null && high !== null && low > high ? [high, low] : [low, high];
}
function raisedBy(value, ratio2, { absolute }) {
  return Math.max(value * (1 + ratio2), value + absolute);
}

// src/judge/sequential/distribution.ts
var KNOWN_BEYOND = 2;
function noDistribution(quantiles) {
  return { baseline: noDenseCounts(), candidate: noDenseCounts(), claims: quantiles.map(noClaims) };
}
function observeBlock(state, block, quantiles, compared = block) {
  const comparable = compared.baseline.total > 0 && compared.candidate.total > 0;
  const history = Math.min(state.baseline.total, state.candidate.total);
  return {
    baseline: addBlock(state.baseline, block.baseline),
    candidate: addBlock(state.candidate, block.candidate),
    claims: state.claims.map((bets, i) => {
      const settings = quantiles[i];
      const known = history * Math.min(settings.quantile, 1 - settings.quantile) >= KNOWN_BEYOND;
      return comparable && known ? betOn(bets, differences(state, compared, settings)) : bets;
    })
  };
}
function differences(state, block, settings) {
  const { baseline, candidate } = block;
  const atLeast = quantileSlot(state.baseline, settings.quantile);
  const above = atLeast + 1;
  const aboveCandidate = quantileSlot(state.candidate, settings.quantile) + 1;
  const shareAbove = shareFrom(baseline, above);
  const shareAtLeast = shareFrom(baseline, atLeast);
  const raised = (slot, ratio2) => nearestSlot(raisedBy(slotEdge(slot), ratio2, settings));
  return byChannel({
    worse: shareFrom(candidate, raised(above, settings.tolerance)) - shareAbove,
    noWorse: shareAtLeast - shareFrom(candidate, raised(atLeast, settings.margin)),
    lower: shareFrom(baseline, raised(aboveCandidate, settings.tolerance)) - shareFrom(candidate, aboveCandidate),
    above: (shift) => shareFrom(candidate, above + shift) - shareAbove,
    below: (shift) => shareAtLeast - shareFrom(candidate, atLeast + shift)
  });
}
function quantileOf2(dense, quantile2) {
  return dense.total === 0 ? null : slotMiddle(quantileSlot(dense, quantile2));
}
function distance({ baseline, candidate }, constant) {
  if (baseline.total === 0 || candidate.total === 0) return null;
  let largest = 0;
  let difference = 0;
  for (let slot = 0; slot < baseline.counts.length; slot++) {
    difference += baseline.counts[slot] / baseline.total - candidate.counts[slot] / candidate.total;
    if (Math.abs(difference) > Math.abs(largest)) largest = difference;
  }
  const width = (t) => 0.85 * Math.sqrt((Math.log(1 + Math.log(Math.max(1, t))) + constant) / t);
  return {
    distance: Math.abs(largest),
    uncertainty: width(baseline.total) + width(candidate.total),
    candidateHigher: largest > 0
  };
}

// src/judge/sequential/gauges.ts
var noGauge = () => ({ claims: noClaims(), baselineSum: 0, candidateSum: 0, blocks: 0 });
function observeGauge(state, baseline, candidate, settings) {
  const ratio2 = Math.log(candidate / baseline);
  const step = Math.log(HISTOGRAM_GAMMA);
  const differences2 = byChannel({
    worse: Math.log(candidate / raisedBy(baseline, settings.tolerance, settings)),
    noWorse: Math.log(raisedBy(baseline, settings.margin, settings) / candidate),
    lower: Math.log(baseline / raisedBy(candidate, settings.tolerance, settings)),
    above: (shift) => ratio2 - shift * step,
    below: (shift) => shift * step - ratio2
  });
  return {
    claims: betOn(state.claims, differences2),
    baselineSum: state.baselineSum + baseline,
    candidateSum: state.candidateSum + candidate,
    blocks: state.blocks + 1
  };
}
var noEvents = () => ({
  bets: noSymmetricBets(2),
  baseline: 0,
  candidate: 0,
  seconds: 0
});
function observeEvents(state, { baseline, candidate }, seconds, comparable) {
  const difference = candidate - baseline;
  return {
    bets: comparable ? betOn(state.bets, Float64Array.of(difference, -difference)) : state.bets,
    baseline: state.baseline + baseline,
    candidate: state.candidate + candidate,
    seconds: state.seconds + seconds
  };
}

// src/judge/sequential/accounts.ts
var EQUAL_TRAFFIC = 1.5;
var none = { baseline: 0, candidate: 0 };
var NO_GAUGE_BLOCK = {
  seconds: 0,
  requests: none,
  cpuSeconds: none,
  memory: none,
  memoryReadings: none,
  restarts: none,
  errorLines: none
};
var NO_BLOCK = { baseline: NO_COUNTS, candidate: NO_COUNTS };
function noAccounts(config) {
  return {
    pairs: 0,
    requests: none,
    errors5xx: noCounts(),
    errors4xx: noCounts(),
    bodies: noCounts(),
    latency: noDistributionAccount(config.quantiles),
    routes: {},
    firstRoute: null,
    size: noDistributionAccount(sizeQuantiles(config)),
    gaugeBlock: NO_GAUGE_BLOCK,
    cpu: noGauge(),
    memory: noGauge(),
    restarts: noEvents(),
    errorLines: noEvents(),
    measured: {
      bodies: false,
      restarts: false,
      errorLines: false,
      cpuSeconds: false,
      memoryBytes: false,
      size: false
    }
  };
}
var noDistributionAccount = (quantiles) => ({
  distribution: noDistribution(quantiles),
  block: NO_BLOCK
});
function sizeQuantiles(config) {
  return [{ quantile: 0.5, ...config.metrics.size }];
}
function observePair(accounts, pair, age, config) {
  const { metrics } = config;
  const margin = (kind) => ({
    difference: metrics[kind].absolute,
    ratio: metrics[kind].margin
  });
  const counted = {
    ...accounts,
    pairs: accounts.pairs + 1,
    requests: plus(accounts.requests, both(pair, requestsOf)),
    errors5xx: countSecond(accounts.errors5xx, errorTrials(pair, "5xx"), margin("errors-5xx")),
    errors4xx: countSecond(accounts.errors4xx, errorTrials(pair, "4xx"), margin("errors-4xx")),
    bodies: countSecond(accounts.bodies, bodyTrials(pair), margin("bodies")),
    measured: measured(accounts.measured, pair)
  };
  const events = observeGauges(counted, pair, age >= config.warmupSeconds, config);
  return age < config.warmupSeconds ? events : observeDistributions(events, pair, config);
}
function observeDistributions(accounts, pair, config) {
  const blocks = latencyBlocks(pair, config.latencyResolutionMs);
  const names2 = Object.keys(blocks);
  const firstRoute = accounts.firstRoute ?? names2[0] ?? null;
  const routes = names2.some((name) => name !== firstRoute) ? severalRoutes(accounts, firstRoute) : { ...accounts.routes };
  for (const name of Object.keys(routes).length === 0 ? [] : names2) {
    const route = routes[name] ?? {
      ...noDistributionAccount(config.quantiles),
      order: Object.keys(routes).length + 1
    };
    const block = blocks[name] ?? NO_BLOCK;
    routes[name] = { ...route, ...observeSecond(route, block, accounts, config.quantiles, config) };
  }
  const latency = Object.values(blocks).reduce(mergePairs, NO_BLOCK);
  const size = both(
    pair,
    (second) => sparse(Object.values(second.routes).flatMap((route) => route.size === void 0 ? [] : [route.size]))
  );
  return {
    ...accounts,
    latency: observeSecond(accounts.latency, latency, accounts, config.quantiles, config),
    routes,
    firstRoute,
    size: observeSecond(accounts.size, size, accounts, sizeQuantiles(config), config)
  };
}
function latencyBlocks(pair, resolution) {
  const names2 = /* @__PURE__ */ new Set([...Object.keys(pair.baseline.routes), ...Object.keys(pair.candidate.routes)]);
  const block = (name) => both(pair, (second) => {
    const histogram = second.routes[name]?.latency;
    return histogram === void 0 ? NO_COUNTS : spread(sparse([histogram]), resolution);
  });
  return Object.fromEntries([...names2].map((name) => [name, block(name)]));
}
function severalRoutes({ routes, latency }, first) {
  return Object.keys(routes).length > 0 || first === null ? { ...routes } : { [first]: { ...latency, order: 1 } };
}
function observeSecond(account, second, { pairs, requests }, quantiles, config) {
  const block = mergePairs(account.block, second);
  if (pairs % config.latencyBlockSeconds !== 0) return { distribution: account.distribution, block };
  const compared = isEqual(requests) ? block : equalParts(block, pairs);
  return { distribution: observeBlock(account.distribution, block, quantiles, compared), block: NO_BLOCK };
}
function equalParts(block, seed) {
  const random = seededUniform(seed);
  const size = Math.floor(Math.min(block.baseline.total, block.candidate.total) + 1e-9);
  const part = (counts) => counts.total - size < 0.5 ? counts : thinned(counts, size, random);
  return { baseline: part(block.baseline), candidate: part(block.candidate) };
}
function observeGauges(accounts, pair, warm, config) {
  const { metrics } = config;
  const block = addToBlock(accounts.gaugeBlock, pair, warm);
  if (block.seconds < config.gaugeBlockSeconds) return { ...accounts, gaugeBlock: block };
  const perRequest = both(
    block.cpuSeconds,
    (_, variant) => 1e3 * block.cpuSeconds[variant] / block.requests[variant]
  );
  const memory = both(block.memory, (sum3, variant) => sum3 / block.memoryReadings[variant]);
  const gauge = (state, values, kind) => isPositive(values.baseline) && isPositive(values.candidate) ? observeGauge(state, values.baseline, values.candidate, metrics[kind]) : state;
  const { restarts, errorLines, seconds } = block;
  return {
    ...accounts,
    gaugeBlock: NO_GAUGE_BLOCK,
    cpu: gauge(accounts.cpu, perRequest, "cpu"),
    memory: gauge(accounts.memory, memory, "memory"),
    restarts: observeEvents(accounts.restarts, restarts, seconds, true),
    errorLines: observeEvents(accounts.errorLines, errorLines, seconds, isEqual(accounts.requests))
  };
}
function addToBlock(block, pair, warm) {
  const add = (sum3, value) => plus(
    sum3,
    both(pair, (second) => value(second) ?? 0)
  );
  const addWarm = (sum3, value) => warm ? add(sum3, value) : sum3;
  return {
    seconds: block.seconds + 1,
    requests: addWarm(block.requests, (second) => second.cpuSeconds === void 0 ? 0 : requestsOf(second)),
    cpuSeconds: addWarm(block.cpuSeconds, (second) => second.cpuSeconds),
    memory: addWarm(block.memory, (second) => second.memoryBytes),
    memoryReadings: addWarm(block.memoryReadings, (second) => second.memoryBytes === void 0 ? 0 : 1),
    restarts: add(block.restarts, (second) => second.restarts),
    errorLines: add(block.errorLines, (second) => second.errorLines)
  };
}
function measured(before2, pair) {
  const has = (key) => before2[key] || pair.baseline[key] !== void 0 && pair.candidate[key] !== void 0;
  const hasSize = (second) => Object.values(second.routes).some((route) => route.size !== void 0);
  return {
    bodies: has("bodies"),
    restarts: has("restarts"),
    errorLines: has("errorLines"),
    cpuSeconds: has("cpuSeconds"),
    memoryBytes: has("memoryBytes"),
    size: before2.size || hasSize(pair.baseline) || hasSize(pair.candidate)
  };
}
var isPositive = (value) => Number.isFinite(value) && value > 0;
function isEqual({ baseline, candidate }) {
  return Math.max(baseline, candidate) <= EQUAL_TRAFFIC * Math.min(baseline, candidate);
}
var mergePairs = (a, b) => ({
  baseline: merge(a.baseline, b.baseline),
  candidate: merge(a.candidate, b.candidate)
});
var plus = (a, b) => ({
  baseline: a.baseline + b.baseline,
  candidate: a.candidate + b.candidate
});
function both(pair, f) {
  return { baseline: f(pair.baseline, "baseline"), candidate: f(pair.candidate, "candidate") };
}

// src/judge/sequential/state.ts
function createSequentialJudge(options = {}) {
  const config = sequentialConfig(options);
  return {
    config,
    firstAt: null,
    lastAt: null,
    requests: { baseline: 0, candidate: 0 },
    lastRequestAt: { baseline: null, candidate: null },
    waiting: { baseline: [], candidate: [] },
    accounts: noAccounts(config)
  };
}
function observe(state, second) {
  if (state.lastAt !== null && second.at <= state.lastAt) {
    throw new JudgeInputError("second.at", `a second after ${state.lastAt}`, second.at);
  }
  const requests = { baseline: requestsOf(second.baseline), candidate: requestsOf(second.candidate) };
  const active = requests.baseline + requests.candidate > 0;
  const firstAt = state.firstAt ?? (active ? second.at : null);
  const next = {
    ...state,
    firstAt,
    lastAt: second.at,
    requests: {
      baseline: state.requests.baseline + requests.baseline,
      candidate: state.requests.candidate + requests.candidate
    },
    lastRequestAt: {
      baseline: requests.baseline > 0 ? second.at : state.lastRequestAt.baseline,
      candidate: requests.candidate > 0 ? second.at : state.lastRequestAt.candidate
    }
  };
  if (firstAt === null) return next;
  return state.config.traffic === "sequential" ? pairUp(next, second, requests) : { ...next, accounts: observePair(state.accounts, second, second.at - firstAt, state.config) };
}
function pairUp(state, second, requests) {
  const queue = (variant) => requests[variant] > 0 ? [...state.waiting[variant], second[variant]] : state.waiting[variant];
  const [baseline, ...laterBaseline] = queue("baseline");
  const [candidate, ...laterCandidate] = queue("candidate");
  if (baseline === void 0 || candidate === void 0) {
    return { ...state, waiting: { baseline: queue("baseline"), candidate: queue("candidate") } };
  }
  return {
    ...state,
    waiting: { baseline: laterBaseline, candidate: laterCandidate },
    accounts: observePair(state.accounts, { baseline, candidate }, state.accounts.pairs, state.config)
  };
}

// src/judge/sequential/failures.ts
function failureShares(totals) {
  const { baselineTrials, baselineEvents, candidateTrials, candidateEvents } = totals;
  if (baselineTrials === 0 || candidateTrials === 0) return null;
  return { baseline: baselineEvents / baselineTrials, candidate: candidateEvents / candidateTrials };
}

// src/judge/sequential/words.ts
function number(value) {
  if (!Number.isFinite(value)) return "unbounded";
  const short = Number(value.toPrecision(3));
  return Math.abs(short) >= 1e3 ? grouped(Math.round(value)) : String(short);
}
function grouped(value) {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ",");
}
function withUnit(value, unit) {
  if (value === null) return "nothing";
  if (unit === "share") return percent(value);
  if (unit === "bytes") return bytes(value);
  return `${number(value)} ${unit}`;
}
function percent(share) {
  return `${Number((share * 100).toPrecision(2))} %`;
}
function bytes(value) {
  if (value >= 1e6) return `${number(value / 1e6)} MB`;
  return value >= 1e4 ? `${number(value / 1e3)} kB` : `${number(Math.round(value))} bytes`;
}
function ratio(value) {
  if (value >= 2) return `${number(value)} times`;
  const change = Math.round((value - 1) * 1e3) / 10;
  if (Math.abs(change) < 0.1) return "equal";
  return change > 0 ? `${change} % higher` : `${-change} % lower`;
}
function points(difference) {
  const value = Number((Math.abs(difference) * 100).toPrecision(2));
  if (value === 0) return "equal";
  return `${value} percentage point${value === 1 ? "" : "s"} ${difference > 0 ? "more" : "fewer"}`;
}
function interval(result, say) {
  const [low, high] = result.interval ?? [null, null];
  if (low === null && high === null) return "";
  const level = `${percent(result.level)} interval`;
  if (low === null) return ` (${level}: at most ${say(high ?? 0)})`;
  if (high === null) return ` (${level}: at least ${say(low)})`;
  return low === high ? ` (${level}: ${say(low)})` : ` (${level}: ${say(low)} to ${say(high)})`;
}
function odds(logEvidence2) {
  if (logEvidence2 <= 0) return "none";
  if (logEvidence2 > Math.log(1e6)) return "more than 1,000,000 : 1";
  return `${number(Math.exp(logEvidence2))} : 1`;
}
function samples({ baseline, candidate }, unit) {
  return `${number(baseline)} ${unit} of the baseline and ${number(candidate)} of the candidate`;
}
function about(requests) {
  return grouped(Math.max(10, Number(requests.toPrecision(2))));
}
function list2(names2) {
  const last = names2.at(-1) ?? "";
  return names2.length < 2 ? last : `${names2.slice(0, -1).join(", ")} and ${last}`;
}

// src/judge/sequential/count-draft.ts
var RATE_WORDS = {
  "errors-5xx": { event: "failed or went unanswered", of: "requests", worse: "fails more often" },
  "errors-4xx": { event: "were refused with a 4xx", of: "requests", worse: "refuses more often" },
  bodies: {
    event: "differed from the baseline's",
    of: "compared answers",
    worse: "answers wrongly more often"
  }
};
function countDraft(name, kind, state, config) {
  const { candidateTrials, candidateEvents, baselineTrials, baselineEvents } = state.totals;
  const words = RATE_WORDS[kind];
  const sampleUnit = kind === "bodies" ? "comparisons" : "requests";
  const base = {
    name,
    kind,
    settings: config.metrics[kind],
    unit: "share",
    samples: { baseline: baselineTrials, candidate: candidateTrials },
    sampleUnit,
    worseWords: words.worse
  };
  if (candidateTrials === 0 || baselineTrials === 0) {
    const observed2 = {
      baseline: baselineTrials === 0 ? null : baselineEvents / baselineTrials,
      candidate: candidateTrials === 0 ? null : candidateEvents / candidateTrials
    };
    const finding = `Nothing to compare: ${samples(base.samples, sampleUnit)}.`;
    return { ...base, observed: observed2, effect: null, interval: null, strength: null, finding };
  }
  const observed = {
    baseline: baselineEvents / baselineTrials,
    candidate: candidateEvents / candidateTrials
  };
  const value = observed.candidate - observed.baseline;
  const ends = differenceInterval(state, config.intervalLevel);
  const side2 = (events, trials, share) => `${number(events)} of ${number(trials)} (${percent(share)})`;
  return {
    ...base,
    observed,
    effect: {
      name: `difference of the share of ${words.of}, candidate \u2212 baseline`,
      scale: "difference",
      value
    },
    interval: ends,
    strength: { worse: worseCount(state), lower: lowerCount(state), noWorse: noWorseCount(state) },
    finding: `Of the candidate's ${words.of}, ${side2(candidateEvents, candidateTrials, observed.candidate)} ${words.event}, of the baseline's ${side2(baselineEvents, baselineTrials, observed.baseline)}: ${points(value)}${interval({ interval: ends, level: config.intervalLevel }, points)}.`
  };
}

// src/judge/sequential/other-results.ts
var BAND_CONSTANT = 9.783;
var BAND_LEVEL = 0.99;
function distanceResult(state, config) {
  const counts = { baseline: Math.round(state.baseline.total), candidate: Math.round(state.candidate.total) };
  const base = {
    name: "latency distribution",
    kind: "latency-distribution",
    role: "informative",
    critical: false,
    weight: 0,
    observed: { baseline: null, candidate: null },
    unit: "share",
    level: BAND_LEVEL,
    samples: counts,
    sampleUnit: "answers",
    evidence: null,
    needsRequests: null
  };
  const found = distance(state, BAND_CONSTANT);
  if (found === null) {
    const reason = `Nothing to compare: ${samples(counts, "answers")}.`;
    return { ...base, verdict: "no data", effect: null, interval: null, reason };
  }
  const low = Math.max(0, found.distance - found.uncertainty);
  const high = Math.min(1, found.distance + found.uncertainty);
  const close2 = config.metrics["latency-distribution"].absolute;
  const differs = found.candidateHigher ? "high" : "low";
  const verdict2 = low > 0 ? differs : high <= close2 ? "pass" : "inconclusive";
  const why = {
    high: "They differ, the candidate being slower where they differ most.",
    low: "They differ, the candidate being faster where they differ most.",
    pass: `They are practically the same: not further apart than ${percent(close2)}.`,
    inconclusive: `Neither that they differ nor that they are within ${percent(close2)} is certain.`
  }[verdict2];
  return {
    ...base,
    verdict: verdict2,
    effect: {
      name: "largest distance of the distribution functions",
      scale: "difference",
      value: found.distance
    },
    interval: [low, high],
    reason: `The distribution functions of latency are up to ${percent(found.distance)} apart (${percent(BAND_LEVEL)} interval: ${percent(low)} to ${percent(high)}), over ${samples(counts, "answers")}. ${why}`
  };
}
function eventResult(name, kind, { bets, baseline, candidate, seconds }, config) {
  const settings = config.metrics[kind];
  const share = alphaShare(config, settings);
  const evidence = {
    worse: peakEvidence(bets.wealth, 0),
    worseThreshold: -Math.log(share * config.alpha),
    noWorse: 0,
    noWorseThreshold: -Math.log(config.promoteAlpha),
    lower: peakEvidence(bets.wealth, 1)
  };
  const alarm = evidence.worse >= evidence.worseThreshold;
  const fewer = evidence.lower >= evidence.worseThreshold;
  const verdict2 = alarm ? "high" : fewer ? "low" : candidate <= baseline ? "pass" : "inconclusive";
  const why = {
    high: `That the candidate has more has evidence of ${odds(evidence.worse)}; ${odds(evidence.worseThreshold)} was needed.`,
    low: "The candidate has fewer.",
    pass: "The candidate has no more than the baseline.",
    inconclusive: `The candidate has more, by what may be chance: evidence ${odds(evidence.worse)}, needed ${odds(evidence.worseThreshold)}.`
  }[verdict2];
  return {
    name,
    kind,
    role: settings.role,
    critical: settings.role === "critical",
    weight: settings.role === "informative" ? 0 : share,
    verdict: verdict2,
    observed: { baseline, candidate },
    unit: name,
    effect: {
      name: `difference of ${name}, candidate \u2212 baseline`,
      scale: "difference",
      value: candidate - baseline
    },
    interval: null,
    level: config.intervalLevel,
    samples: { baseline: seconds, candidate: seconds },
    sampleUnit: "seconds",
    evidence,
    needsRequests: null,
    reason: `${number(candidate)} ${name} of the candidate, ${number(baseline)} of the baseline in ${number(seconds)} s. ${why}`
  };
}

// src/judge/sequential/results.ts
var HEDGING = 1;
var MOST_REQUESTS = 1e7;
function finish(draft, config, requests) {
  const share = draft.share ?? alphaShare(config, draft.settings);
  const evidence = draft.strength === null ? null : evidenceOf(draft.strength, share, config);
  const verdict2 = evidence === null ? "no data" : label(evidence);
  const result = {
    name: draft.name,
    kind: draft.kind,
    ...draft.route === void 0 ? {} : { route: draft.route },
    role: draft.settings.role,
    critical: draft.settings.role === "critical",
    weight: draft.settings.role === "informative" ? 0 : share,
    verdict: verdict2,
    observed: draft.observed,
    unit: draft.unit,
    effect: draft.effect,
    interval: draft.interval,
    level: config.intervalLevel,
    samples: draft.samples,
    sampleUnit: draft.sampleUnit,
    evidence
  };
  const needsRequests = verdict2 === "inconclusive" && result.critical && draft.strength !== null && evidence !== null ? stillNeeded(draft.strength, evidence, requests) : null;
  const reason = evidence === null ? draft.finding : `${draft.finding} ${judgement(verdict2, evidence, draft)}`;
  return { ...result, needsRequests, reason };
}
function evidenceOf({ worse, lower, noWorse }, share, config) {
  return {
    worse,
    worseThreshold: -Math.log(share * config.alpha),
    noWorse: noWorse.peak,
    noWorseThreshold: -Math.log(config.promoteAlpha),
    lower
  };
}
function label({
  worse,
  worseThreshold,
  noWorse,
  noWorseThreshold,
  lower
}) {
  if (worse >= worseThreshold) return "high";
  if (lower >= worseThreshold) return "low";
  return noWorse >= noWorseThreshold ? "pass" : "inconclusive";
}
function judgement(verdict2, evidence, draft) {
  const { worse, worseThreshold, noWorse, noWorseThreshold, lower } = evidence;
  const { settings, unit, worseWords } = draft;
  const beyond = settings.tolerance > 0 ? ` by more than the tolerated ${amount(settings.tolerance, settings, unit)}` : "";
  const margin = unit === "share" ? `${percent(settings.absolute)} of all or ${percent(settings.margin)} of the baseline's share` : amount(settings.margin, settings, unit);
  switch (verdict2) {
    case "high":
      return `That the candidate ${worseWords}${beyond} has evidence of ${odds(worse)}; ${odds(worseThreshold)} was needed.`;
    case "low":
      return `That the candidate is lower${beyond} has evidence of ${odds(lower)}; ${odds(worseThreshold)} was needed.`;
    case "pass":
      return `That it is not worse by ${margin} has evidence of ${odds(noWorse)}; ${odds(noWorseThreshold)} was needed.`;
    default:
      return `Undecided: that the candidate ${worseWords}${beyond} has evidence of ${odds(worse)} (${odds(worseThreshold)} is needed), that it is not worse by ${margin} ${odds(noWorse)} (${odds(noWorseThreshold)} is needed).`;
  }
}
function amount(ratio2, { absolute }, unit) {
  return absolute === 0 ? percent(ratio2) : `${percent(ratio2)} (at least ${withUnit(absolute, unit)})`;
}
function stillNeeded({ noWorse }, evidence, requests) {
  const { current, leader } = noWorse;
  if (leader <= 0) return null;
  const behind = Math.max(HEDGING, leader - current);
  const needed = (evidence.noWorseThreshold + behind - leader) / (leader / requests);
  return needed > MOST_REQUESTS ? null : Math.max(1, Math.ceil(needed));
}
function ratioFinding(effect, ends, level) {
  if (effect.value === null) return "not comparable";
  return `${ratio(effect.value)}${interval({ interval: ends, level }, ratio)}`;
}

// src/judge/sequential/ratio-draft.ts
function quantileDraft(name, kind, { distribution }, index, settings, config) {
  const bets = distribution.claims[index];
  if (settings === void 0 || bets === void 0) return void 0;
  const unit = kind === "latency" ? "ms" : "bytes";
  const what = kind === "latency" ? `${name.split(" ")[1]} latency` : "median response size";
  const observed = {
    baseline: quantileOf2(distribution.baseline, settings.quantile),
    candidate: quantileOf2(distribution.candidate, settings.quantile)
  };
  const counts = {
    baseline: Math.round(distribution.baseline.total),
    candidate: Math.round(distribution.candidate.total)
  };
  const base = {
    name,
    kind,
    settings,
    unit,
    observed,
    samples: counts,
    sampleUnit: "answers",
    worseWords: kind === "latency" ? "is slower" : "answers with larger bodies"
  };
  return ratioDraft(base, what, bets, observed, config);
}
function gaugeDraft(name, kind, state, config) {
  const mean2 = (sum3) => state.blocks === 0 ? null : sum3 / state.blocks;
  const observed = { baseline: mean2(state.baselineSum), candidate: mean2(state.candidateSum) };
  const base = {
    name,
    kind,
    settings: config.metrics[kind],
    unit: kind === "cpu" ? "ms per request" : "bytes",
    observed,
    samples: { baseline: state.blocks, candidate: state.blocks },
    sampleUnit: "blocks",
    worseWords: "takes more"
  };
  return ratioDraft(
    base,
    kind === "cpu" ? "CPU time for each request" : "memory",
    state.claims,
    observed,
    config
  );
}
function ratioDraft(base, what, bets, observed, config) {
  const { baseline, candidate } = observed;
  if (baseline === null || candidate === null) {
    const after = config.warmupSeconds > 0 ? ` after the warm-up of ${config.warmupSeconds} s` : "";
    const finding = `Nothing to compare: ${samples(base.samples, base.sampleUnit)}${after}.`;
    return { ...base, effect: null, interval: null, strength: null, finding };
  }
  const value = baseline > 0 ? candidate / baseline : null;
  const effect = { name: `ratio of ${what}, candidate to baseline`, scale: "ratio", value };
  const ends = ratioInterval(bets, config.intervalLevel);
  return {
    ...base,
    effect,
    interval: ends,
    strength: claimEvidence(bets),
    finding: `The candidate's ${what} is ${withUnit(candidate, base.unit)}, the baseline's ${withUnit(baseline, base.unit)}: ${ratioFinding(effect, ends, config.intervalLevel)}, over ${samples(base.samples, base.sampleUnit)}.`
  };
}

// src/judge/sequential/metrics.ts
function metricResults(state) {
  const { config, accounts } = state;
  const { measured: measured2 } = accounts;
  const requests = state.requests.baseline + state.requests.candidate;
  const finished = (drafts) => drafts.flatMap((draft) => draft === void 0 ? [] : [withoutSight(finish(draft, config, requests))]);
  return [
    ...finished([
      countDraft("errors (5xx)", "errors-5xx", accounts.errors5xx, config),
      countDraft("errors (4xx)", "errors-4xx", accounts.errors4xx, config),
      measured2.bodies ? countDraft("wrong bodies", "bodies", accounts.bodies, config) : void 0,
      ...latencyDrafts(accounts.latency, config, {}),
      ...routeDrafts(state)
    ]),
    distanceResult(accounts.latency.distribution, config),
    ...finished(informativeDrafts(accounts, config)),
    ...eventResults(accounts, config)
  ];
}
var BLIND = 0.5;
function isBlind({ kind, observed }) {
  return kind === "bodies" && (observed.baseline ?? 0) >= BLIND;
}
function withoutSight(result) {
  if (!isBlind(result) || result.verdict === "high") return result;
  const why = "The baseline's own answers to one request differ from each other too much to tell versions apart by them.";
  return { ...result, verdict: "inconclusive", needsRequests: null, reason: `${result.reason} ${why}` };
}
function informativeDrafts(accounts, config) {
  const { measured: measured2, size, cpu, memory } = accounts;
  return [
    measured2.size ? quantileDraft("response size", "size", size, 0, sizeQuantiles(config)[0], config) : void 0,
    measured2.cpuSeconds ? gaugeDraft("cpu for each request", "cpu", cpu, config) : void 0,
    measured2.memoryBytes ? gaugeDraft("memory", "memory", memory, config) : void 0
  ];
}
function eventResults({ measured: measured2, restarts, errorLines, gaugeBlock }, config) {
  const shown = (state, pending) => ({
    ...state,
    baseline: state.baseline + pending.baseline,
    candidate: state.candidate + pending.candidate,
    seconds: state.seconds + gaugeBlock.seconds
  });
  return [
    ...measured2.restarts ? [eventResult("restarts", "restarts", shown(restarts, gaugeBlock.restarts), config)] : [],
    ...measured2.errorLines ? [eventResult("error lines", "error-lines", shown(errorLines, gaugeBlock.errorLines), config)] : []
  ];
}
function latencyDrafts(account, config, of) {
  return config.quantiles.flatMap((settings, i) => {
    const name = `latency p${Number((settings.quantile * 100).toPrecision(6))}`;
    const routed = of.route === void 0 ? settings : { ...settings, role: "watched" };
    const draft = quantileDraft(
      of.route === void 0 ? name : `${name} ${of.route}`,
      "latency",
      account,
      i,
      routed,
      config
    );
    return draft === void 0 ? [] : [{ ...draft, ...of }];
  });
}
function routeDrafts({ accounts, config }) {
  const routes = Object.entries(accounts.routes);
  if (routes.length < 2) return [];
  return routes.flatMap(
    ([route, account]) => latencyDrafts(account, config, { route, share: routeAlphaShare(config, account.order) })
  );
}

// src/judge/sequential/verdict.ts
var SILENT_SECONDS = 5;
var BROKEN_REQUESTS = 100;
var SCORE_WEIGHT = { critical: 4, watched: 2, informative: 1 };
var SEQUENTIAL_NOTE = "Traffic went to one variant after the other, so whatever else changed in between looks like a difference between the versions: the tests compare the n-th second of one with the n-th second of the other and assume that time made no difference. Interleaved traffic needs no such assumption.";
function verdict(state, { ended = false } = {}) {
  const metrics = metricResults(state);
  const seconds = state.firstAt === null || state.lastAt === null ? 0 : state.lastAt - state.firstAt + 1;
  const { deadlineSeconds } = state.config;
  const over = ended || deadlineSeconds !== null && seconds >= deadlineSeconds;
  const decision = decide(state, metrics);
  return {
    judge: "sequential",
    verdict: decision.verdict,
    decided: decision.verdict !== "inconclusive" || decision.hopeless === true || over,
    score: score2(metrics, decision.verdict),
    decidedBy: decision.decidedBy,
    reason: decision.reason,
    needs: decision.needs ?? null,
    needsRequests: decision.needsRequests ?? null,
    notes: notes(state, metrics),
    metrics,
    samples: state.requests,
    stoppedAfter: { seconds, requests: state.requests.baseline + state.requests.candidate }
  };
}
function decide(state, metrics) {
  const alarms = metrics.filter((metric2) => metric2.role !== "informative" && metric2.verdict === "high");
  if (alarms.length > 0) {
    const reasons = alarms.map((metric2) => `${metric2.name}: ${metric2.reason}`);
    return {
      verdict: "failed",
      decidedBy: names(alarms),
      reason: `The candidate is worse. ${reasons.join(" ")}`
    };
  }
  const missing = missingTraffic(state);
  if (missing !== void 0) {
    return { verdict: "inconclusive", decidedBy: [], reason: missing, needs: "requests to both variants" };
  }
  if (bothBroken(state)) return broken(state);
  return promote(state, metrics);
}
function promote(state, metrics) {
  const critical = metrics.filter((metric2) => metric2.critical);
  const open = critical.filter((metric2) => !isFine(metric2) && !isBlind(metric2));
  const wait = state.config.minimumSeconds - state.accounts.pairs;
  if (critical.some(isFine) && open.length === 0) {
    if (wait <= 0) {
      const reason3 = `The candidate is shown to be no worse in every critical metric: ${list2(names(critical.filter(isFine)))}.`;
      return { verdict: "passed", decidedBy: names(critical.filter(isFine)), reason: reason3 };
    }
    const reason2 = `Nothing speaks against the candidate, but no pass is given before ${state.config.minimumSeconds} s of traffic.`;
    return { verdict: "inconclusive", decidedBy: [], reason: reason2, needs: `${wait} s more traffic` };
  }
  const { needs, needsRequests } = stillMissing(open);
  const reason = open.length === 0 ? "There is no critical metric with data: nothing can be shown about the candidate." : `Nothing shows that the candidate is worse, but it is not shown to be no worse in ${list2(names(open))}.`;
  return { verdict: "inconclusive", decidedBy: names(open), reason, needs, needsRequests };
}
var isFine = (metric2) => metric2.verdict === "pass" || metric2.verdict === "low";
function stillMissing(open) {
  const empty = open.filter((metric2) => metric2.verdict === "no data");
  if (empty.length > 0) return { needs: `data for ${list2(names(empty))}`, needsRequests: null };
  const unknown = open.filter((metric2) => metric2.needsRequests === null);
  if (unknown.length > 0) {
    const what = `more requests than can be told yet, for ${list2(names(unknown))}`;
    return { needs: what, needsRequests: null };
  }
  const needsRequests = Math.max(...open.map((metric2) => metric2.needsRequests ?? 0));
  return { needs: `about ${about(needsRequests)} more requests`, needsRequests };
}
function missingTraffic({ requests }) {
  const { baseline, candidate } = requests;
  if (baseline + candidate === 0)
    return "No request arrived at either variant, so there is nothing to compare.";
  if (candidate === 0)
    return `The candidate got no request at all, the baseline ${baseline}: there is nothing to compare.`;
  if (baseline === 0)
    return `The baseline got no request at all, the candidate ${candidate}: there is nothing to compare.`;
  return void 0;
}
function bothBroken(state) {
  const shares = failureShares(state.accounts.errors5xx.totals);
  return shares !== null && Math.min(shares.baseline, shares.candidate) >= state.config.brokenShare;
}
function broken(state) {
  const { requests, accounts, config } = state;
  const enough = Math.min(requests.baseline, requests.candidate) >= BROKEN_REQUESTS;
  return {
    verdict: "inconclusive",
    decidedBy: ["errors (5xx)"],
    reason: `Both variants are broken: ${brokenWords(state)}. The candidate is no worse than the baseline, but that is no reason to keep it.`,
    needs: "a baseline that works",
    hopeless: enough && accounts.pairs >= config.minimumSeconds
  };
}
function brokenWords(state) {
  const shares = failureShares(state.accounts.errors5xx.totals) ?? { baseline: 0, candidate: 0 };
  return `${percent(shares.baseline)} of the baseline's requests failed and ${percent(shares.candidate)} of the candidate's`;
}
function score2(metrics, outcome) {
  if (outcome === "failed" && metrics.some((metric2) => metric2.critical && metric2.verdict === "high"))
    return 0;
  let weight = 0;
  let fine = 0;
  for (const metric2 of metrics) {
    if (metric2.verdict === "no data" && !metric2.critical) continue;
    weight += SCORE_WEIGHT[metric2.role];
    if (isFine(metric2)) fine += SCORE_WEIGHT[metric2.role];
    if (metric2.verdict === "inconclusive") fine += SCORE_WEIGHT[metric2.role] / 2;
  }
  const value = weight === 0 ? 0 : Math.round(100 * fine / weight);
  return outcome === "failed" ? Math.min(49, value) : value;
}
function notes(state, metrics) {
  const silent = silentVariant(state.lastRequestAt);
  const bodies = metrics.find((metric2) => metric2.kind === "bodies");
  return [
    ...bothBroken(state) ? [`Both variants are broken: ${brokenWords(state)}.`] : [],
    ...state.config.traffic === "sequential" ? [SEQUENTIAL_NOTE] : [],
    ...state.config.traffic === "interleaved" && silent !== void 0 ? [silent] : [],
    ...bodies !== void 0 && isBlind(bodies) ? [
      `The baseline's answers to the same request differ from each other in ${percent(bodies.observed.baseline ?? 0)} of the comparisons (clocks, random values?), so bodies cannot tell the versions apart.`
    ] : []
  ];
}
function silentVariant({ baseline, candidate }) {
  if (baseline === null || candidate === null) return void 0;
  if (Math.abs(baseline - candidate) < SILENT_SECONDS) return void 0;
  const [name, last] = baseline < candidate ? ["baseline", baseline] : ["candidate", candidate];
  return `The ${name} got no request after second ${last + 1}, while the other variant went on: it may have died there.`;
}
var names = (metrics) => metrics.map((metric2) => metric2.name);

// bench/judge/random.ts
function seeded(seed) {
  let state = Math.imul(seed + 1, 2654435761);
  const uniform = () => {
    state = state + 1831565813 | 0;
    let t = Math.imul(state ^ state >>> 15, 1 | state);
    t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t;
    return ((t ^ t >>> 14) >>> 0) / 4294967296;
  };
  const exponential = () => -Math.log(1 - uniform());
  const normal = () => Math.sqrt(2 * exponential()) * Math.cos(2 * Math.PI * uniform());
  return { uniform, normal, exponential };
}

// bench/judge/simulate.ts
var ORDINARY = { errors: 0, wrongBodies: 0, slower: 1, tail: 1, cpu: 1, memory: 1 };
var MEDIAN_MS = 12;
var SPREAD = 0.3;
var HEAVY = 0.03;
var PARETO = 2.5;
var LN_GAMMA2 = Math.log(HISTOGRAM_GAMMA);
var Q90 = 18.3;
var Q99 = 27.5;
function* simulate(scenario, seed) {
  const random = seeded(seed);
  const shared = pauses(scenario.seconds, [{ every: 30, from: 0.02, to: 0.15 }], random);
  const own = scenario.ownNoise ?? 1;
  const hosts = [
    host(scenario.seconds, shared, own, random),
    host(scenario.seconds, shared, own, random)
  ];
  const variants = [scenario.baseline, scenario.candidate];
  let load = random.normal() * 0.15;
  for (let at2 = 0; at2 < scenario.seconds; at2++) {
    load = 0.9 * load + random.normal() * 0.065;
    const sides = [side(), side()];
    for (const one of hosts) one.noise = 0.7 * one.noise + random.normal() * 0.02 * own;
    for (let t = at2 + random.exponential() / scenario.rate; t < at2 + 1; t += random.exponential() / scenario.rate) {
      const toBaseline = scenario.traffic === "sequential" ? at2 < scenario.seconds / 2 : random.uniform() < 0.5;
      const choice = toBaseline ? 0 : 1;
      request(sides[choice], variants[choice], hosts[choice], load, t, random);
    }
    yield {
      at: at2,
      baseline: close(sides[0], variants[0], hosts[0], random),
      candidate: close(sides[1], variants[1], hosts[1], random)
    };
  }
}
function host(seconds, shared, factor, random) {
  const own = pauses(
    seconds,
    [
      { every: 2, from: 2e-3 * factor, to: 8e-3 * factor },
      { every: 30, from: 0.015 * factor, to: 0.06 * factor }
    ],
    random
  );
  return {
    pauses: [...shared, ...own].sort((a, b) => a[0] - b[0]),
    next: 0,
    warmup: 1 + random.uniform(),
    noise: 0,
    heap: random.uniform(),
    heapStart: 90 * Math.exp(random.normal() * 0.03)
  };
}
function pauses(seconds, kinds, random) {
  return kinds.flatMap(({ every, from, to }) => {
    const found = [];
    for (let t = random.exponential() * every; t < seconds; t += random.exponential() * every) {
      found.push([t, t + from + random.uniform() * (to - from)]);
    }
    return found;
  });
}
var side = () => ({ requests: 0, ok: 0, failed: 0, disagreed: 0, latency: {}, size: {}, work: 0 });
function request(side2, variant, host2, load, t, random) {
  side2.requests++;
  if (variant.errors > 0 && random.uniform() < variant.errors) {
    side2.failed++;
    side2.work += 0.3;
    return;
  }
  side2.ok++;
  if (variant.wrongBodies > 0 && random.uniform() < variant.wrongBodies) side2.disagreed++;
  let ms = serviceTime(random);
  side2.work += ms;
  const circumstances = Math.exp(load) * (1 + 2 * Math.exp(-t / host2.warmup));
  ms *= variant.slower * circumstances * Math.exp(host2.noise);
  while (host2.next < host2.pauses.length && (host2.pauses[host2.next]?.[1] ?? 0) < t) host2.next++;
  for (let i = host2.next; i < host2.pauses.length; i++) {
    const [start, end] = host2.pauses[i];
    if (start > t) break;
    if (end > t) ms += (end - t) * 1e3;
  }
  const ordinary = ms / circumstances;
  if (variant.tail > 1 && ordinary > Q90) {
    ms *= variant.tail ** (Math.log(ordinary / Q90) / Math.log(Q99 / Q90));
  }
  count(side2.latency, Math.max(1, Math.round(ms)));
  count(side2.size, random.uniform() < 0.8 ? 2048 : 300 + Math.floor(random.uniform() * 200));
}
function serviceTime(random) {
  const body = MEDIAN_MS * Math.exp(SPREAD * random.normal());
  return random.uniform() < HEAVY ? body * (1 - random.uniform()) ** (-1 / PARETO) : body;
}
function count(histogram, value) {
  const index = Math.ceil(Math.log(value) / LN_GAMMA2 - 1e-9);
  histogram[index] = (histogram[index] ?? 0) + 1;
}
function close(side2, variant, host2, random) {
  host2.heap += side2.work / 2e4 + random.uniform() * 0.01;
  if (host2.heap > 1) host2.heap = random.uniform() * 0.1;
  const megabytes = (host2.heapStart + 25 * host2.heap) * variant.memory;
  const latency = { counts: side2.latency };
  return {
    routes: {
      "POST /preview": {
        requests: side2.requests,
        status: { "2xx": side2.ok, "5xx": side2.failed },
        latency,
        size: { counts: side2.size }
      }
    },
    bodies: { compared: side2.ok, disagreed: side2.disagreed },
    restarts: 0,
    errorLines: side2.failed,
    cpuSeconds: (side2.work * 0.4 * variant.cpu * Math.exp(host2.noise) + 10 + 5 * random.uniform()) / 1e3,
    memoryBytes: Math.round(megabytes * 1048576)
  };
}

// bench/judge/runs.ts
var RATE = 100;
var SAME_VERSION_SECONDS = 120;
var MINUTE = 60;
function sameVersion(seed, circumstances = {}) {
  const same = { seconds: SAME_VERSION_SECONDS, rate: RATE, baseline: ORDINARY, candidate: ORDINARY };
  const seconds = [...simulate({ ...same, ...circumstances }, seed)];
  const { traffic = "interleaved" } = circumstances;
  const said = verdict(seconds.reduce(observe, createSequentialJudge({ traffic })), { ended: true });
  const different = said.metrics.filter((metric2) => metric2.verdict === "high" || metric2.verdict === "low");
  return {
    alarms: said.metrics.filter((m) => m.role !== "informative" && m.verdict === "high").map((m) => m.name),
    informed: different.filter((metric2) => metric2.role === "informative").map((metric2) => metric2.name),
    outcome: said.verdict,
    kayentaObjects: [MINUTE, 2 * MINUTE].some((end) => kayentaObjects(seconds.slice(0, end)))
  };
}
function detection(baseline, candidate, limit, seed) {
  const scenario = {
    seconds: limit,
    rate: RATE,
    baseline: { ...ORDINARY, ...baseline },
    candidate: { ...ORDINARY, ...candidate }
  };
  let state = createSequentialJudge();
  let decided;
  let sequential = null;
  let kayenta = null;
  const seconds = [];
  let requests = 0;
  for (const second of simulate(scenario, seed)) {
    seconds.push(second);
    requests += requestsIn(second);
    if (decided === void 0) {
      state = observe(state, second);
      const said = verdict(state);
      if (said.verdict === "failed") sequential = requests;
      if (said.verdict !== "inconclusive") decided = said.verdict;
    }
    if (kayenta === null && seconds.length % MINUTE === 0 && kayentaObjects(seconds)) kayenta = requests;
    if (decided !== void 0 && kayenta !== null) break;
  }
  return { sequential, passed: decided === "passed", kayenta };
}
function kayentaObjects(seconds) {
  const config = { ...defaultSequentialConfig, warmupSeconds: 0 };
  const answer = judgeKayenta(toKayentaDocument({ config, seconds, ended: true }, MINUTE));
  return answer.score.classification !== "Pass";
}
function requestsIn(second) {
  const sides = [second.baseline, second.candidate];
  return sides.flatMap((side2) => Object.values(side2.routes)).reduce((sum3, route) => sum3 + route.requests, 0);
}

// bench/judge/timings.ts
function* timings() {
  yield "\nTime";
  for (const size of [1e5, 1e6]) {
    const random = seeded(size);
    const draw = () => Float64Array.from({ length: size }, () => Math.round(10 * Math.exp(random.normal())) / 10);
    const [x, y] = [draw(), draw()];
    const start = performance.now();
    mannWhitney(x, y, 0.98);
    yield `  Mann-Whitney with interval, 2 \xD7 ${size.toLocaleString("en-US")} values with ties: ${(performance.now() - start).toFixed(0)} ms`;
  }
  for (const rate2 of [100, 2e3]) {
    const seconds = [...simulate({ seconds: 120, rate: rate2, baseline: ORDINARY, candidate: ORDINARY }, rate2)];
    let state = createSequentialJudge();
    const times = seconds.map((second) => {
      const start = performance.now();
      state = observe(state, second);
      verdict(state);
      return performance.now() - start;
    });
    times.sort((a, b) => a - b);
    const at2 = (share) => (times[Math.floor(times.length * share)] ?? Number.NaN).toFixed(2);
    yield `  one second of live data at ${rate2} requests/s, observed and judged: median ${at2(0.5)} ms, 95th percentile ${at2(0.95)} ms`;
  }
}

// bench/judge/main.ts
var WORKERS = 2;
var quick = process.argv.includes("--quick");
var SAME_VERSION_RUNS = quick ? 200 : 2e3;
var OTHER_RUNS = quick ? 40 : 300;
var DETECTION_RUNS = quick ? 6 : 40;
var LIMIT = 900;
var REGRESSIONS = [
  { name: "all requests fail", baseline: {}, candidate: { errors: 1 } },
  { name: "errors 1 % \u2192 2 %", baseline: { errors: 0.01 }, candidate: { errors: 0.02 } },
  { name: "errors 0 \u2192 1 %", baseline: {}, candidate: { errors: 0.01 } },
  { name: "one wrong body in fifty", baseline: {}, candidate: { wrongBodies: 0.02 } },
  { name: "p50 worse by a fifth", baseline: {}, candidate: { slower: 1.2 } },
  { name: "p99 worse by half", baseline: {}, candidate: { tail: 1.5 } }
];
function work(first) {
  const seeds = (count2) => Array.from({ length: count2 }, (_, seed) => seed).filter((seed) => seed % WORKERS === first);
  return {
    same: seeds(SAME_VERSION_RUNS).map((seed) => sameVersion(seed)),
    noisy: seeds(OTHER_RUNS).map((seed) => sameVersion(seed, { ownNoise: 3 })),
    oneAfterTheOther: seeds(OTHER_RUNS).map((seed) => sameVersion(seed, { traffic: "sequential" })),
    found: REGRESSIONS.map(
      ({ baseline, candidate }, i) => seeds(DETECTION_RUNS).map((seed) => detection(baseline, candidate, LIMIT, 1e6 * (i + 1) + seed))
    )
  };
}
if (isMainThread) {
  const start = performance.now();
  const file = fileURLToPath(import.meta.url);
  const answers = await Promise.all(
    Array.from({ length: WORKERS }, (_, first) => {
      const worker = new Worker(file, { workerData: { first }, argv: process.argv.slice(2) });
      return new Promise((resolve, reject) => worker.once("message", resolve).once("error", reject));
    })
  );
  reportSameVersion(
    "A version against itself",
    answers.flatMap((answer) => answer.same)
  );
  reportSameVersion(
    "The same, each host's own noise and pauses tripled",
    answers.flatMap((answer) => answer.noisy)
  );
  reportSameVersion(
    "The same, all traffic to one and then to the other",
    answers.flatMap((answer) => answer.oneAfterTheOther),
    false
  );
  reportDetection(REGRESSIONS.map((_, i) => answers.flatMap((answer) => answer.found[i] ?? [])));
  for (const line of timings()) console.log(line);
  console.log(`
(${((performance.now() - start) / 1e3).toFixed(0)} s in all)`);
} else {
  parentPort?.postMessage(work(workerData.first));
}
function reportSameVersion(title, runs, kayenta = true) {
  const count2 = (name, hits) => {
    const share = (100 * hits / runs.length).toFixed(2);
    console.log(
      `  ${name.padEnd(44)} ${String(hits).padStart(5)}  ${share.padStart(6)} %  \u2264 ${(100 * upperLimit(hits, runs.length)).toFixed(2)} %`
    );
  };
  console.log(`${title}: ${runs.length} experiments of two minutes, 100 requests/s`);
  console.log(`  ${"".padEnd(44)}  runs    share    95 % upper limit (Clopper-Pearson)`);
  count2("sequential: rolled back (goal \u2264 1 %)", runs.filter((run) => run.alarms.length > 0).length);
  for (const name of new Set(runs.flatMap((run) => run.alarms))) {
    count2(`  alarm of ${name}`, runs.filter((run) => run.alarms.includes(name)).length);
  }
  for (const name of ["cpu for each request", "memory", "response size", "latency distribution"]) {
    count2(
      `  ${name} called different (informs only)`,
      runs.filter((run) => run.informed.includes(name)).length
    );
  }
  count2("sequential: passed within two minutes", runs.filter((run) => run.outcome === "passed").length);
  if (kayenta)
    count2("kayenta at one-minute points: not passed", runs.filter((run) => run.kayentaObjects).length);
}
function reportDetection(found) {
  console.log(
    "\nRequests (both variants) until the candidate is rejected: median, and share of experiments in which it ever is"
  );
  console.log(
    `  ${"".padEnd(26)} ${"sequential".padStart(22)} ${"passed by mistake".padStart(18)} ${"kayenta, each minute".padStart(22)}`
  );
  for (const [i, runs] of found.entries()) {
    const passed = `${Math.round(100 * runs.filter((run) => run.passed).length / runs.length)} %`;
    console.log(
      `  ${(REGRESSIONS[i]?.name ?? "").padEnd(26)} ${summary(runs.map((run) => run.sequential)).padStart(22)} ${passed.padStart(18)} ${summary(runs.map((run) => run.kayenta)).padStart(22)}`
    );
  }
}
function summary(requests) {
  const sorted = requests.map((value) => value ?? Number.POSITIVE_INFINITY).sort((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const share = Math.round(100 * requests.filter((value) => value !== null).length / requests.length);
  return `${Number.isFinite(median) ? median.toLocaleString("en-US") : "not found"} (${share} %)`;
}
