// What a page shows outside the brackets of the pseudo-language: visible text, and what is read out of attributes.
() => {
  const SILENT = "script, style, template, noscript, svg, code, pre";
  const SPOKEN = ["aria-label", "title", "placeholder", "alt"];
  const seen = (it) => it.checkVisibility({ visibilityProperty: true }) && !it.closest(SILENT);
  const found = [];
  let depth = 0;
  const outside = (text, from) => {
    depth = from;
    let rest = "";
    for (const sign of text) {
      if (sign === "⟦") depth += 1;
      rest += depth ? " " : sign;
      if (sign === "⟧") depth -= 1;
    }
    return rest.replace(/\s+/g, " ").trim();
  };
  for (const it of document.querySelectorAll("*"))
    for (const name of seen(it) ? SPOKEN : []) found.push(outside(it.getAttribute(name) ?? "", 0));
  found.push(outside(document.title, 0));
  depth = 0;
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const it = texts.currentNode;
    if (it.parentElement.closest("script, style, template")) continue;
    const rest = outside(it.data, depth);
    if (seen(it.parentElement)) found.push(rest);
  }
  return [document.documentElement.lang, [...new Set(found.filter(Boolean))]];
}
