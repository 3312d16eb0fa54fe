// What a page of its own puts in the place of a kernel's model: the values, and who hears of their changes.
function offline(values) {
  const heard = new Set();
  return {
    get: (name) => values[name],
    set(news) {
      Object.assign(values, news);
      heard.forEach((hear) => hear());
    },
    save_changes() {},
    on: (_event, hear) => heard.add(hear),
    off: (_event, hear) => heard.delete(hear),
  };
}

const unpacked = (_name, value) =>
  (value?.base64 === undefined ? value : Uint8Array.from(atob(value.base64), (letter) => letter.charCodeAt(0)));
