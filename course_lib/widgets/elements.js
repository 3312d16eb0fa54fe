// What every explorer is made of, wherever it is computed.

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

// What takes the focus. JupyterLab must leave its keys alone, and asks the focused element first.
function focusable(tag, properties, ...children) {
  const made = element(tag, properties, ...children);
  made.dataset.lmSuppressShortcuts = "true";
  return made;
}

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
const short = (value) => String(Number(value.toPrecision(6)));
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1] };

// Whether a pointer begins to draw or to drag: it is no second finger, and no button that opens a menu.
const begins = (event) => event.isPrimary && event.button === 0;

// A number by a slider or a field; `show(value)` moves both.
function slider({ label, low, high, step }, change) {
  const range = focusable("input", { type: "range", min: low, max: high, step });
  const number = focusable("input", { type: "number", min: low, max: high, step, ariaLabel: label });
  const show = (value) => { range.value = value; number.value = short(value); };
  range.addEventListener("input", () => { number.value = range.value; change(range.valueAsNumber); });
  const typed = () => {
    range.value = clamp(number.value || range.value, low, high); // on the nearest step
    number.value = range.value;
    change(range.valueAsNumber);
  };
  number.addEventListener("change", typed);
  number.addEventListener("keydown", (event) => event.key === "Enter" && typed()); // in JupyterLab no "change" follows
  return { field: element("div", { className: "explorer-field" }, element("label", {}, label, range), number), show };
}

// `render`, which in the end empties its element: JupyterLab keeps those that are gone, with all that they hold.
const emptied = (render) => ({ model, el }) => {
  const end = render({ model, el });
  return () => { end(); el.replaceChildren(); };
};
