"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const state = {
  off: new Set(), smoothing: data.smoothing, logX: false, logY: data.logY, filter: null,
  zoom: null, hover: null, drag: null,
};
const panels = [];
const margin = { left: 56, right: 10, top: 6, bottom: 22 };

// An exponential moving average without bias at the start; what is not finite does not count.
function smooth(values, weight) {
  let total = 0, norm = 0;
  return values.map((value) => {
    if (value === null) return null;
    total = weight * total + (1 - weight) * value;
    norm = weight * norm + (1 - weight);
    return total / norm;
  });
}

function shownCurves(name) {
  return data.runs.filter((run) => !state.off.has(run.name) && run.curves[name])
    .map((run) => {
      const [steps, values] = run.curves[name];
      return { run, steps, values, line: smoothed(run, name) };
    });
}

// Smoothed values of a run, which are kept until another smoothing is set.
function smoothed(run, name) {
  const values = run.curves[name][1];
  if (state.smoothing <= 0) return values;
  run.kept ??= {};
  if (run.kept[name]?.weight !== state.smoothing) {
    run.kept[name] = { weight: state.smoothing, line: smooth(values, state.smoothing) };
  }
  return run.kept[name].line;
}

// The place of the first step that is not below x.
function find(steps, x) {
  let low = 0, high = steps.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (steps[middle] < x) low = middle + 1; else high = middle;
  }
  return low;
}

function xRange(curves) {
  let low = Infinity, high = -Infinity;
  for (const { steps } of curves) {
    low = Math.min(low, steps[0]);
    high = Math.max(high, steps[steps.length - 1]);
  }
  if (state.zoom) [low, high] = state.zoom;
  if (state.logX) return [Math.max(low, 1), Math.max(high, 2)];
  if (state.zoom) return [low, high];
  const space = (high - low) * 0.02 || 0.5;
  return [low - space, high + space];
}

function yRange(curves, [from, to]) {
  let low = Infinity, high = -Infinity;
  for (const { steps, values, line } of curves) {
    const end = Math.min(find(steps, to) + 1, steps.length);
    for (let i = Math.max(0, find(steps, from) - 1); i < end; i++) {
      for (const value of [values[i], line[i]]) {
        if (value === null || (state.logY && value <= 0)) continue;
        if (value < low) low = value;
        if (value > high) high = value;
      }
    }
  }
  if (low > high) return state.logY ? [0.1, 1] : [0, 1];
  if (state.logY) return low === high ? [low / 2, high * 2] : [low / 1.1, high * 1.1];
  const space = (high - low) * 0.05 || Math.abs(high) * 0.1 || 0.5;
  return [low - space, high + space];
}

function makeScale(low, high, from, to, isLog) {
  const [a, b] = isLog ? [Math.log10(low), Math.log10(high)] : [low, high];
  const scale = (value) => from + (((isLog ? Math.log10(value) : value) - a) / (b - a)) * (to - from);
  scale.invert = (place) => {
    const value = a + ((place - from) / (to - from)) * (b - a);
    return isLog ? 10 ** value : value;
  };
  return scale;
}

function makeTicks(low, high, count, isLog) {
  if (isLog && high / low >= 10) {
    const first = Math.ceil(Math.log10(low) - 1e-9), last = Math.floor(Math.log10(high) + 1e-9);
    const step = Math.max(1, Math.ceil((last - first + 1) / count));
    const ticks = [];
    for (let power = first; power <= last; power += step) ticks.push(10 ** power);
    if (ticks.length > 2) return ticks;
    return [first - 1, ...ticks.map(Math.log10)].flatMap((power) => [1, 2, 5].map((factor) => factor * 10 ** power))
      .filter((tick) => tick >= low && tick <= high);
  }
  const rough = (high - low) / count, size = 10 ** Math.floor(Math.log10(rough));
  const step = size * [1, 2, 5, 10].find((factor) => size * factor >= rough);
  const ticks = [];
  for (let i = Math.ceil(low / step); i * step <= high; i++) ticks.push(i * step);
  return ticks;
}

function format(value) {
  if (value === null || value === undefined) return "not finite";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(3).replace(/\.?0+e/, "e");
  return String(Number(value.toPrecision(5)));
}

