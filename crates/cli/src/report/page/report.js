// Everything here is an addition: the page is complete without it. Text from the data is only ever set as text.
"use strict";
(() => {
  const make = (name, props = {}, ...children) => {
    const node = document.createElement(name);
    Object.assign(node, props);
    node.append(...children);
    return node;
  };
  const NS = "http://www.w3.org/2000/svg";
  const draw = (name, attributes) => {
    const node = document.createElementNS(NS, name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    return node;
  };
  const numbers = (text) => (text ? text.split(" ").map(Number) : []);
  const short = (x) => (Number.isFinite(x) ? String(Number(x.toPrecision(4))) : "none");

  // Light or dark, against the system's wish.
  const theme = () =>
    document.documentElement.dataset.theme ||
    (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  const button = make("button", { type: "button" });
  const name = () => { button.textContent = theme() === "dark" ? "Light colours" : "Dark colours"; };
  button.addEventListener("click", () => {
    document.documentElement.dataset.theme = theme() === "dark" ? "light" : "dark";
    name();
  });
  name();
  document.getElementById("tools").append(button);

  // Paper shows what a click would.
  addEventListener("beforeprint", () => {
    for (const node of document.querySelectorAll("details:not([open])")) {
      node.open = true;
      node.dataset.printed = "";
    }
  });
  addEventListener("afterprint", () => {
    for (const node of document.querySelectorAll("details[data-printed]")) {
      node.open = false;
      delete node.dataset.printed;
    }
  });

  // Legends become boxes that turn lines on and off within their section.
  for (const item of document.querySelectorAll(".legend li")) {
    const box = make("input", { type: "checkbox", checked: true });
    const label = make("label", {}, box, ...item.childNodes);
    item.append(label);
    const scope = item.closest("section");
    box.addEventListener("change", () => {
      for (const line of scope.querySelectorAll(".line")) {
        if (line.dataset.key === item.dataset.key) line.classList.toggle("off", !box.checked);
      }
    });
  }

  // Tables sort by a click on a heading; a second click turns the order round, empty cells stay last.
  const value = (cell) => {
    if (cell.dataset.v !== undefined) return Number(cell.dataset.v);
    const text = cell.textContent.trim();
    return text === "–" ? null : text;
  };
  const compare = (a, b, sign) => {
    const isNone = (x) => x === null || Number.isNaN(x);
    if (isNone(a) || isNone(b)) return Number(isNone(a)) - Number(isNone(b));
    if (typeof a === "number" && typeof b === "number") return sign * (a - b);
    return sign * String(a).localeCompare(String(b), undefined, { numeric: true });
  };
  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const sort = make("button", { type: "button" }, ...head.childNodes);
      head.append(sort);
      sort.addEventListener("click", () => {
        const sign = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
        for (const other of heads) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
        const body = table.tBodies[0];
        const rows = [...body.rows];
        rows.sort((a, b) => compare(value(a.cells[column]), value(b.cells[column]), sign));
        body.append(...rows);
      });
    });
  }

  // Charts show their values under the pointer or the arrow keys, and zoom to a stretch that is dragged over.
  for (const svg of document.querySelectorAll("svg[data-plot]")) {
    const [left, top, right, bottom] = numbers(svg.dataset.plot);
    const full = numbers(svg.dataset.x);
    const [low, high] = numbers(svg.dataset.y);
    const isLog = svg.dataset.log !== undefined;
    const plot = svg.parentNode;
    let [from, to] = full;
    let at = null;
    let dragged = null;
    const lines = [...svg.querySelectorAll(".line")].map((node) => ({
      node,
      name: node.dataset.name,
      xs: numbers(node.dataset.xs),
      ys: numbers(node.dataset.ys),
    }));
    const places = [...new Set(lines.flatMap((line) => line.xs))].sort((a, b) => a - b);
    if (places.length < 2) continue;
    const xOf = (x) => left + ((x - from) / (to - from)) * (right - left);
    const xAt = (px) => from + ((px - left) / (right - left)) * (to - from);
    const share = (y) => (isLog ? Math.log(y / low) / Math.log(high / low) : (y - low) / (high - low));
    const yOf = (y) => bottom - share(y) * (bottom - top);

    plot.tabIndex = 0;
    plot.setAttribute("role", "group");
    plot.setAttribute("aria-label", `${svg.querySelector("title").textContent}. Arrow keys show values.`);
    const cross = draw("path", { class: "cross off" });
    const box = draw("rect", { class: "zoombox off", y: top, height: bottom - top });
    svg.append(box, cross);
    const readout = make("div", { className: "readout", hidden: true });
    readout.setAttribute("aria-live", "polite");
    const reset = make("button", { type: "button", className: "reset", hidden: true }, "Whole range");
    plot.append(readout, reset);

    const show = (x) => {
      at = x;
      cross.classList.remove("off");
      cross.setAttribute("d", `M${xOf(x)} ${top}V${bottom}`);
      const rows = lines
        .filter((line) => !line.node.classList.contains("off") && line.xs.includes(x))
        .map((line) => [line, line.ys[line.xs.indexOf(x)]])
        .slice(0, 14)
        .map(([line, y]) => {
          const dot = make("span", { className: `key ${line.node.classList[1]}` }, "■ ");
          return make("div", {}, make("span", {}, dot, line.name), make("b", {}, short(y)));
        });
      readout.replaceChildren(make("div", {}, `${svg.dataset.label} ${short(x)}`), ...rows);
      readout.hidden = false;
      const scale = svg.clientWidth / svg.viewBox.baseVal.width;
      const side = xOf(x) * scale;
      const room = svg.clientWidth - readout.offsetWidth;
      const beside = side > svg.clientWidth / 2 ? side - readout.offsetWidth - 12 : side + 12;
      readout.style.left = `${Math.max(0, Math.min(room, beside))}px`;
      readout.style.top = `${top * scale}px`;
    };
    const hide = () => {
      at = null;
      cross.classList.add("off");
      readout.hidden = true;
    };
    const inside = () => places.filter((x) => x >= from && x <= to);
    const nearest = (x) => inside().reduce((best, p) => (Math.abs(p - x) < Math.abs(best - x) ? p : best), inside()[0]);
    const pointer = (event) => {
      const area = svg.getBoundingClientRect();
      return ((event.clientX - area.left) / area.width) * svg.viewBox.baseVal.width;
    };

    const zoom = (low, high) => {
      [from, to] = [low, high];
      reset.hidden = from === full[0] && to === full[1];
      for (const line of lines) {
        let path = "";
        let isOpen = false;
        line.xs.forEach((x, i) => {
          const y = line.ys[i];
          const isShown = Number.isFinite(y) && (!isLog || y > 0);
          if (isShown) path += `${isOpen ? "L" : "M"}${xOf(x)} ${yOf(y)}`;
          isOpen = isShown;
        });
        line.node.querySelector(".stroke").setAttribute("d", path);
        for (const marker of line.node.querySelectorAll(".marker")) {
          const i = Number(marker.dataset.i);
          marker.setAttribute("transform", `translate(${xOf(line.xs[i])} ${yOf(line.ys[i])})`);
        }
        const whiskers = [...line.node.querySelectorAll(".whisker")];
        whiskers.forEach((whisker) => {
          const [, x, rest] = /^M(\S+) (.*)$/.exec(whisker.dataset.d || (whisker.dataset.d = whisker.getAttribute("d")));
          const value = full[0] + ((Number(x) - left) / (right - left)) * (full[1] - full[0]);
          whisker.setAttribute("d", `M${xOf(value)} ${rest}`);
        });
      }
      const diagonal = svg.querySelector(".diagonal");
      if (diagonal) diagonal.classList.toggle("off", !reset.hidden);
      ticks();
      hide();
    };
    const ticks = () => {
      const rough = (to - from) / 4;
      const power = 10 ** Math.floor(Math.log10(rough));
      const whole = places.every(Number.isInteger);
      const step = Math.max([1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough), whole ? 1 : 0);
      const nodes = [];
      for (let i = Math.ceil(from / step - 1e-9); i * step <= to + 1e-9; i += 1) {
        const x = xOf(i * step);
        const text = draw("text", { class: "tick", x, y: bottom + 17, "text-anchor": "middle" });
        text.textContent = short(i * step);
        nodes.push(draw("path", { class: "grid", d: `M${x} ${bottom}v4` }), text);
      }
      svg.querySelector(".xticks").replaceChildren(...nodes);
    };
    reset.addEventListener("click", () => zoom(...full));

    svg.addEventListener("pointerdown", (event) => {
      if (event.pointerType === "mouse" && event.button === 0) dragged = pointer(event);
    });
    svg.addEventListener("pointermove", (event) => {
      const px = pointer(event);
      show(nearest(xAt(px)));
      if (dragged === null) return;
      const [a, b] = [Math.min(px, dragged), Math.max(px, dragged)].map((p) => Math.min(right, Math.max(left, p)));
      box.classList.remove("off");
      box.setAttribute("x", a);
      box.setAttribute("width", b - a);
    });
    const release = (event) => {
      if (dragged === null) return;
      const [a, b] = [dragged, pointer(event)].sort((p, q) => p - q).map((p) => xAt(Math.min(right, Math.max(left, p))));
      const wide = Math.abs(pointer(event) - dragged) > 8;
      dragged = null;
      box.classList.add("off");
      const chosen = places.filter((x) => x >= a && x <= b);
      if (wide && chosen.length > 1) zoom(chosen[0], chosen[chosen.length - 1]);
    };
    addEventListener("pointerup", release);
    svg.addEventListener("pointerleave", () => { if (dragged === null) hide(); });
    plot.addEventListener("blur", hide);
    plot.addEventListener("keydown", (event) => {
      if (event.target !== plot) return;
      const here = inside();
      const i = at === null ? -1 : here.indexOf(at);
      const move = { ArrowRight: i + 1, ArrowLeft: i < 0 ? here.length - 1 : i - 1, Home: 0, End: here.length - 1 }[event.key];
      if (event.key === "Escape") hide();
      if (move === undefined) return;
      event.preventDefault();
      show(here[Math.min(here.length - 1, Math.max(0, move))]);
    });
  }
})();
