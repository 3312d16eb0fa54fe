// A pad for drawing a picture by pointer, touch or keys, and for covering pixels.

const TOOLS = ["draw", "erase", "cover", "uncover"];
const UNDOS = 50;

// What a brush at distance `away` from a pixel leaves there, from 0 to 1: a line about two pixels wide, with a soft edge.
const softness = (away) => clamp(1.6 - away, 0, 1);

function distance([row, column], [r0, c0], [r1, c1]) {
  const dr = r1 - r0, dc = c1 - c0, length = dr * dr + dc * dc;
  const share = length ? clamp(((row - r0) * dr + (column - c0) * dc) / length, 0, 1) : 0;
  return Math.hypot(row - r0 - share * dr, column - c0 - share * dc);
}

// What one straight stroke of a tool makes of the ink (0 to 255), or of which pixels are seen (0 or 1).
function stroked({ ink, seen }, [rows, columns], tool, from, to) {
  const covers = tool === "cover" || tool === "uncover", next = (covers ? seen : ink).slice();
  for (let d = 0; d < rows * columns; d += 1) {
    const away = distance([Math.floor(d / columns), d % columns], from, to), touch = Math.round(255 * softness(away));
    if (tool === "draw") next[d] = Math.max(ink[d], touch);
    else if (tool === "erase") next[d] = Math.min(ink[d], 255 - touch);
    else if (away < 2) next[d] = Number(tool === "uncover");
  }
  return covers ? { seen: next } : { ink: next };
}

// The ink moved by whole pixels so that its centre of mass is in the middle.
function centred(ink, [rows, columns]) {
  let mass = 0, row = 0, column = 0;
  ink.forEach((value, d) => { mass += value; row += value * Math.floor(d / columns); column += value * (d % columns); });
  if (!mass) return ink;
  const down = Math.round(rows / 2 - row / mass), right = Math.round(columns / 2 - column / mass);
  return ink.map((_, d) => {
    const r = Math.floor(d / columns) - down, c = (d % columns) - right;
    return r >= 0 && r < rows && c >= 0 && c < columns ? ink[r * columns + c] : 0;
  });
}

function described({ ink, seen }) {
  const percent = (count) => Math.round((100 * count) / ink.length);
  return `${percent(ink.filter((value) => value > 127).length)} % of the pixels have ink, `
    + `${percent(seen.filter((value) => !value).length)} % are covered`;
}

// `read()` gives the picture { ink, seen } and the tool as they are, `change(news)` changes them.
function pad({ shape, label, tools = TOOLS }, read, change) {
  const [rows, columns] = shape, past = [];
  const { canvas, paint } = pixelPicture(shape, { role: "img" });
  const cursor = element("div", { className: "explorer-cursor" });
  Object.assign(cursor.style, { width: `${100 / columns}%`, height: `${100 / rows}%` });
  const surface = focusable("div", { className: "explorer-surface", role: "application", tabIndex: 0,
    ariaLabel: `${label}: arrow keys move, Space draws, Shift and an arrow key draw a line, Backspace erases` }, cursor);
  const spoken = element("div", { className: "explorer-spoken", role: "status" });
  let at = [rows >> 1, columns >> 1], last = null;

  const remember = () => { past.push(read()); past.splice(0, past.length - UNDOS); };
  const stroke = (from, to, tool = read().tool) => change(stroked(read(), shape, tool, from, to));
  function under(pointer) {
    const box = surface.getBoundingClientRect();
    return [((pointer.clientY - box.top) / box.height) * rows - 0.5, ((pointer.clientX - box.left) / box.width) * columns - 0.5];
  }
  surface.addEventListener("pointerdown", (event) => {
    if (!begins(event)) return;
    surface.setPointerCapture(event.pointerId);
    remember();
    last = under(event);
    stroke(last, last);
  });
  surface.addEventListener("pointermove", (event) => {
    if (!last || !event.isPrimary) return;
    const now = under(event);
    stroke(last, now);
    last = now;
  });
  for (const end of ["pointerup", "pointercancel"])
    surface.addEventListener(end, (event) => { if (event.isPrimary) last = null; });
  surface.addEventListener("keydown", (event) => {
    const arrow = ARROWS[event.key], from = at;
    if (!arrow && event.key !== " " && event.key !== "Backspace") return;
    event.preventDefault();
    if (arrow) at = [clamp(at[0] - arrow[1], 0, rows - 1), clamp(at[1] + arrow[0], 0, columns - 1)];
    if (!arrow || event.shiftKey) {
      remember();
      stroke(from, at, event.key === "Backspace" ? "erase" : undefined);
    }
    placeCursor();
  });
  function placeCursor() {
    Object.assign(cursor.style, { left: `${(100 * at[1]) / columns}%`, top: `${(100 * at[0]) / rows}%` });
    const { ink, seen } = read(), d = at[0] * columns + at[1];
    spoken.textContent = `row ${at[0]}, column ${at[1]}: ${seen[d] ? `ink ${Math.round(ink[d] / 2.55)} %` : "covered"}`;
  }

  const tool = gallery({ label: "tool", names: tools }, (i) => change({ tool: tools[i] }));
  const blank = { ink: new Uint8Array(rows * columns), seen: new Uint8Array(rows * columns).fill(1) };
  const acts = element("div", { className: "explorer-controls" },
    button("Undo", () => { if (past.length) { const { ink, seen } = past.pop(); change({ ink, seen }); } }),
    button("Clear", () => { remember(); change({ ink: blank.ink.slice(), seen: blank.seen.slice() }); }),
    button("Centre", () => { remember(); change({ ink: centred(read().ink, shape) }); }));
  const stage = element("div", { className: "explorer-picture" }, canvas, surface);
  placeCursor();
  spoken.textContent = "";
  return {
    field: element("div", { className: "explorer-part" }, stage, tool.field, acts, spoken),
    show() {
      const now = read();
      paint(now.ink, 255, now.seen);
      canvas.ariaLabel = `${label}: ${described(now)}.`;
      tool.show(tools.indexOf(now.tool));
    },
  };
}

// The drawing in a model's state, for `pad`; `changed` is called after every change.
function drawing(model, changed) {
  const names = { ink: "ink_bytes", seen: "seen_bytes", tool: "tool" };
  const read = () => ({ ink: bytes(model.get("ink_bytes")), seen: bytes(model.get("seen_bytes")), tool: model.get("tool") });
  const change = (news) => {
    model.set(Object.fromEntries(Object.entries(news).map(([name, value]) => [names[name], value])));
    changed();
  };
  return [read, change];
}

function renderPad({ model, el }) {
  const { shape } = model.get("face");
  const surface = pad({ shape, label: "drawing" }, ...drawing(model, teller(model)));
  const complain = frame(model, el, surface.field);
  const show = () => { surface.show(); complain(); };
  model.on("change", show);
  show();
  return () => model.off("change", show);
}
