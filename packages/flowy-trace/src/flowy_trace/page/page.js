"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const data = JSON.parse($("data").textContent);
  const { strings, outcomes, now } = data;

  // --- what the data means ---------------------------------------------------------------------

  const rows = data.rows.map((row, index) => {
    const [parent, name, number, kind, args, result, sources, attempts, called] = row;
    return {
      index, parent, sources, called,
      name: strings[name],
      label: number < 0 ? strings[name] : `${strings[name]}-${number}`,
      kind: strings[kind],
      args: strings[args],
      result: result < 0 ? null : strings[result],
      attempts: attempts.map((attempt) => {
        const [no, delayed, scheduled, started, ended, worker, outcome, type, message, traceback] = attempt;
        const error = type === undefined ? null
          : { type: strings[type], message: strings[message], traceback: strings[traceback] };
        return { no, delayed, scheduled, started, ended, worker: strings[worker], outcome: outcomes[outcome], error };
      }),
      children: [], targets: [], path: [], depth: 0,
    };
  });
  const entries = rows.filter((row) => row.kind !== "run");
  for (const row of rows) {
    const last = row.attempts[row.attempts.length - 1];
    row.outcome = last.outcome;
    row.error = last.error;
    row.end = last.ended < 0 ? now : last.ended;
    row.start = Math.min(...[row.attempts[0].delayed, row.attempts[0].scheduled, row.attempts[0].started]
      .filter((time) => time >= 0), row.end);
    if (row.parent >= 0) {
      row.depth = rows[row.parent].depth + 1;
      rows[row.parent].children.push(row);
    }
    for (const source of row.sources) rows[source].targets.push(row.index);
  }
  for (const [index, start, end] of data.path) {
    rows[index].path.push([start, end]);
    for (let up = index; up >= 0 && !rows[up].critical; up = rows[up].parent) rows[up].critical = true;
  }

  const css = (outcome) => outcome.replace(" ", "-");
  const isWrong = (row) => ["failed", "timed out", "cancelled", "open"].includes(row.outcome);
  const isBad = (row) => row.outcome === "failed" || row.outcome === "timed out";
  const inWords = { open: data.goingOn ? "has not ended yet" : "never ended", restarted: "restarted" };
  const words = (outcome) => inWords[outcome] || outcome;
  const plural = (number, one, many) => `${number.toLocaleString("en")} ${number === 1 ? one : many}`;

  function span(micro) {
    if (micro < 1000) return micro ? `${Math.round(micro)} µs` : "0";
    const ms = micro / 1e3;
    if (ms < 1000) return `${ms < 10 ? ms.toFixed(2) : ms < 100 ? ms.toFixed(1) : ms.toFixed(0)} ms`;
    const s = ms / 1e3;
    if (s < 60) return `${s < 10 ? s.toFixed(2) : s.toFixed(1)} s`;
    const whole = Math.round(s), hours = Math.floor(whole / 3600), minutes = Math.floor(whole / 60) % 60;
    return hours ? `${hours} h ${minutes} min` : `${minutes} min ${whole % 60} s`;
  }

  function ancestors(row) {
    const found = [];
    for (let up = row.parent; up >= 0; up = rows[up].parent) found.unshift(rows[up]);
    return found;
  }

  function phases(row) {
    const found = [];
    const add = (kind, start, end, attempt) => found.push({ kind, start, end, attempt });
    if (row.sources.length && row.start > row.called) add("arguments", row.called, row.start);
    for (const attempt of row.attempts) {
      const end = attempt.ended < 0 ? now : attempt.ended;
      if (attempt.delayed >= 0) add("delay", attempt.delayed, attempt.scheduled < 0 ? end : attempt.scheduled, attempt);
      if (attempt.scheduled >= 0) {
        const until = attempt.started < 0 ? end : attempt.started;
        if (until > attempt.scheduled || attempt.started < 0) add("queued", attempt.scheduled, until, attempt);
      }
      if (attempt.started >= 0) add("running", attempt.started, end, attempt);
    }
    return found;
  }

  function make(tag, className, text) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  }

  // --- the head --------------------------------------------------------------------------------

  const root = rows[0];
  $("state").textContent = data.goingOn ? "still going on" : words(root.outcome);
  $("meta").textContent = [
    data.engine && `on ${data.engine}`,
    plural(entries.length - 1, "call", "calls"),
    new Date(data.started * 1000).toISOString().replace("T", " ").replace(/\.\d+Z$/, " UTC"),
    data.run,
  ].filter(Boolean).join(" · ");

  const hue = (index) => `hsl(${(210 + index * 67) % 360} 52% 52%)`;
  const shares = data.shares.filter((share) => share[1] > 0);
  if (shares.length) {
    const total = shares.reduce((sum, share) => sum + share[1], 0);
    const stack = make("div", "stack"), list = make("ul");
    shares.forEach(([name, time, waited, , isCode], index) => {
      const color = isCode ? "var(--arguments)" : hue(index);
      for (const [part, className] of [[time - waited, ""], [waited, "waited"]]) {
        if (part <= 0) continue;
        const piece = make("i", className);
        piece.style.flex = `${part / total} 0 0`;
        piece.style.background = color;
        piece.title = `${name}: ${className || "running"} ${span(part)}`;
        stack.append(piece);
      }
      if (index < 8) {
        const item = make("li");
        item.style.setProperty("--hue", color);
        item.append(make("bdi", "", name), ` ${share(time, total)}, ${span(time)}`);
        list.append(item);
      }
    });
    $("shares").append(stack, list);
  }

  function share(part, whole) {
    const percent = 100 * part / whole;
    return percent > 0 && percent < 1 ? "< 1 %" : `${percent.toFixed(0)} %`;
  }

  const wrong = entries.filter((row) => row.parent >= 0 && row.outcome !== "completed" && row.outcome !== "open"
    || row.attempts.some((attempt) => attempt.error && attempt.outcome !== "completed"))
    .sort((a, b) => isBad(b) - isBad(a));
  if (wrong.length) {
    $("wrong").hidden = false;
    for (const row of wrong.slice(0, 50)) {
      const button = make("button");
      const attempt = row.error ? row.attempts[row.attempts.length - 1] : row.attempts.find((each) => each.error);
      const error = attempt && attempt.error;
      button.type = "button";
      button.append(make("b", "", [...ancestors(row).slice(1), row].map((each) => each.label).join(" / ")), " ",
        row.error || row.outcome !== "completed" ? words(row.outcome) : `needed ${plural(row.attempts.length, "attempt", "attempts")}`);
      if (error) button.append(": ", make("bdi", "", error.message ? `${error.type}: ${error.message}` : error.type));
      button.addEventListener("click", () => choose(row.index, true));
      const item = make("li");
      item.append(button);
      $("wrong-list").append(item);
    }
    if (wrong.length > 50) $("wrong-list").append(make("li", "", `and ${plural(wrong.length - 50, "call", "calls")} more`));
  }

  // --- which rows are shown --------------------------------------------------------------------

  const folded = new Set();
  let shown = [], selected = -1;

  function texts(row) {
    if (row.text === undefined) {
      row.text = [row.label, row.kind, row.args, row.result || "", row.outcome,
        ...row.attempts.flatMap((attempt) => [attempt.worker,
          attempt.error ? `${attempt.error.type}: ${attempt.error.message}` : ""])].join("\n").toLowerCase();
    }
    return row.text;
  }

  function update() {
    const find = $("find").value.trim().toLowerCase(), filter = $("filter").value, order = $("order").value;
    const flat = find || filter || order !== "tree";
    if (flat) {
      shown = entries.filter((row) => (!find || texts(row).includes(find))
        && (filter !== "wrong" || isWrong(row))
        && (filter !== "critical" || row.critical)
        && (filter !== "retried" || row.attempts.length > 1));
      if (order === "wrong") shown.sort((a, b) => isBad(b) - isBad(a) || isWrong(b) - isWrong(a) || a.start - b.start);
      if (order === "long") shown.sort((a, b) => (b.end - b.start) - (a.end - a.start));
    } else {
      shown = [];
      for (let index = 0; index < rows.length;) {
        const row = rows[index];
        shown.push(row);
        index = folded.has(index) ? row.after : index + 1;
      }
    }
    const calls = shown.filter((row) => row.kind !== "run" && row.parent >= 0).length;
    $("count").textContent = flat ? `${calls.toLocaleString("en")} of ${plural(entries.length - 1, "call", "calls")}`
      : plural(entries.length - 1, "call", "calls");
    shown.flat = flat;
    draw();
  }

  // Where the rows below one end.
  for (let index = rows.length - 1; index >= 0; index--) {
    const row = rows[index], children = row.children;
    row.after = children.length ? children[children.length - 1].after : index + 1;
  }

  // --- the timeline ----------------------------------------------------------------------------

  const scroller = $("rows"), space = $("space");
  const narrow = matchMedia("(max-width: 820px)");
  const view = { start: 0, end: Math.max(1, now) };
  const height = () => (narrow.matches ? 42 : 24);
  let pending = false;

  function draw() {
    if (pending) return;
    pending = true;
    requestAnimationFrame(() => {
      pending = false;
      drawAxis();
      drawRows();
    });
  }

  const x = (time) => 100 * (time - view.start) / (view.end - view.start);

  function track(row) {
    const element = make("div", "track");
    for (const phase of phases(row)) {
      if (phase.end < view.start || phase.start > view.end) continue;
      const piece = make("i", phase.kind);
      const left = Math.max(0, x(phase.start)), right = Math.min(100, x(phase.end));
      piece.style.left = `${left}%`;
      piece.style.width = `${Math.max(0, right - left)}%`;
      if (phase.kind === "running") {
        if (row.children.length) piece.classList.add("inside");
        if (phase.attempt.outcome !== "completed") piece.classList.add(css(phase.attempt.outcome));
      } else if (phase.attempt && phase.attempt.outcome === "open") piece.classList.add("open");
      piece.title = `${row.label}: ${phase.kind === "arguments" ? "waiting for arguments" : phase.kind === "delay" ? "waiting to retry" : phase.kind} ${span(phase.end - phase.start)}`;
      element.append(piece);
    }
    for (const [start, end] of row.path) {
      if (end < view.start || start > view.end) continue;
      const piece = make("i", "path");
      const left = Math.max(0, x(start)), right = Math.min(100, x(end));
      piece.style.left = `${left}%`;
      piece.style.width = `${right - left}%`;
      element.append(piece);
    }
    const note = make("em", "", span(row.end - row.start)
      + (row.attempts.length > 1 ? `, ${plural(row.attempts.length, "attempt", "attempts")}` : ""));
    const at = x(row.end);
    if (at >= 0 && at <= 84) note.style.left = `${at}%`;
    else if (x(row.start) >= 14 && x(row.start) <= 100) {
      note.style.left = `${x(row.sources.length ? Math.min(row.called, row.start) : row.start)}%`;
      note.classList.add("before");
    } else if (at > 84) note.classList.add("within");
    else note.hidden = true;
    element.append(note);
    return element;
  }

  function rowElement(row, top) {
    const element = make("div", `row ${css(row.outcome)}`);
    element.id = `row-${row.index}`;
    element.dataset.index = row.index;
    element.style.top = `${top}px`;
    element.setAttribute("role", "treeitem");
    element.setAttribute("aria-level", shown.flat ? 1 : row.depth + 1);
    element.setAttribute("aria-selected", row.index === selected);
    if (row.critical) element.classList.add("critical");
    if (selected >= 0 && rows[selected].sources.includes(row.index)) element.classList.add("source");
    if (selected >= 0 && row.sources.includes(selected)) element.classList.add("target");
    const name = make("div", "name"), fold = make("b", "fold");
    name.style.paddingLeft = `${shown.flat ? 0 : Math.min(row.depth, 9) * 13}px`;
    if (row.children.length && !shown.flat) {
      fold.textContent = folded.has(row.index) ? "▶" : "▼";
      element.setAttribute("aria-expanded", !folded.has(row.index));
    }
    const text = make("span", "", row.kind === "run" || !row.args ? row.label : `${row.label}(${row.args})`);
    text.dir = "auto";
    text.title = row.label;
    name.append(fold, text);
    element.append(name, track(row));
    return element;
  }

  function drawRows() {
    const each = height();
    space.style.height = `${shown.length * each}px`;
    document.documentElement.style.setProperty("--scrollbar", `${scroller.offsetWidth - scroller.clientWidth}px`);
    const first = Math.max(0, Math.floor(scroller.scrollTop / each) - 8);
    const last = Math.min(shown.length, Math.ceil((scroller.scrollTop + scroller.clientHeight) / each) + 8);
    const fresh = [];
    for (let place = first; place < last; place++) fresh.push(rowElement(shown[place], place * each));
    if (!shown.length) fresh.push(make("p", "empty", "no call is like that"));
    space.replaceChildren(...fresh);
    const active = selected >= 0 && fresh.some((element) => element.id === `row-${selected}`);
    if (active) scroller.setAttribute("aria-activedescendant", `row-${selected}`);
    else scroller.removeAttribute("aria-activedescendant");
  }

  function drawAxis() {
    const axis = $("axis"), wide = axis.clientWidth || 600, range = view.end - view.start;
    const rough = range / Math.max(2, wide / 90);
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= rough);
    const ticks = [];
    for (let time = Math.ceil(view.start / step) * step; time <= view.end; time += step) {
      if (x(time) > 97) break;
      const tick = make("span", "", time === 0 ? "0" : tickText(time, step));
      tick.style.left = `${x(time)}%`;
      ticks.push(tick);
    }
    axis.replaceChildren(...ticks);
  }

  function tickText(time, step) {
    const [unit, size] = view.end < 1e3 ? ["µs", 1] : view.end < 1e6 ? ["ms", 1e3] : view.end < 6e8 ? ["s", 1e6] : ["min", 6e7];
    const digits = Math.max(0, Math.min(6, Math.ceil(-Math.log10(step / size) - 1e-9)));
    return `${(time / size).toFixed(digits)} ${unit}`;
  }

  function zoom(factor, at = 0.5) {
    const whole = Math.max(1, now), range = Math.min(whole, Math.max(10, (view.end - view.start) * factor));
    const pivot = view.start + at * (view.end - view.start);
    view.start = Math.max(0, Math.min(whole - range, pivot - at * range));
    view.end = view.start + range;
    draw();
  }

  function pan(by) {
    const whole = Math.max(1, now), range = view.end - view.start;
    view.start = Math.max(0, Math.min(whole - range, view.start + by * range));
    view.end = view.start + range;
    draw();
  }

  scroller.addEventListener("scroll", draw, { passive: true });
  scroller.addEventListener("wheel", (event) => {
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      const box = $("axis").getBoundingClientRect();
      zoom(event.deltaY > 0 ? 1.25 : 0.8, Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)));
    } else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      event.preventDefault();
      pan((event.deltaX || event.deltaY) / 800);
    }
  }, { passive: false });
  addEventListener("resize", draw);
  narrow.addEventListener("change", draw);

  // Dragging along the axis shows what lies between.
  let dragged = null;
  $("axis").addEventListener("pointerdown", (event) => {
    dragged = event.clientX;
    $("axis").setPointerCapture(event.pointerId);
  });
  $("axis").addEventListener("pointerup", (event) => {
    if (dragged === null) return;
    const box = $("axis").getBoundingClientRect(), range = view.end - view.start;
    const [from, to] = [dragged, event.clientX].map((at) => Math.min(1, Math.max(0, (at - box.left) / box.width)))
      .sort((a, b) => a - b);
    dragged = null;
    if ((to - from) * box.width < 6) return;
    view.end = view.start + to * range;
    view.start += from * range;
    zoom(1);
  });

  scroller.addEventListener("click", (event) => {
    const element = event.target.closest(".row");
    if (!element) return;
    const index = Number(element.dataset.index);
    if (event.target.closest(".fold") && rows[index].children.length && !shown.flat) fold(index);
    else choose(index, false);
  });

  function fold(index, value = !folded.has(index)) {
    if (value) folded.add(index); else folded.delete(index);
    update();
  }

  // --- one call --------------------------------------------------------------------------------

  function reveal(index) {
    if (!shown.includes(rows[index])) {
      $("find").value = "";
      $("filter").value = "";
      for (let up = rows[index].parent; up >= 0; up = rows[up].parent) folded.delete(up);
      update();
    }
    const each = height(), top = shown.indexOf(rows[index]) * each;
    if (top < scroller.scrollTop || top + each > scroller.scrollTop + scroller.clientHeight) {
      scroller.scrollTop = top - scroller.clientHeight / 2;
    }
  }

  function choose(index, scroll) {
    selected = index;
    showDetails(rows[index]);
    markNode(rows[index]);
    if (scroll) reveal(index);
    draw();
  }

  function close() {
    selected = -1;
    $("details").hidden = true;
    markNode(null);
    draw();
  }

  function value(text) {
    const element = make("pre", "", text);
    element.dir = "auto";
    return element;
  }

  function links(indices) {
    const element = make("div", "links");
    for (const index of indices.slice(0, 40)) {
      const button = make("button", "", rows[index].label);
      button.type = "button";
      button.addEventListener("click", () => choose(index, true));
      element.append(button);
    }
    if (indices.length > 40) element.append(`and ${indices.length - 40} more`);
    return element;
  }

  function where(row) {
    return ancestors(row).map((each) => each.label).join(" / ");
  }

  function facts(row) {
    const list = [];
    list.push(["arguments", row.args ? value(row.args) : "none"]);
    if (row.result !== null) list.push(["result", value(row.result)]);
    if (row.error) {
      const error = make("div"), line = make("pre", "error", row.error.message ? `${row.error.type}: ${row.error.message}` : row.error.type);
      line.dir = "auto";
      error.append(line);
      if (row.error.traceback) error.append(make("pre", "traceback", row.error.traceback));
      list.push(["error", error]);
    }
    if (row.parent >= 0) list.push(["within", where(row)]);
    if (row.sources.length) list.push(["needs", links(row.sources)]);
    if (row.targets.length) list.push(["needed by", links(row.targets)]);
    if (row.kind !== "run") list.push(["identity", row.parent < 0 ? row.label : `${row.label}, ${row.kind}`]);
    return list;
  }

  const columns = ["attempt", "began", "waited", "queued", "ran", "worker", "outcome"];

  function cells(attempt) {
    const end = attempt.ended < 0 ? now : attempt.ended;
    const from = [attempt.delayed, attempt.scheduled, attempt.started].find((time) => time >= 0);
    const between = (start, stop) => (start < 0 ? "" : span(Math.max(0, (stop < 0 ? end : stop) - start)));
    return [
      String(attempt.no + 1),
      from === undefined ? "" : `+${span(from)}`,
      between(attempt.delayed, attempt.scheduled),
      between(attempt.scheduled, attempt.started),
      attempt.started < 0 ? "" : span(end - attempt.started),
      attempt.worker,
      words(attempt.outcome),
    ];
  }

  function attemptsTable(row) {
    const table = make("table"), head = make("tr"), lines = row.attempts.map(cells);
    const used = columns.map((_, column) => column).filter((column) => lines.some((line) => line[column]));
    for (const column of used) head.append(make("th", "", columns[column]));
    table.append(head);
    for (const [number, attempt] of row.attempts.entries()) {
      const line = make("tr");
      for (const column of used) line.append(make("td", "", lines[number][column]));
      table.append(line);
      if (attempt.error && attempt !== row.attempts[row.attempts.length - 1]) {
        const cell = make("td"), extra = make("tr");
        cell.colSpan = used.length;
        cell.append(make("pre", "error", `${attempt.error.type}: ${attempt.error.message}`));
        if (attempt.error.traceback) cell.append(make("pre", "traceback", attempt.error.traceback));
        extra.append(cell);
        table.append(extra);
      }
    }
    return table;
  }

  function showDetails(row) {
    const panel = $("details"), top = make("div", "top"), button = make("button", "", "close");
    panel.hidden = false;
    button.type = "button";
    button.addEventListener("click", close);
    const title = make("h2");
    title.append(make("bdi", "", row.label));
    top.append(title, make("span", `badge ${css(row.outcome)}`, words(row.outcome)), make("span", "", span(row.end - row.start)));
    if (row.path.length) {
      const time = row.path.reduce((sum, [start, end]) => sum + end - start, 0);
      top.append(make("span", "meta", `${share(time, Math.max(1, now))} of the critical path`));
    }
    top.append(button);
    const list = make("dl");
    for (const [name, content] of facts(row)) {
      const entry = make("dd");
      entry.append(content);
      list.append(make("dt", "", name), entry);
    }
    const scroll = make("div", "scroll");
    scroll.append(attemptsTable(row));
    panel.replaceChildren(top, list, scroll);
    panel.scrollTop = 0;
  }

  // --- the graph -------------------------------------------------------------------------------

  const canvas = $("canvas");
  let scale = 0;

  function graph() { return canvas.querySelector(".graph:not([hidden]) svg"); }

  function resize(factor) {
    const picture = graph();
    if (!picture) return;
    const { width, height: tall } = picture.viewBox.baseVal;
    const fit = Math.min(1.15, Math.max(0.02, Math.min((canvas.clientWidth - 18) / width, (canvas.clientHeight - 18) / tall)));
    // A graph that would be too small to read is shown from its top, to be scrolled.
    scale = factor ? Math.min(4, Math.max(0.02, (scale || fit) * factor)) : factor === 0 ? fit : Math.max(fit, Math.min(0.7, 1.15));
    picture.style.width = `${width * scale}px`;
    picture.style.height = `${tall * scale}px`;
  }

  function showGraph(by) {
    for (const each of canvas.querySelectorAll(".graph")) each.hidden = each.dataset.by !== by;
    for (const button of $("by").querySelectorAll("button")) button.setAttribute("aria-pressed", button.dataset.by === by);
    resize();
    canvas.scrollLeft = (canvas.scrollWidth - canvas.clientWidth) / 2;
    if (selected >= 0) markNode(rows[selected]);
  }

  const nodes = new Map();
  for (const node of canvas.querySelectorAll(".node")) {
    const row = entries[Number(node.dataset.call)];
    node.addEventListener("click", () => {
      if (node.dataset.many) {
        $("find").value = row.name;
        update();
        scroller.scrollTop = 0;
      }
      choose(row.index, true);
    });
    if (!nodes.has(row.index)) nodes.set(row.index, []);
    nodes.get(row.index).push(node);
  }

  function markNode(row) {
    for (const node of canvas.querySelectorAll(".selected")) node.classList.remove("selected");
    for (let at = row; at; at = rows[at.parent]) {
      const found = (nodes.get(at.index) || []).filter((node) => !node.closest(".graph").hidden);
      if (!found.length) continue;
      for (const node of found) node.classList.add("selected");
      const box = found[0].getBoundingClientRect(), frame = canvas.getBoundingClientRect();
      if (box.left < frame.left || box.right > frame.right) canvas.scrollLeft += box.left + box.width / 2 - frame.left - frame.width / 2;
      if (box.top < frame.top || box.bottom > frame.bottom) canvas.scrollTop += box.top + box.height / 2 - frame.top - frame.height / 2;
      return;
    }
  }

  $("graph-in").addEventListener("click", () => resize(1.3));
  $("graph-out").addEventListener("click", () => resize(1 / 1.3));
  $("graph-fit").addEventListener("click", () => resize(0));
  const graphs = [...canvas.querySelectorAll(".graph")];
  if (graphs.length > 1) {
    $("by").hidden = false;
    for (const button of $("by").querySelectorAll("button")) button.addEventListener("click", () => showGraph(button.dataset.by));
  }

  // --- ways in ---------------------------------------------------------------------------------

  $("find").addEventListener("input", () => { scroller.scrollTop = 0; update(); });
  for (const id of ["filter", "order"]) $(id).addEventListener("change", () => { scroller.scrollTop = 0; update(); });
  $("zoom-in").addEventListener("click", () => zoom(0.6));
  $("zoom-out").addEventListener("click", () => zoom(1 / 0.6));
  $("zoom-all").addEventListener("click", () => zoom(Infinity));
  $("theme").addEventListener("click", () => {
    const dark = getComputedStyle(document.documentElement).colorScheme === "dark";
    document.documentElement.dataset.theme = dark ? "light" : "dark";
  });

  function move(by) {
    if (!shown.length) return;
    const place = selected < 0 ? -1 : shown.indexOf(rows[selected]);
    const from = place < 0 ? (by < 0 ? shown.length : -1) : place;
    const next = Math.min(shown.length - 1, Math.max(0, from + by));
    choose(shown[next].index, true);
  }

  const keys = {
    "/": () => { $("find").focus(); $("find").select(); },
    ArrowDown: () => move(1), j: () => move(1), ArrowUp: () => move(-1), k: () => move(-1),
    PageDown: () => move(Math.floor(scroller.clientHeight / height())),
    PageUp: () => move(-Math.floor(scroller.clientHeight / height())),
    Home: () => move(-Infinity), End: () => move(Infinity),
    ArrowLeft: () => {
      if (selected < 0 || shown.flat) return;
      const row = rows[selected];
      if (row.children.length && !folded.has(selected)) fold(selected, true);
      else if (row.parent >= 0) choose(row.parent, true);
    },
    ArrowRight: () => {
      if (selected < 0 || shown.flat || !rows[selected].children.length) return;
      if (folded.has(selected)) fold(selected, false); else choose(rows[selected].children[0].index, true);
    },
    "+": () => zoom(0.6), "=": () => zoom(0.6), "-": () => zoom(1 / 0.6), 0: () => zoom(Infinity),
    f: () => { $("filter").value = $("filter").value === "wrong" ? "" : "wrong"; scroller.scrollTop = 0; update(); },
    Escape: close,
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.target.matches("input, select, textarea");
    if (typing && event.key === "Escape") { event.target.blur(); return; }
    if (typing && event.target.id === "find" && event.key === "Enter") {
      event.preventDefault();
      if (shown.length) choose((shown.find((row) => row.parent >= 0) || shown[0]).index, true);
      scroller.focus();
      return;
    }
    if (typing || event.target.id === "canvas" && event.key.startsWith("Arrow")) return;
    const action = keys[event.key];
    if (action) {
      event.preventDefault();
      action();
    }
  });

  // --- on paper --------------------------------------------------------------------------------

  function printed() {
    const paper = document.createDocumentFragment();
    const kept = { ...view };
    view.start = 0;
    view.end = Math.max(1, now);
    for (const row of rows) {
      const article = make("article"), head = make("h3"), line = make("div", `row ${css(row.outcome)}`);
      head.append(make("bdi", "", `${where(row) && `${where(row)} / `}${row.label}`),
        ` — ${words(row.outcome)}, ${span(row.end - row.start)}, from +${span(row.start)}`);
      line.append(track(row));
      article.append(head, line);
      for (const [name, content] of facts(row)) {
        if (name === "within" || name === "identity") continue;
        const text = make("pre");
        if (name === "needs" || name === "needed by") {
          text.textContent = `${name}: ${(name === "needs" ? row.sources : row.targets).map((each) => rows[each].label).join(", ")}`;
          article.append(text);
        } else {
          text.textContent = `${name}: `;
          if (typeof content === "string") text.textContent += content;
          article.append(text);
          if (typeof content !== "string") article.append(content);
        }
      }
      if (row.attempts.length > 1) article.append(attemptsTable(row));
      else if (row.attempts[0].worker) {
        // A table for each of many calls would take a browser minutes to set on pages.
        const said = cells(row.attempts[0]).map((cell, column) => cell && `${columns[column]} ${cell}`);
        article.append(make("pre", "", said.slice(2, -1).filter(Boolean).join(", ")));
      }
      paper.append(article);
    }
    Object.assign(view, kept);
    $("print").replaceChildren(paper);
  }
  addEventListener("beforeprint", printed);
  addEventListener("afterprint", () => $("print").replaceChildren());

  // --- begin -----------------------------------------------------------------------------------

  const legend = [["arguments", "waiting for arguments"], ["queued", "queued"], ["running", "running"],
    ["delay", "waiting to retry"], ["running failed", "failed"], ["running open", "not ended"], ["path", "critical path"]];
  for (const [className, text] of legend) {
    const item = make("span"), sample = make("span", "row"), piece = make("i", className);
    piece.style.left = "0";
    piece.style.width = "100%";
    sample.append(piece);
    item.append(sample, text);
    $("legend").append(item);
  }
  if (graphs.length) showGraph((graphs.find((each) => !each.hidden) || graphs[0]).dataset.by);
  update();
  // For tests, and for whoever looks behind the page.
  window.flowyTrace = { rows, choose, shown: () => shown };
})();
