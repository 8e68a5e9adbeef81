// The page: what a person sees and does, from the first screen to "Done". Python answers what it asks.

import { choosePhone } from "./usb.js";
import { forgetLedgers, leftLedgers, openLedger } from "./keep.js";
import { PageError, Python } from "./python.js";

// A policy has no word for WebRTC that Chromium knows, so the page gives it up itself.
for (const name of ["RTCPeerConnection", "webkitRTCPeerConnection", "RTCDataChannel"]) delete window[name];

const $ = (id) => document.getElementById(id);
const { version, languages, unreviewed, countries, roms, androids, words } = JSON.parse($("page-data").textContent);
const VIEWS = ["home", "paper", "prepare", "work", "report", "plan", "result", "done"];
const LANGUAGE_ALIASES = { tl: "fil", in: "id" };
const QUICK_MS = 300; // no person closes a list as fast as that

const visit = {
  language: "en",
  country: "",
  view: "home",
  paper: null, // what the document view shows, and where it returns to
  line: null, // the cable to the phone that was chosen
  isVirtual: false,
  shown: null, // the report as Python describes it
  ledger: null,
  ledgerName: "",
  isChanging: false,
  saved: [], // names of files that this visit has saved
  records: [], // what is counted of the phones before
};
let parts = null;
let python = null;

// --- words ---

function t(key, values = {}) {
  const text = words[visit.language][key] ?? words.en[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "…");
}

function element(tag, text, properties = {}) {
  const node = Object.assign(document.createElement(tag), properties);
  if (text !== undefined) node.textContent = text;
  return node;
}

function fill(parent, nodes) {
  parent.replaceChildren(...nodes);
}

const items = (texts) => texts.map((text) => element("li", text));

// Steps with a box to tick each.
function ticks(texts) {
  return texts.map((text) => {
    const label = element("label");
    label.append(element("input", undefined, { type: "checkbox" }), element("span", text));
    const item = element("li");
    item.append(label);
    return item;
  });
}

// Steps to tick, list by list, with what stands below each.
function stepBlocks(apps) {
  return apps.flatMap(({ title, steps, notes = [], same }) => {
    const list = element("ol", undefined, { className: "ticks" });
    list.append(...ticks(steps));
    const below = [...notes, ...(same ? [same] : [])];
    return [element("h3", title), list, ...below.map((text) => element("p", text))];
  });
}

function options(select, rows, chosen) {
  fill(select, rows.map(([value, text]) => element("option", text, { value })));
  select.value = rows.some(([value]) => value === chosen) ? chosen : rows[0][0];
}

function translatePage() {
  document.documentElement.lang = visit.language === "zh" ? "zh-Hans" : visit.language;
  for (const node of document.querySelectorAll("[data-t]")) node.textContent = t(node.dataset.t);
  $("unreviewed").hidden = !unreviewed.includes(visit.language);
  for (const node of document.querySelectorAll("[data-title]")) node.title = t(node.dataset.title);
  const named = Object.entries(countries).map(([code, names]) => [code, names[visit.language] ?? names.en]);
  options($("country"), [["", t("browser.any_country")], ...named], visit.country);
  const current = androids.map(([sdk, name]) => [sdk, `Android ${name}`]).reverse();
  options($("taps-sdk"), [["", t("browser.android_new")], ...current], $("taps-sdk").value);
  const before = [$("taps-rom").value, $("usb-rom").value];
  for (const [index, id] of ["taps-rom", "usb-rom"].entries()) {
    options($(id), roms.map(([rom, name]) => [rom, rom === "aosp" ? t("browser.other_brand") : name]), before[index] || "aosp");
  }
  showReadiness();
}

function preferredLanguage() {
  for (const tag of [location.hash.slice(1), ...navigator.languages]) {
    const code = tag.toLowerCase().split("-")[0];
    const known = LANGUAGE_ALIASES[code] ?? code;
    if (known in words) return known;
  }
  return "en";
}

function preferredCountry() {
  for (const tag of navigator.languages) {
    const region = tag.split("-").pop().toUpperCase();
    if (region in countries) return region;
  }
  return "";
}

// --- views and errors ---

