// What every page owes to those who do not see it, or not well. Answers a list of faults, each in words.
() => {
  const faults = [];
  const name = (it) => it.outerHTML.replace(/\s+/g, " ").slice(0, 110);
  const hidden = (it) => !it.checkVisibility({ visibilityProperty: true }) || it.closest("[aria-hidden=true]");
  const all = (selector) => [...document.querySelectorAll(selector)].filter((it) => !hidden(it));

  // ---- structure
  if (!document.documentElement.lang) faults.push("the page names no language");
  if (!document.title.trim()) faults.push("the page has no title");
  for (const [selector, least, most] of [["h1", 1, 1], ["main, [role=main]", 1, 1], ["body > header, body > div > header", 1, 1], ["nav", 1, 9]]) {
    const found = all(selector).length;
    if (found < least || found > most) faults.push(`${found} of ${selector}`);
  }
  let level = 0;
  for (const heading of all("h1, h2, h3, h4")) {
    const next = Number(heading.tagName[1]);
    if (level && next > level + 1) faults.push(`heading jumps from ${level} to ${next}: ${name(heading)}`);
    level = next;
  }
  const ids = [...document.querySelectorAll("[id]")].map((it) => it.id);
  for (const id of new Set(ids.filter((it, at) => ids.indexOf(it) !== at))) faults.push(`id twice: ${id}`);
  for (const it of document.querySelectorAll("[aria-describedby], [aria-labelledby]"))
    for (const id of `${it.getAttribute("aria-labelledby") ?? ""}`.split(" ").filter(Boolean))
      if (!document.getElementById(id)) faults.push(`labelled by nothing: ${name(it)}`);

  // ---- names
  const words = (it) => {
    const told = it.getAttribute("aria-label") || it.title;
    if (told) return told;
    const by = it.getAttribute("aria-labelledby");
    if (by) return by.split(" ").map((id) => document.getElementById(id)?.textContent ?? "").join(" ");
    if (it.labels?.length) return [...it.labels].map((label) => label.textContent).join(" ");
    const drawn = [...it.querySelectorAll("img[alt], [aria-label]")];
    return it.textContent + drawn.map((part) => part.getAttribute("alt") ?? part.getAttribute("aria-label")).join(" ");
  };
  for (const it of all("input:not([type=hidden]), select, textarea, button, a[href], summary, progress, dialog[open]"))
    if (!words(it).trim()) faults.push(`without a name: ${name(it)}`);
  for (const it of document.querySelectorAll("img")) if (!it.hasAttribute("alt")) faults.push(`without alt: ${name(it)}`);
  for (const kind of ["nav", "[role=search]"])
    for (const it of all(kind))
      if (all(kind).length > 1 && !it.hasAttribute("aria-label") && !it.hasAttribute("aria-labelledby"))
        faults.push(`one of several, without a name: ${name(it)}`);

  // ---- contrast (WCAG 2.2, 1.4.3) of every text against what lies under it
  const paint = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    paint.clearRect(0, 0, 1, 1);
    paint.fillStyle = colour;
    paint.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = paint.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, under) => top.slice(0, 3).map((part, at) => part * top[3] + under[at] * (1 - top[3])).concat(1);
  const light = (colour) => {
    const [r, g, b] = colour.map((part) => part / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (it) => {
    const layers = [];
    for (let at = it; at; at = at.parentElement) {
      const style = getComputedStyle(at);
      if (style.backgroundImage !== "none") return null; // a picture: not to be judged by numbers
      const colour = rgba(style.backgroundColor);
      if (colour[3] > 0) layers.push(colour);
      if (colour[3] === 1) break;
    }
    return layers.reverse().reduce((under, top) => over(top, under), rgba("Canvas"));
  };
  const seen = new Set();
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const it = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || seen.has(it) || hidden(it) || it.closest("svg, noscript, :disabled")) continue;
    seen.add(it);
    const style = getComputedStyle(it);
    const under = ground(it);
    if (!under || it.closest(".visually-hidden, .skip") || parseFloat(style.opacity) === 0) continue;
    const [a, b] = [light(over(rgba(style.color), under)), light(under)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (large ? 3 : 4.5)) faults.push(`contrast ${ratio.toFixed(2)}: ${name(it)}`);
  }
  return faults;
};
