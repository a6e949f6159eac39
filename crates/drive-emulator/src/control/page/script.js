"use strict";
const FOLDER = "application/vnd.google-apps.folder";
const SHORTCUT = "application/vnd.google-apps.shortcut";
// Longer lists are cut: a page is for looking.
const MOST = 200;

const $ = id => document.getElementById(id);
const get = async path => {
  const response = await fetch("/_emulator/" + path);
  if (!response.ok) throw Object.assign(new Error(path + ": " + response.status), { status: response.status });
  return response.json();
};

// Names come from users. They are only ever set as text, and what would hide or turn text round is spelt out.
const HIDDEN = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;
const plain = text => String(text ?? "").replace(HIDDEN, c => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));
// Of a very long name its beginning; all of it stands beside it and in its fields.
const short = text => { const all = [...plain(text)]; return all.length > 120 ? all.slice(0, 120).join("") + "…" : all.join(""); };
function el(tag, text, cls) {
  const e = document.createElement(tag);
  if (text != null) e.textContent = plain(text);
  if (cls) e.className = cls;
  return e;
}
const set = (e, text, cls) => {
  const shown = plain(text);
  if (e.textContent !== shown) e.textContent = shown;
  if (cls != null && e.className !== cls) e.className = cls;
};

// Makes the children of `parent` those of `items`, by key: an element that stays is updated where it stands, so that
// what is open stays open and what is selected stays selected.
function patch(parent, items, key, make, update) {
  const wanted = new Map(), kept = new Map(), old = parent.kept ?? new Map();
  for (const item of items) {
    let id = key(item);
    while (wanted.has(id)) id += "+";
    wanted.set(id, item);
  }
  for (const [id, e] of old) if (!wanted.has(id)) e.remove();
  let at = parent.firstElementChild;
  for (const [id, item] of wanted) {
    const e = old.get(id) ?? make(item);
    update?.(e, item);
    kept.set(id, e);
    if (e === at) at = at.nextElementSibling;
    else parent.insertBefore(e, at);
  }
  parent.kept = kept;
}
// The same for rows that are nothing but their text; each is an array of [tag, text, class].
const rows = (parent, tag, items) => patch(parent, items, cells => JSON.stringify(cells), cells => {
  const row = el(tag);
  row.append(...cells.map(cell => el(...cell)));
  return row;
});
const cut = items => items.slice(0, MOST);
const more = items => items.length > MOST ? [[["span", "and more", "dim"]]] : [];

// ---- the trees -----------------------------------------------------------------------------------------------------

const whom = p => p.emailAddress ?? p.domain ?? (p.type === "anyone" ? "anyone with the link" : p.type);
const clock = text => text.replace("T", " ").replace(/\.\d+Z$/, "");
// The file whose grants are told below the tree; the page's own address keeps it.
let shown = null;
try {
  shown = decodeURIComponent(location.hash.slice(1)) || null;
} catch {
  // An address somebody wrote by hand, such as #%, names no file.
}

const rolesOf = p => "chip " + p.role + (p.type === "anyone" ? " anyone" : "");
function chips(parent, file, owner) {
  // The owner of a whole tree is said once, at its root.
  const grants = (file.permissions ?? []).filter(p => p.role !== "owner" || p.emailAddress !== owner);
  patch(parent, grants, p => p.id, () => el("span"), (e, p) => {
    rows(e, "span", [[["span", whom(p)]], [["b", p.role]], ...(p.expirationTime ? [[["span", "until " + clock(p.expirationTime)]]] : [])]);
    e.className = rolesOf(p);
  });
}
function line(file) {
  const parts = { kind: el("span", null, "kind"), name: el("button"), size: el("span", null, "dim"), grants: el("span", null, "grants") };
  parts.name.onclick = event => { event.preventDefault(); shown = file.id; history.replaceState(null, "", "#" + encodeURIComponent(shown)); tick(); };
  return parts;
}
function fillLine(parts, file, owner, title) {
  parts.kind.className = "kind" + (file.mimeType === FOLDER ? " folder" : file.mimeType === SHORTCUT ? " link" : "");
  const name = title ?? (file.name || "(no name)");
  parts.name.title = [plain(name), file.mimeType].filter(Boolean).join("\n");
  set(parts.name, short(name), (file.trashed ? "gone " : "") + (file.id === shown ? "shown" : ""));
  set(parts.size, [file.size != null ? bytes(file.size) : "", file.trashed ? "in the trash" : "", file.description ? "“" + file.description + "”" : ""]
    .filter(Boolean).join(" · "));
  chips(parts.grants, file, owner);
}
const bytes = n => n < 1e4 ? n + " B" : n < 1e6 ? Math.round(n / 1e3) + " kB" : n < 1e9 ? (n / 1e6).toFixed(1) + " MB" : (n / 1e9).toFixed(1) + " GB";