function color(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function layout(panel) {
  const curves = shownCurves(panel.name);
  const width = panel.canvas.clientWidth, height = panel.canvas.clientHeight;
  const [x0, x1] = curves.length ? xRange(curves) : [0, 1];
  const [y0, y1] = curves.length ? yRange(curves, [x0, x1]) : [0, 1];
  panel.x = makeScale(x0, x1, margin.left, width - margin.right, state.logX);
  panel.y = makeScale(y0, y1, height - margin.bottom, margin.top, state.logY);
  return { curves, width, height, xTicks: makeTicks(x0, x1, 5, state.logX), yTicks: makeTicks(y0, y1, 5, state.logY) };
}

// Draws a line; of the points that share a column of pixels, only the extremes.
function stroke(context, panel, steps, values, ink, alpha, lineWidth) {
  context.strokeStyle = context.fillStyle = ink;
  context.globalAlpha = alpha;
  context.lineWidth = lineWidth;
  context.beginPath();
  const from = Math.max(0, find(steps, panel.x.invert(margin.left)) - 1);
  const to = Math.min(steps.length, find(steps, panel.x.invert(panel.canvas.clientWidth - margin.right)) + 1);
  let isOpen = false, column = null, low = 0, high = 0, last = 0;
  const flush = () => {
    if (column === null) return;
    context.lineTo(column, low);
    if (high !== low) { context.lineTo(column, high); context.lineTo(column, last); }
    column = null;
  };
  const dense = to - from > 2 * panel.canvas.clientWidth;
  for (let i = from; i < to; i++) {
    const value = values[i];
    if (value === null || (state.logY && value <= 0) || (state.logX && steps[i] < 1)) { flush(); isOpen = false; continue; }
    const x = panel.x(steps[i]), y = panel.y(value);
    if (!isOpen) { flush(); context.moveTo(x, y); isOpen = true; if (to - from <= 30) dot(context, x, y); continue; }
    if (!dense) { context.lineTo(x, y); if (to - from <= 30) dot(context, x, y); continue; }
    const place = Math.round(x);
    if (place !== column) { flush(); column = place; low = high = y; }
    low = Math.min(low, y); high = Math.max(high, y); last = y;
  }
  flush();
  context.stroke();
  context.globalAlpha = 1;
}

function dot(context, x, y) {
  context.fillRect(x - 2, y - 2, 4, 4);
}

function drawAxes(context, panel, plan) {
  context.font = "11px system-ui, sans-serif";
  context.strokeStyle = color("--line");
  context.fillStyle = color("--faint");
  context.lineWidth = 1;
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (const tick of plan.yTicks) {
    const y = Math.round(panel.y(tick)) + 0.5;
    context.beginPath(); context.moveTo(margin.left, y); context.lineTo(plan.width - margin.right, y); context.stroke();
    context.fillText(format(tick), margin.left - 6, y);
  }
  context.textAlign = "center";
  context.textBaseline = "top";
  for (const tick of plan.xTicks) {
    const text = format(tick), half = context.measureText(text).width / 2;
    context.fillText(text, Math.min(panel.x(tick), plan.width - half - 1), plan.height - margin.bottom + 6);
  }
}

function draw(panel) {
  const plan = layout(panel), ratio = window.devicePixelRatio || 1;
  panel.canvas.width = Math.round(plan.width * ratio);
  panel.canvas.height = Math.round(plan.height * ratio);
  const context = panel.canvas.getContext("2d");
  context.scale(ratio, ratio);
  drawAxes(context, panel, plan);
  context.save();
  context.beginPath();
  context.rect(margin.left, 0, plan.width - margin.left - margin.right, plan.height - margin.bottom + 1);
  context.clip();
  for (const { run, steps, values, line } of plan.curves) {
    if (line !== values) stroke(context, panel, steps, values, run.color, 0.25, 1);
    stroke(context, panel, steps, line, run.color, 1, 1.6);
  }
  if (state.drag && state.drag.panel === panel) {
    const [a, b] = [state.drag.from, state.drag.to].sort((p, q) => p - q);
    context.fillStyle = color("--select");
    context.fillRect(a, margin.top, b - a, plan.height - margin.top - margin.bottom);
  }
  if (state.hover !== null) {
    const x = panel.x(state.hover);
    context.strokeStyle = color("--faint");
    context.lineWidth = 1;
    context.setLineDash([3, 3]);
    context.beginPath(); context.moveTo(x, margin.top); context.lineTo(x, plan.height - margin.bottom); context.stroke();
  }
  context.restore();
}

let isScheduled = false;
function redraw() {
  if (isScheduled) return;
  isScheduled = true;
  requestAnimationFrame(() => {
    isScheduled = false;
    for (const panel of panels) if (!panel.element.hidden) draw(panel);
  });
}

function nearest(steps, x) {
  const place = find(steps, x);
  if (place === 0) return 0;
  return place === steps.length || x - steps[place - 1] < steps[place] - x ? place - 1 : place;
}

function showTip(panel, event, x) {
  const tip = byId("tip"), curves = shownCurves(panel.name);
  tip.replaceChildren();
  let best = null;
  for (const { steps } of curves) {
    const step = steps[nearest(steps, x)];
    if (best === null || Math.abs(step - x) < Math.abs(best - x)) best = step;
  }
  if (best === null) { tip.hidden = true; return; }
  state.hover = best;
  const head = document.createElement("div");
  head.textContent = `iteration ${best}`;
  tip.append(head);
  for (const { run, steps, values, line } of curves) {
    const place = nearest(steps, best), row = document.createElement("div");
    const swatch = document.createElement("span"), value = document.createElement("b");
    swatch.className = "swatch";
    swatch.style.background = run.color;
    const where = steps[place] === best ? "" : ` (at ${steps[place]})`;
    const raw = line === values ? "" : ` · raw ${format(values[place])}`;
    value.textContent = format(line[place]) + raw + where;
    row.append(swatch, run.name, value);
    tip.append(row);
  }
  tip.hidden = false;
  const { width, height } = tip.getBoundingClientRect();
  tip.style.left = `${event.clientX + 16 + width > innerWidth ? Math.max(4, event.clientX - 16 - width) : event.clientX + 16}px`;
  tip.style.top = `${Math.max(4, Math.min(event.clientY + 14, innerHeight - height - 4))}px`;
}

function inside(panel, event) {
  const x = event.clientX - panel.canvas.getBoundingClientRect().left;
  return Math.min(Math.max(x, margin.left), panel.canvas.clientWidth - margin.right);
}

function zoom(range) {
  state.zoom = range;
  byId("reset").disabled = range === null;
  redraw();
}

function addPanel(name) {
  const element = document.createElement("section"), title = document.createElement("h2");
  const canvas = document.createElement("canvas");
  element.className = "panel";
  element.dataset.name = title.textContent = name;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `Plot of ${name} by iteration`);
  element.append(title, canvas);
  byId("panels").append(element);
  const panel = { name, element, canvas };
  panels.push(panel);
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    canvas.setPointerCapture(event.pointerId);
    state.drag = { panel, from: inside(panel, event), to: inside(panel, event) };
  });
  canvas.addEventListener("pointermove", (event) => {
    const place = inside(panel, event);
    if (state.drag) state.drag.to = place;
    showTip(panel, event, panel.x.invert(place));
    redraw();
  });
  canvas.addEventListener("pointerup", () => {
    const drag = state.drag;
    state.drag = null;
    if (drag && Math.abs(drag.to - drag.from) > 4) {
      zoom([panel.x.invert(Math.min(drag.from, drag.to)), panel.x.invert(Math.max(drag.from, drag.to))]);
    }
    redraw();
  });
  const leave = () => { state.hover = null; state.drag = null; byId("tip").hidden = true; redraw(); };
  canvas.addEventListener("pointerleave", leave);
  canvas.addEventListener("pointercancel", leave);
  canvas.addEventListener("dblclick", () => zoom(null));
}