function show(view) {
  visit.view = view;
  for (const id of VIEWS) $(id).hidden = id !== view;
  hideProblem();
  const title = $(view).querySelector("h1");
  title.tabIndex = -1;
  title.focus();
  window.scrollTo(0, 0);
  drawReport();
}

// Shows a page in a frame of its own. Chromium draws nothing in a frame whose page came while it was hidden, also not
// once it is shown: the frame is a new one each time, and is filled only where it can be seen.
function drawFrame(id, html) {
  const frame = $(id).cloneNode();
  frame.srcdoc = html;
  $(id).replaceWith(frame);
}

function drawReport() {
  if (visit.view === "report" && visit.shown) drawFrame("report-frame", visit.shown.html);
}

function hideProblem() {
  $("problem").hidden = true;
}

const describe = (key) => ({ what: t(`${key}.what`), why: t(`${key}.why`), next: t(`${key}.next`) });

function showProblem({ what, why, next }, buttons = []) {
  const rows = [what];
  if (why) rows.push(t("cli.why") + why);
  if (next) rows.push(t("cli.next") + next);
  const actions = element("p", undefined, { className: "actions" });
  actions.append(...buttons.map(([text, onclick]) => element("button", text, { onclick })));
  fill($("problem"), [...rows.map((row) => element("p", row)), ...(buttons.length ? [actions] : [])]);
  $("problem").hidden = false;
  $("problem").focus();
  window.scrollTo(0, 0);
}

// Runs what a button does; shows what goes wrong, with a button to go on if `retry` is given.
async function attempt(action, retry = null) {
  hideProblem();
  try {
    await action();
  } catch (error) {
    if (error.name === "AbortError") return;
    const buttons = retry ? [[t("browser.again"), retry]] : [];
    if (error instanceof PageError) {
      // Where no Python is, its own words are not either.
      showProblem(error, buttons);
    } else {
      console.error(error);
      showProblem({ ...describe("errors.browser_crash"), why: `${describe("errors.browser_crash").why} (${error.name}: ${error.message})` }, buttons);
    }
  }
}

const pageError = (key) => new PageError({ name: key, ...describe(key) });

// --- Python ---

async function fromBase64(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}

// The files that Python needs, packed: from this page itself, or from beside it on a host.
async function loadParts() {
  const loaded = {};
  for (const node of document.querySelectorAll("[data-part]")) {
    loaded[node.dataset.part] = node.dataset.file
      ? new Uint8Array(await (await fetch(node.dataset.file)).arrayBuffer())
      : await fromBase64(node.textContent.trim());
    node.remove();
  }
  loaded["worker.js"] = $("worker-code").textContent;
  return loaded;
}

function startPython() {
  python?.stop();
  python = new Python(parts, {
    tell: hear,
    open: () => visit.line.open(),
    receive: (size, timeout) => visit.line.receive(size, timeout),
    send: (data, timeout) => visit.line.send(data, timeout),
    close: () => visit.line?.close(),
    keep: async (bytes) => {
      await visit.ledger.write(bytes);
      return true;
    },
  });
  python.state = "loading";
  const mine = python;
  const settle = (state) => {
    mine.state = state;
    if (mine === python) showReadiness();
  };
  python.ready.then(() => settle("ready"), (error) => {
    console.error(error);
    settle("failed");
  });
  ask("set_language", { code: visit.language }).catch(() => {});
  showReadiness();
}

function showReadiness() {
  const state = python?.state ?? "loading";
  const said = { loading: t("browser.loading"), ready: t("browser.ready"), failed: describe("errors.browser_crash").next };
  $("readiness").textContent = said[state];
}

async function ask(name, args, bytes) {
  try {
    await python.ready;
  } catch {
    throw pageError("errors.browser_crash");
  }
  return python.ask(name, args, bytes);
}

// What Python tells while a request is under way.
function hear(kind, text) {
  if (kind === "progress") {
    $("waiting").hidden = true;
    $("progress").textContent = text;
    $("named").hidden = true;
  } else if (kind === "named") {
    const { done, total } = JSON.parse(text);
    Object.assign($("named"), { value: done, max: total, hidden: false });
    $("named").setAttribute("aria-label", t("browser.names"));
  } else if (kind === "waiting") {
    const { allow, fingerprint, left } = JSON.parse(text);
    $("waiting").hidden = false;
    $("progress").textContent = "";
    const [before, after] = allow.split(fingerprint).map((part) => part.trim());
    $("allow-before").textContent = before;
    $("fingerprint").textContent = fingerprint;
    $("allow-after").textContent = after;
    $("left").textContent = left;
  } else if (kind === "changed") {
    $("changed").append(element("li", text));
  }
}