// A folder or a file. Small trees are open from the start; from then on they are as the reader leaves them.
function branch(file, deep, few) {
  const li = el("li"), parts = line(file);
  li.parts = parts;
  if (file.mimeType !== FOLDER) {
    li.className = "leaf";
    li.append(parts.kind, parts.name, parts.size, parts.grants);
    return li;
  }
  const details = el("details"), summary = el("summary"), list = el("ul");
  summary.append(parts.kind, parts.name, parts.size, parts.grants);
  details.append(summary, list);
  details.open = few && deep < 4;
  details.ontoggle = () => { if (details.open) tick(); };
  li.append(details);
  li.folder = { details, list };
  return li;
}
// Draws the children of `list`'s folder, and theirs where they are open.
async function grow(list, id, owner, deep) {
  const children = await get("children/" + encodeURIComponent(id) + "?limit=" + (MOST + 1)).catch(error => {
    // It was deleted a moment ago.
    if (error.status === 404) return [];
    throw error;
  });
  const items = cut(children);
  if (children.length > MOST) items.push({ id: "", name: "and more", mimeType: "" });
  if (!children.length) items.push({ id: "", name: "empty", mimeType: "" });
  patch(list, items, f => f.id, f => f.id ? branch(f, deep, items.length <= 12) : el("li", f.name, "dim leaf"),
    (li, f) => li.parts ? fillLine(li.parts, f, owner) : set(li, f.name));
  await Promise.all([...list.kept].map(([id, li]) => li.folder?.details.open && grow(li.folder.list, id, owner, deep + 1)));
}
async function trees(users, drives) {
  const roots = [
    ...users.map(u => ({ id: u.root_id, owner: u.email, title: "My Drive of " + u.email })),
    ...drives.map(d => ({ id: d.id, title: "Shared drive " + d.name })),
  ];
  patch($("tree"), roots, r => r.id, r => branch({ id: r.id, mimeType: FOLDER }, 0, roots.length <= 12));
  await Promise.all(roots.map(async r => {
    const { parts, folder } = $("tree").kept.get(r.id), open = folder.details.open;
    // Who is a member of a shared drive is told on its closed line too.
    const file = open || !r.owner ? await get("files/" + encodeURIComponent(r.id)) : { id: r.id, mimeType: FOLDER };
    fillLine(parts, file, r.owner, r.title);
    if (open) await grow(folder.list, r.id, r.owner, 1);
  }));
}

// ---- the selected file: who has which role, and from where -----------------------------------------------------------

async function selected() {
  const id = shown;
  if (!id) return;
  const chain = [];
  try {
    for (let next = id; next; next = chain.at(-1).parents[0]) chain.push(await get("files/" + encodeURIComponent(next)));
  } catch (error) {
    if (error.status !== 404) throw error;
    shown = chain.length ? shown : null;
  }
  if (id !== shown && shown) return;
  $("selected").hidden = !chain.length;
  if (!chain.length) return;
  set($("name"), short(chain[0].name || "(no name)"));
  // Of its owner the folders above tell nothing new.
  const told = (p, up) => up && p.role === "owner" && chain[0].owner === p.emailAddress;
  const grants = chain.flatMap((f, up) => f.permissions.filter(p => !told(p, up)).map(p => ({ p, from: up ? f.isRoot ? "the root" : short(f.name) : "itself" })));
  rows($("access"), "tr", grants.map(({ p, from }) =>
    [["td", whom(p)], ["td", p.role, p.role], ["td", from], ["td", p.expirationTime ? clock(p.expirationTime) : ""]]));
  // Line by line: the ends of lines are the only hidden characters that are ours.
  const fields = JSON.stringify(chain[0], null, 2).split("\n").map(plain).join("\n");
  if ($("fields").textContent !== fields) $("fields").textContent = fields;
}

// ---- what is in force ----------------------------------------------------------------------------------------------

