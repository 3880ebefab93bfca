"use strict";
(() => {
  const all = (selector, node = document) => [...node.querySelectorAll(selector)];

  // Tables: a click on a heading sorts by its column, a second one the other way, a third one as it was.
  const number = (text) => {
    const found = text.replace(/[−–]/g, "-").match(/^[<+]?\s*(-?[\d.,]+)/);
    return found ? parseFloat(found[1].replace(/,/g, "")) : NaN;
  };
  const compare = (a, b) => {
    const [x, y] = [number(a), number(b)];
    if (Number.isNaN(x) || Number.isNaN(y)) {
      if (Number.isNaN(x) !== Number.isNaN(y)) return Number.isNaN(x) ? 1 : -1;
      return a.localeCompare(b, undefined, { numeric: true });
    }
    return x - y;
  };
  for (const table of all("table")) {
    const body = table.tBodies[0];
    const original = [...body.rows];
    const headings = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
    headings.forEach((heading, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...heading.childNodes);
      heading.append(button);
      button.addEventListener("click", () => {
        const next = { none: "ascending", ascending: "descending", descending: "none" };
        const order = next[heading.getAttribute("aria-sort") || "none"];
        headings.forEach((each) => each.removeAttribute("aria-sort"));
        if (order !== "none") heading.setAttribute("aria-sort", order);
        const text = (row) => row.cells[column].textContent.trim();
        const sorted = order === "none" ? original : [...original].sort((a, b) => compare(text(a), text(b)));
        body.append(...(order === "descending" ? sorted.reverse() : sorted));
      });
    });
  }

  // Rows: filters by label and verdict, and by text.
  const lists = new Map();
  for (const list of all("section.rows")) {
    const rows = all("article.row", list).map((node) => ({ node, ...JSON.parse(node.dataset.row), text: null }));
    const selects = all("select", list);
    const search = list.querySelector("input");
    const tally = list.querySelector(".tally");
    const verdictKeys = ["run", "judge", "verdict"];

    // The filter of a figure may name what no menu has, because all rows have it.
    let extra = {};
    const chosen = () => {
      const found = { ...extra };
      for (const select of selects) if (select.value) found[select.dataset.name] = select.value;
      return found;
    };
    const matches = (wanted, keys) => Object.entries(wanted).every(([name, value]) => keys[name] === value);
    const update = () => {
      const filter = chosen();
      const ofVerdict = Object.fromEntries(Object.entries(filter).filter(([name]) => verdictKeys.includes(name)));
      const ofRow = Object.fromEntries(Object.entries(filter).filter(([name]) => !verdictKeys.includes(name)));
      const words = search.value.trim().toLowerCase();
      const counts = new Map();
      let shown = 0;
      for (const row of rows) {
        row.text ??= row.node.textContent.toLowerCase();
        const judged = row.verdicts.filter((each) => matches(ofVerdict, each));
        const visible = matches(ofRow, row.labels) && (judged.length > 0 || Object.keys(ofVerdict).length === 0)
          && (words === "" || row.text.includes(words));
        row.node.hidden = !visible;
        if (!visible) continue;
        shown += 1;
        for (const each of judged) {
          const key = (each.run ? each.run + " · " : "") + each.judge;
          if (!counts.has(key)) counts.set(key, new Map());
          const of = counts.get(key);
          of.set(each.verdict, (of.get(each.verdict) || 0) + 1);
        }
      }
      const parts = [...counts].map(([key, of]) => key + ": " + [...of].map(([v, n]) => n + " " + v.replace("_", " ")).join(", "));
      const what = Object.entries(filter).map(([name, value]) => name + " " + value).join(", ");
      tally.textContent = shown + " of " + rows.length + " rows" + (what ? " (" + what + ")" : "") + (parts.length ? ". " + parts.join("; ") : "");
    };
    const set = (filter) => {
      extra = {};
      search.value = "";
      const menus = new Set();
      for (const select of selects) {
        const value = filter[select.dataset.name];
        const known = [...select.options].some((option) => option.value === value);
        select.value = known ? value : "";
        if (known) menus.add(select.dataset.name);
      }
      for (const [name, value] of Object.entries(filter)) if (!menus.has(name)) extra[name] = value;
      update();
    };
    const fold = (open) => rows.forEach((row) => {
      if (!row.node.hidden) all("details", row.node).forEach((each) => { each.open = open; });
    });
    selects.forEach((select) => select.addEventListener("change", () => { extra = {}; update(); }));
    search.addEventListener("input", update);
    list.querySelector("[data-do=reset]").addEventListener("click", () => set({}));
    list.querySelector("[data-do=unfold]").addEventListener("click", () => fold(true));
    list.querySelector("[data-do=fold]").addEventListener("click", () => fold(false));
    list.querySelector(".filters").hidden = false;
    lists.set(list.id, { list, set });
    update();
  }

  // Figures: a click shows the rows that it is computed from. The address keeps the filter.
  const open = (id, filter) => {
    const found = lists.get(id);
    if (!found) return false;
    found.set(filter);
    found.list.scrollIntoView();
    return true;
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-filter]");
    if (!link) return;
    const id = link.getAttribute("href").slice(1);
    const filter = JSON.parse(link.dataset.filter);
    if (!open(id, filter)) return;
    event.preventDefault();
    history.pushState(null, "", "#" + id + "?" + new URLSearchParams(filter));
  });
  const follow = () => {
    const [id, query] = decodeURI(location.hash.slice(1)).split("?");
    if (query !== undefined) open(id, Object.fromEntries(new URLSearchParams(location.hash.slice(1).split("?")[1])));
    else {
      const row = document.getElementById(id);
      if (row && row.hidden) { lists.get(row.parentElement.id).set({}); row.scrollIntoView(); }
    }
  };
  addEventListener("popstate", follow);
  addEventListener("hashchange", follow);
  follow();
})();