function showWork(title) {
  $("work-title").textContent = title;
  for (const id of ["waiting", "named"]) $(id).hidden = true;
  fill($("changed"), []);
  $("progress").textContent = t("browser.loading_short");
  show("work");
}

// --- the cable ---

// Why this browser cannot reach a phone over the cable; null: it can.
function obstacle() {
  if (!("usb" in navigator)) return "errors.browser_no_webusb";
  if (!("Suspending" in WebAssembly)) return "errors.browser_too_old";
  return null;
}

async function makeKey() {
  const algorithm = { name: "RSASSA-PKCS1-v1_5", modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: "SHA-1" };
  const { privateKey } = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  return crypto.subtle.exportKey("jwk", privateKey);
}

async function choose() {
  const begun = performance.now();
  try {
    visit.line = await choosePhone();
  } catch (error) {
    if (error.name === "NotFoundError") {
      throw pageError(performance.now() - begun < QUICK_MS ? "errors.browser_policy" : "errors.browser_nothing_chosen");
    }
    throw pageError("errors.browser_policy");
  }
}

async function connect() {
  const problem = obstacle();
  if (problem) throw pageError(problem);
  await choose();
  visit.isVirtual = false;
  showWork(t("browser.connecting"));
  await ask("set_key", { jwk: await makeKey() });
  await ask("connect");
}

// Connects again to the phone of this visit: its cable was pulled, or a phone without a serial number was plugged in anew.
async function reconnect() {
  if (visit.isVirtual) return;
  if (!(await visit.line?.isThere())) await choose();
  showWork(t("browser.connecting"));
  await ask("connect");
}

// --- check and report ---

async function check() {
  showWork(t("browser.checking"));
  visit.shown = null;
  await ask("audit", { country: visit.country || null });
  await showReport();
}

function startCheck() {
  attempt(
    async () => {
      try {
        await connect();
        await check();
      } catch (error) {
        if (visit.view === "work") show("prepare");
        throw error;
      }
    },
    // The button to connect is far below.
    obstacle() ? null : startCheck,
  );
}

async function startVirtual() {
  await attempt(async () => {
    showWork(t("browser.checking"));
    visit.isVirtual = true;
    visit.line = null;
    try {
      await ask("connect_virtual");
      await check();
    } catch (error) {
      show("home");
      throw error;
    }
  });
}

async function openFile(file) {
  await attempt(async () => {
    showWork(t("browser.reading_file"));
    visit.shown = null;
    try {
      const bytes = new Uint8Array(await file.arrayBuffer());
      await ask("open_file", { name: file.name, country: visit.country || null }, bytes);
      await showReport();
    } catch (error) {
      show("home");
      throw error;
    }
  });
}

// Runs `action` and returns to `view` if it fails, with a button that connects again and tries once more.
async function attemptFrom(view, action) {
  await attempt(async () => {
    try {
      await action();
    } catch (error) {
      show(view);
      throw error;
    }
  }, () => goOn(view, action));
}

// Connects again, then runs `action`.
const goOn = (view, action) => attemptFrom(view, async () => {
  await reconnect();
  await action();
});

async function showReport() {
  visit.shown = await ask("show");
  show("report");
  renderReport();
}

function renderReport() {
  const { notices, safety, apps, taps, check_others, can_change, has_check, letters, cut } = visit.shown;
  fill($("notices"), notices.map((text) => element("p", text, { className: "demo" })));
  $("cut").hidden = !cut;
  fill($("safety-notes"), items(safety));
  fill($("apps"), stepBlocks(taps));
  $("check-others").textContent = check_others;
  $("change").hidden = !can_change || !apps.length;
  const packages = new Map();
  for (const app of apps) if (!packages.has(app.package)) packages.set(app.package, app.title);
  fill($("change-apps"), [...packages].map(([name, title]) => {
    const label = element("label", undefined, { className: "tick" });
    label.append(element("input", undefined, { type: "checkbox", value: name, name: "change" }), element("span", `${title} (${name})`));
    return label;
  }));
  $("save-check").hidden = !has_check;
  $("letter-app-choice").hidden = !letters.length;
  options($("letter-app"), letters.length ? letters.map((name) => [name, packages.get(name) ?? name]) : [["", ""]], $("letter-app").value);
  $("check-again").hidden = !can_change;
  $("next-phone").hidden = !$("helper").checked;
}