const away = ms => {
  const s = Math.abs(Math.round(ms / 1e3)), sign = ms < 0 ? "−" : "+";
  return s < 120 ? sign + s + " s" : s < 7200 ? sign + Math.round(s / 60) + " min" : s < 172800 ? sign + Math.round(s / 3600) + " h" : sign + Math.round(s / 86400) + " days";
};
const words = value => typeof value === "string" ? value : JSON.stringify(value);
const whole = fields => Object.entries(fields).filter(([, value]) => value);
function rule(fault) {
  const match = whole(fault.match).map(([name, value]) => name === "op" ? value : name + " " + value);
  const when = fault.when === "always" ? "" : whole(fault.when).map(([name, value]) => name + " " + value).join(", ");
  const { status } = fault.effect;
  const effect = status ? whole(status).filter(([name, value]) => value !== "json").map(([name, value]) => name === "code" || name === "reason" ? value : name + " " + value).join(" ")
    : typeof fault.effect === "string" ? fault.effect : whole(fault.effect).map(([name, value]) => name + " " + words(value)).join(" ");
  return [match.join(", ") || "every call", when, "→ " + effect].filter(Boolean).join("  ");
}
function force(state) {
  const quota = whole(state.quota);
  const list = [
    ...state.faults.map(f => [["span", rule(f)], ["span", "struck " + f.struck + " of " + f.seen, f.struck ? "bad" : "dim"]]),
    ...quota.map(([name, value]) => [["span", "quota: " + name], ["b", words(value)]]),
    ...Object.entries(state.switches).map(([name, value]) => [["span", "switch: " + name], ["b", words(value)]]),
    ...Object.entries(state.feed).map(([name, value]) => [["span", "change feed: " + name], ["b", words(value)]]),
  ];
  if (state.paused) list.unshift([["span", "The world stands still until POST resume.", "warn"]]);
  if (!list.length) list.push([["span", "No faults, no quota, every switch as it comes.", "dim"]]);
  rows($("force"), "li", list);
  return { quota, turned: Object.keys(state.switches).length + Object.keys(state.feed).length };
}
function tiles(state, counts, on) {
  const some = (n, word) => n ? n + " " + word + (n > 1 ? "s" : "") : "none";
  const tile = (label, value, lit) => ({ label, value, lit });
  const list = [
    tile("Drive calls", counts.calls),
    tile("Clock" + (state.clock_offset_ms ? ", " + away(state.clock_offset_ms) : ""), clock(state.clock), state.clock_offset_ms),
    tile("Latency added", state.latency_ms + " ms", state.latency_ms),
    tile("Quota", some(on.quota.length, "limit"), on.quota.length),
    tile("Faults", some(state.faults.length, "rule"), state.faults.length),
    tile("Switches turned", on.turned, on.turned),
  ];
  patch($("tiles"), list, t => t.label.split(",")[0], () => {
    const li = el("li");
    li.append(el("span", "", "dim"), el("b"));
    return li;
  }, (li, t) => { set(li.firstChild, t.label); set(li.lastChild, t.value); li.className = t.lit ? "on" : ""; });
}

// ---- the rest, and the loop -----------------------------------------------------------------------------------------

const answer = r => r.status == null ? [r.fault ?? "no answer yet", "bad"]
  : [r.status + (r.reason ? " " + r.reason : "") + (r.fault ? ", " + r.fault : ""), r.status < 400 ? r.fault ? "warn" : "good" : "bad"];
function lists(users, drives, counts, requests, changes) {
  rows($("users"), "li", [...cut(users).map(u => [["span", u.email], ["span", u.service ? "service account" : "person", "dim"]]), ...more(users),
    [["span", users.length ? "POST /_emulator/users tells the token of an address." : "Nobody yet. POST /_emulator/users makes an account and tells its token.", "dim"]]]);
  rows($("drives"), "li", [...cut(drives).map(d => [["span", short(d.name)], ["span", d.id, "dim"]]), ...more(drives),
    ...(drives.length ? [] : [[["span", "none", "dim"]]])]);
  rows($("counts"), "li", Object.entries(counts.by_op).sort((a, b) => b[1] - a[1]).map(([op, n]) => [["span", op], ["b", n, "n"]]));
  patch($("requests"), requests.reverse(), r => r.seq, r => {
    const tr = el("tr");
    tr.title = plain(r.method + " " + r.path + (r.query ? "?" + r.query : ""));
    tr.append(...["at", "op", "dim", "", "n dim"].map(cls => el("td", "", cls)));
    return tr;
  }, (tr, r) => {
    const [at, op, who, status, took] = tr.children;
    set(at, new Date(r.time_ms).toISOString().slice(11, 19)); set(op, r.op); set(who, r.principal ?? "");
    set(status, ...answer(r)); set(took, r.status == null ? "" : r.took_ms + " ms");
  });
  const named = new Map(drives.map(d => [d.id, d.name]));
  rows($("changes"), "tr", changes.map(c => [["td", c.seq, "n dim"], ["td", c.time.slice(11, 19), "at"],
    ["td", short(c.name ?? c.item) + (c.removed ? " (removed)" : ""), c.removed ? "gone" : ""], ["td", c.log.startsWith("d:") ? named.get(c.log.slice(2)) ?? c.log : c.log.slice(2), "dim at"]]));
}
let busy = false, again = false, timer;
async function tick() {
  if (busy) { again = true; return; }
  busy = true;
  clearTimeout(timer);
  try {
    const some = "?limit=" + (MOST + 1);
    const [health, state, users, drives, counts, requests, changes] = await Promise.all(
      ["health", "state", "users" + some, "drives" + some, "counts", "requests?limit=60", "changes?limit=60"].map(get));
    set($("where"), health.url + " · version " + health.version);
    tiles(state, counts, force(state));
    lists(users, drives, counts, requests, changes);
    await trees(cut(users), cut(drives));
    await selected();
    set($("pulse"), "● live", "good");
  } catch (error) {
    set($("pulse"), "● the emulator does not answer (" + error.message + ")", "bad");
  }
  busy = false;
  timer = setTimeout(tick, again ? 0 : document.hidden ? 10_000 : 1_000);
  again = false;
}
document.onvisibilitychange = tick;
tick();