function addRun(run) {
  const button = document.createElement("button"), swatch = document.createElement("span");
  button.type = "button";
  button.className = "run";
  button.setAttribute("aria-pressed", "true");
  swatch.className = "swatch";
  swatch.style.background = run.color;
  button.append(swatch, run.name);
  button.addEventListener("click", () => {
    const isOn = !state.off.delete(run.name);
    if (isOn) state.off.add(run.name);
    button.setAttribute("aria-pressed", String(!isOn));
    redraw();
  });
  byId("runs").append(button);
}

function filterPanels(text) {
  let pattern = null;
  try { pattern = text ? new RegExp(text, "i") : null; } catch { return; }  // not finished typing
  for (const panel of panels) panel.element.hidden = pattern !== null && !pattern.test(panel.name);
  redraw();
}

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

data.runs.forEach(addRun);
data.panels.forEach(addPanel);
byId("smoothing").value = state.smoothing;
byId("smoothing-value").textContent = state.smoothing || "off";
byId("log-y").checked = state.logY;
byId("smoothing").addEventListener("input", (event) => {
  state.smoothing = Number(event.target.value);
  byId("smoothing-value").textContent = state.smoothing || "off";
  redraw();
});
byId("log-x").addEventListener("change", (event) => { state.logX = event.target.checked; redraw(); });
byId("log-y").addEventListener("change", (event) => { state.logY = event.target.checked; redraw(); });
byId("filter").addEventListener("input", (event) => filterPanels(event.target.value));
byId("reset").addEventListener("click", () => zoom(null));
byId("theme").addEventListener("click", () => {
  document.documentElement.dataset.theme = isDark() ? "light" : "dark";
  redraw();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
addEventListener("resize", redraw);
redraw();
