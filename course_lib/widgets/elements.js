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
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1] };