async function renderAgain() {
  visit.shown = await ask("show");
  renderReport();
  drawReport();
}

// --- files ---

// Neutral: nobody who sees the name learns what it is about.
function fileName(suffix, stem = "page") {
  const now = new Date();
  const two = (number) => String(number).padStart(2, "0");
  const day = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`;
  return `${stem}-${day}-${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}${suffix}`;
}

function download(bytes, name) {
  const address = URL.createObjectURL(new Blob([bytes]));
  element("a", undefined, { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
  visit.saved.push(name);
}

async function save(kind, stem) {
  await attempt(async () => {
    const { suffix, data } = await ask("save", { kind });
    download(data, fileName(suffix, stem));
  });
}

// --- documents ---

function openPaper(request, back, choices = null) {
  visit.paper = { request, back };
  for (const id of ["taps-choices", "rights-choices", "letter-choices"]) $(id).hidden = id !== choices;
  $("paper-title").textContent = t("browser.loading_short");
  show("paper");
  drawFrame("paper-frame", "");
  attempt(renderPaper);
}

async function renderPaper() {
  const { title, html } = await ask("document", visit.paper.request());
  visit.paper.html = html;
  $("paper-title").textContent = title;
  drawFrame("paper-frame", html);
}

const call = () => ({ kind: "call", country: visit.country });
const rights = () => ({ kind: $("rights-kind").value, country: visit.country });
const taps = () => ({ kind: "taps", rom: $("taps-rom").value, sdk: $("taps-sdk").value });
function blankLetter() {
  const [kind, addressee = null] = $("letter-kind").value.split(" ");
  return { kind, addressee, country: visit.country };
}
const letter = () => ({ ...blankLetter(), package: $("letter-app").value || null });

// --- preparing ---

async function openPrepare() {
  show("prepare");
  const problem = obstacle();
  if (problem) showProblem(describe(problem));
  await renderPrepare();
}

async function renderPrepare() {
  try {
    const { notes, on } = await ask("usb_steps", { rom: $("usb-rom").value });
    fill($("usb-notes"), notes.map((text) => element("p", text)));
    fill($("usb-steps"), ticks(on));
    $("consent").hidden = !$("helper").checked;
    if ($("helper").checked) fill($("consent"), (await ask("consent")).map((line) => element("p", line)));
  } catch (error) {
    if (visit.view === "prepare" && error instanceof PageError) showProblem(error);
  }
}

// --- changes ---

async function makePlan() {
  const packages = [...document.querySelectorAll("#change-apps :checked")].map((box) => box.value);
  if (!packages.length) return showProblem(describe("errors.browser_no_app"));
  await attemptFrom("report", async () => {
    showWork(t("browser.planning"));
    renderPlan(await ask("plan", { packages }));
    visit.ledger = null;
    show("plan");
  });
}

function renderPlan({ safety, notes, apps, order, by_hand }) {
  fill($("plan-safety"), items(safety));
  const blocks = [];
  for (const note of notes) blocks.push(element("p", note));
  for (const { title, changes } of apps) {
    const list = element("ol");
    for (const { closes, why, commands, caveats } of changes) {
      const item = element("li");
      item.append(element("strong", closes), element("div", why), ...caveats.map((text) => element("div", `! ${text}`)));
      const details = element("details");
      details.append(element("summary", t("browser.commands")), ...commands.map((text) => element("div", text, { className: "command" })));
      item.append(details);
      list.append(item);
    }
    blocks.push(element("h2", title), list);
  }
  blocks.push(element("p", order));
  if (by_hand.length) blocks.push(element("h2", t("remedy.by_hand")), ...stepBlocks(by_hand));
  fill($("plan-parts"), blocks);
  $("record-how").textContent = t("showSaveFilePicker" in window ? "browser.record_file" : "browser.record_stored");
  $("plan-agreed").checked = false;
  $("apply").disabled = true;
  visit.hasChanges = apps.length > 0;
}

async function apply() {
  await attempt(async () => {
    if (!visit.ledger) {
      const stem = fileName("", "data");
      let ledger;
      try {
        ledger = await openLedger(`${stem}.ledger.json`);
      } catch {
        throw pageError("errors.browser_not_kept");
      }
      if (!ledger) return;
      const { data } = await ask("seal", { name: `${stem}.before.zip` });
      download(data, `${stem}.before.zip`);
      visit.ledger = ledger;
      if (ledger.inFile) visit.saved.push(ledger.name);
    }
    await runChanges("apply", applyAgain);
  });
}

const applyAgain = () => goOn("plan", () => runChanges("apply", applyAgain));
const undoAgain = () => goOn("result", () => runChanges("undo", undoAgain));

async function runChanges(name, retry) {
  showWork(t(name === "apply" ? "browser.applying" : "browser.undoing"));
  $("stop").hidden = visit.isChanging = true;
  try {
    const { states = [], by_hand = [], all_done } = await ask(name);
    fill($("result-changed"), [...$("changed").children]);
    fill($("result-states"), items(states));
    fill($("result-by-hand"), by_hand.length ? [element("h2", t("remedy.instead")), ...stepBlocks(by_hand)] : []);
    $("undo").hidden = name === "undo" && all_done;
    saveStored();
    show("result");
  } catch (error) {
    show(name === "apply" ? "plan" : "result");
    if (!(error instanceof PageError)) throw error;
    showProblem(error, [[t("browser.again"), retry]]);
  } finally {
    $("stop").hidden = visit.isChanging = false;
  }
}

// A ledger in the browser's storage is saved as a file whenever a run has ended.
function saveStored() {
  if (visit.ledger && !visit.ledger.inFile) download(visit.ledger.content(), visit.ledger.name);
}

// --- the end of a visit ---

async function record() {
  if (!$("helper").checked || visit.isVirtual) return;
  const counted = await ask("record");
  if (counted) visit.records.push(counted);
}

// Everything of this phone is gone afterwards: Python with what it read, the key, the permission, the stored ledger.
async function forget({ isBusy = false } = {}) {
  if (isBusy) {
    python.stop();
  } else {
    try {
      await ask("close");
    } catch {
      // the phone is gone; the rest is forgotten all the same
    }
  }
  try {
    await visit.line?.forget();
  } catch {
    // a phone without a serial number has lost the permission with the cable
  }
  await forgetLedgers();
  Object.assign(visit, { line: null, ledger: null, shown: null, paper: null, isVirtual: false });
  for (const id of ["report-frame", "paper-frame"]) drawFrame(id, "");
  for (const id of ["apps", "change-apps", "plan-parts", "result-changed", "result-states", "result-by-hand", "changed", "usb-notes", "usb-steps", "safety-notes", "notices", "letter-app"]) fill($(id), []);
  $("fingerprint").textContent = "";
  startPython();
}

async function finish() {
  await attempt(async () => {
    const { steps } = await ask("closing");
    await record();
    await forget();
    fill($("closing"), ticks(steps));
    $("left-behind").hidden = !visit.saved.length;
    fill($("left-files"), items(visit.saved));
    $("save-counts").hidden = !visit.records.length;
    show("done");
  });
}

async function nextPhone() {
  await attempt(async () => {
    await record();
    await forget();
    await openPrepare();
  });
}

async function saveCounts() {
  await attempt(async () => {
    const { suffix, data } = await ask("counts", { records: visit.records });
    download(data, fileName(suffix, "counts"));
  });
}

// Ends Python in the middle of what it reads.
async function stop() {
  await forget({ isBusy: true });
  show("home");
}

async function offerLeftLedgers() {
  const left = (await leftLedgers()).filter(([, bytes]) => bytes.length);
  if (!left.length) return;
  const texts = { what: t("browser.left_ledger"), why: "", next: t("browser.left_ledger_next") };
  showProblem(texts, [
    [t("browser.save"), () => left.forEach(([name, bytes]) => download(bytes, name))],
    [t("browser.forget"), async () => { await forgetLedgers(); hideProblem(); }],
  ]);
}

// --- what each control does ---

async function changeLanguage() {
  visit.language = $("language").value;
  translatePage();
  hideProblem();
  if (python.state === "failed") return;
  await attempt(async () => {
    await ask("set_language", { code: visit.language });
    if (visit.view === "paper") await renderPaper();
    if (visit.view === "prepare") await renderPrepare();
    if (visit.shown) await renderAgain();
  });
}

async function changeCountry() {
  visit.country = $("country").value;
  await attempt(async () => {
    if (visit.view === "paper") await renderPaper();
    if (visit.shown) {
      await ask("set_country", { country: visit.country || null });
      await renderAgain();
    }
  });
}

const onClick = {
  "go-check": openPrepare,
  "go-call": () => openPaper(call, "home"),
  "go-taps": () => openPaper(taps, "home", "taps-choices"),
  "go-rights": () => openPaper(rights, "home", "rights-choices"),
  "go-letter": () => openPaper(blankLetter, "home", "letter-choices"),
  "go-file": () => $("file").click(),
  "go-virtual": startVirtual,
  connect: startCheck,
  stop,
  "go-on": () => goOn("report", async () => { showWork(t("browser.checking")); await ask("resume"); await showReport(); }),
  "save-html": () => save("html"),
  "save-json": () => save("json"),
  "save-check": () => save("check", "data"),
  "save-evidence": () => save("evidence", "papers"),
  "report-letter": () => openPaper(letter, "report", "letter-choices"),
  "report-rights": () => openPaper(rights, "report", "rights-choices"),
  "report-call": () => openPaper(call, "report"),
  "paper-save": () => visit.paper.html && download(new TextEncoder().encode(visit.paper.html), fileName(".html")),
  "make-plan": makePlan,
  apply,
  "plan-back": () => show("report"),
  undo: () => attempt(() => runChanges("undo", undoAgain)),
  "result-again": () => attemptFrom("result", check),
  "result-back": () => show("report"),
  "check-again": () => attemptFrom("report", check),
  "done-button": finish,
  "next-phone": nextPhone,
  "done-home": () => { visit.saved = []; show("home"); },
  "save-counts": saveCounts,
};

function listen() {
  for (const [id, action] of Object.entries(onClick)) $(id).addEventListener("click", action);
  for (const node of document.querySelectorAll(".back")) node.addEventListener("click", () => show(visit.paper?.back && visit.view === "paper" ? visit.paper.back : "home"));
  $("language").addEventListener("change", changeLanguage);
  $("country").addEventListener("change", changeCountry);
  for (const id of ["taps-rom", "taps-sdk", "rights-kind", "letter-kind"]) $(id).addEventListener("change", () => attempt(renderPaper));
  $("usb-rom").addEventListener("change", renderPrepare);
  $("plan-agreed").addEventListener("change", () => { $("apply").disabled = !$("plan-agreed").checked || !visit.hasChanges; });
  $("file").addEventListener("change", () => { const [file] = $("file").files; $("file").value = ""; if (file) openFile(file); });
  document.addEventListener("dragover", (event) => { event.preventDefault(); document.body.classList.add("dropping"); });
  document.addEventListener("dragleave", () => document.body.classList.remove("dropping"));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("dropping");
    const [file] = event.dataTransfer.files;
    if (file && !visit.isChanging) openFile(file);
  });
  window.addEventListener("beforeunload", (event) => { if (visit.isChanging) event.preventDefault(); });
}

async function begin() {
  visit.language = preferredLanguage();
  visit.country = preferredCountry();
  $("version").textContent = version;
  options($("language"), languages, visit.language);
  translatePage();
  listen();
  show("home");
  if (!("DecompressionStream" in window)) return showProblem(describe("errors.browser_too_old"));
  await new Promise((done) => setTimeout(done)); // the first screen is painted before the rest is unpacked
  const problem = obstacle();
  if (problem) showProblem(describe(problem));
  parts = await loadParts();
  startPython();
  await offerLeftLedgers();
}

attempt(begin);
