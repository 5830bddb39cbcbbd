// Opens reports in Chromium as readers do, and fails on what they would complain about.
//
//   node check.mjs MODULES CHROMIUM SHOTS REPORT.html...
//
// MODULES is a folder in whose node_modules puppeteer-core and axe-core are; screenshots go to the folder SHOTS.
import { createRequire } from "node:module";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [modules, chromium, shots, ...reports] = process.argv.slice(2);
const require = createRequire(path.resolve(modules, "package.json"));
const puppeteer = require("puppeteer-core");
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const WIDTHS = [375, 1440];
const THEMES = ["light", "dark"];
const failures = [];
// What was seen to work on at least one page: a check that never ran would prove nothing.
const exercised = { readout: 0, keys: 0, zoom: 0, toggle: 0, sort: 0, theme: 0, noscript: 0, print: 0 };

const profile = fs.mkdtempSync(path.join(os.tmpdir(), "juggle-chromium-"));
const browser = await puppeteer.launch({
  executablePath: chromium,
  userDataDir: profile,
  // A loaded machine is slow and not wrong.
  protocolTimeout: 900_000,
  args: [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
  ],
});

async function open(report, { width, theme, script = true }) {
  const page = await browser.newPage();
  page.setDefaultTimeout(300_000);
  const where = `${path.basename(report)} at ${width} px, ${theme}${script ? "" : ", without JavaScript"}`;
  const complain = (what) => failures.push(`${where}: ${what}`);
  page.on("console", (message) => {
    if (["error", "warning", "warn"].includes(message.type())) complain(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => complain(`script: ${error.message}`));
  page.on("dialog", async (dialog) => {
    complain(`a dialog says ${dialog.message()}`);
    await dialog.dismiss();
  });
  const address = pathToFileURL(report).href;
  page.on("request", (request) => {
    const url = request.url();
    if (url !== address && !url.startsWith("data:")) complain(`asked for ${url}`);
  });
  await page.setJavaScriptEnabled(script);
  await page.setViewport({ width, height: 900 });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: theme }]);
  await page.goto(address, { waitUntil: "load" });
  return { page, complain };
}

const shot = (report, ...words) => path.join(shots, `${path.basename(report, ".html")}-${words.join("-")}.png`);

async function look(report, width, theme) {
  const { page, complain } = await open(report, { width, theme });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  if (wide > 0) complain(`the page is ${wide} px wider than the screen`);
  const broken = await page.evaluate(() =>
    [...document.images].filter((image) => !image.complete || image.naturalWidth === 0).length);
  if (broken > 0) complain(`${broken} images do not show`);
  const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  if ((ground === "rgb(255, 255, 255)") !== (theme === "light")) complain(`its ground is ${ground}`);
  // What is folded is looked at as well.
  await page.evaluate(() => document.querySelectorAll("details").forEach((node) => { node.open = true; }));
  await page.evaluate(axe);
  const found = await page.evaluate(() => axe.run({ resultTypes: ["violations"] }));
  for (const violation of found.violations) {
    const serious = ["serious", "critical"].includes(violation.impact);
    const [node] = violation.nodes;
    const words = `axe: ${violation.impact}: ${violation.id}: ${violation.help} (${violation.nodes.length}), ${node.html.slice(0, 160)}`;
    if (serious) complain(`${words} ${node.failureSummary ?? ""}`);
    else console.log(`note: ${path.basename(report)}: ${words}`);
  }
  await page.evaluate(() => document.querySelectorAll("details").forEach((node, i) => { node.open = i === 0; }));
  await page.screenshot({ path: shot(report, width, theme), fullPage: true });
  await page.close();
}

async function use(report) {
  const { page, complain } = await open(report, { width: 1440, theme: "light" });
  const charts = await page.$$(".plot[tabindex]");
  if (charts.length > 0) await chart(page, charts[0], report, complain);
  await toggle(page, complain);
  await sort(page, complain);

  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const before = await ground();
  await page.click("#tools button");
  if ((await ground()) === before) complain("the button changes no colours");
  else exercised.theme += 1;
  await page.close();
}

async function chart(page, plot, report, complain) {
  const svg = await plot.$("svg");
  await svg.scrollIntoView();
  const area = await svg.boundingBox();
  const at = (share) => area.x + area.width * share;
  const middle = area.y + area.height / 2;
  const readout = () => plot.$eval(".readout", (node) => (node.hidden ? "" : node.textContent));
  await page.mouse.move(at(0.6), middle);
  const shown = await readout();
  if (/\d/.test(shown)) exercised.readout += 1;
  else complain(`hovering over a chart shows ${JSON.stringify(shown)}`);
  await page.screenshot({ path: shot(report, "hover") });

  await page.mouse.move(5, 5);
  await plot.focus();
  await page.keyboard.press("ArrowRight");
  const first = await readout();
  await page.keyboard.press("End");
  const last = await readout();
  if (/\d/.test(first) && /\d/.test(last) && first !== last) exercised.keys += 1;
  else complain(`arrow keys show ${JSON.stringify([first, last])}`);

  if ((await svg.evaluate((node) => new Set([...node.querySelectorAll(".line")].flatMap((line) => line.dataset.xs.split(" "))).size)) < 3) return;
  const path = () => svg.$eval(".line .stroke", (node) => node.getAttribute("d"));
  const whole = await path();
  await page.mouse.move(at(0.1), middle);
  await page.mouse.down();
  await page.mouse.move(at(0.75), middle, { steps: 5 });
  await page.mouse.up();
  const zoomed = await path();
  const button = await plot.$(".reset:not([hidden])");
  if (zoomed === whole || button === null) return complain("dragging over a chart does not zoom");
  await page.screenshot({ path: shot(report, "zoom") });
  await button.click();
  const again = await path();
  const numbers = (d) => d.match(/-?[\d.]+/g).map(Number);
  const far = numbers(again).some((x, i) => Math.abs(x - numbers(whole)[i]) > 0.02);
  if (far) complain("zooming out does not give back the whole curve");
  else exercised.zoom += 1;
}

async function toggle(page, complain) {
  const box = await page.$(".legend input");
  if (box === null) return;
  const hidden = () => page.$$eval(".line.off", (nodes) => nodes.length);
  await box.click();
  const off = await hidden();
  await box.click();
  if (off > 0 && (await hidden()) === 0) exercised.toggle += 1;
  else complain(`a box of a legend hides ${off} lines and leaves ${await hidden()} hidden`);
}

async function sort(page, complain) {
  for (const table of await page.$$("table.sortable")) {
    const column = await table.evaluate((node) => {
      node.closest("details")?.setAttribute("open", "");
      const rows = [...node.tBodies[0].rows];
      const value = (row, i) => row.cells[i].dataset.v;
      const cells = [...node.tHead.rows[0].cells].map((_, i) => rows.map((row) => value(row, i)));
      return cells.findIndex((values) => values.every((v) => v !== undefined) && new Set(values).size > 1);
    });
    if (column < 0) continue;
    const head = (await table.$$("thead th"))[column];
    const values = () => table.evaluate((node, i) => [...node.tBodies[0].rows].map((row) => Number(row.cells[i].dataset.v)), column);
    const isSorted = (list, sign) => list.every((x, i) => i === 0 || sign * (x - list[i - 1]) >= 0);
    await (await head.$("button")).click();
    const up = await values();
    const said = await head.evaluate((node) => node.getAttribute("aria-sort"));
    await (await head.$("button")).click();
    const down = await values();
    if (isSorted(up, 1) && isSorted(down, -1) && said === "ascending") exercised.sort += 1;
    else complain(`a table sorts to ${up} and ${down}, and says ${said}`);
    return;
  }
}

async function withoutScript(report) {
  const { page, complain } = await open(report, { width: 375, theme: "light", script: false });
  const seen = await page.evaluate(() => [document.querySelectorAll("main section").length, document.querySelectorAll("button, input").length]);
  if (seen[0] < 3 || seen[1] !== 0) complain(`it has ${seen[0]} parts and ${seen[1]} controls that do nothing`);
  else exercised.noscript += 1;
  await page.screenshot({ path: shot(report, "noscript"), fullPage: true });
  await page.close();
}

async function print(report) {
  const { page, complain } = await open(report, { width: 1440, theme: "dark" });
  const file = shot(report, "print").replace(/png$/, "pdf");
  await page.pdf({ path: file, format: "A4", margin: { top: "12mm", bottom: "12mm", left: "12mm", right: "12mm" } });
  if (fs.statSync(file).size < 10_000) complain("it prints next to nothing");
  else exercised.print += 1;
  await page.emulateMediaType("print");
  const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  if (ground !== "rgb(255, 255, 255)") complain(`it prints on ${ground}`);
  await page.close();
}

// Names of classes, files and groups must arrive as text.
async function harmless(report) {
  const { page, complain } = await open(report, { width: 1440, theme: "light" });
  const strangers = await page.evaluate(() => {
    const images = [...document.images].filter((image) => !image.src.startsWith("data:image/png;base64,")).length;
    const scripts = document.scripts.length - 1;
    const handlers = [...document.querySelectorAll("*")].filter((node) =>
      [...node.attributes].some((attribute) => attribute.name.startsWith("on"))).length;
    return { images, scripts, handlers, frames: document.querySelectorAll("iframe, object, embed, link, base").length };
  });
  for (const [what, n] of Object.entries(strangers)) if (n !== 0) complain(`${n} ${what} that the page does not make itself`);
  const text = await page.evaluate(() => document.body.textContent);
  const source = fs.readFileSync(report, "utf8");
  if (source.includes("&lt;img src=x onerror=alert(1)&gt;") && !text.includes("<img src=x onerror=alert(1)>")) complain("a class name is not shown as it is");
  await page.close();
}

try {
  for (const report of reports) {
    for (const width of WIDTHS) for (const theme of THEMES) await look(report, width, theme);
    await use(report);
    await withoutScript(report);
    await print(report);
    await harmless(report);
  }
} finally {
  await browser.close();
  fs.rmSync(profile, { recursive: true, force: true });
}
for (const [what, n] of Object.entries(exercised)) if (n === 0) failures.push(`no page exercised ${what}`);
for (const failure of failures) console.error(failure);
console.log(`${reports.length} reports, ${reports.length * 4} views: ${failures.length} complaints; exercised ${JSON.stringify(exercised)}`);
process.exit(failures.length === 0 ? 0 : 1);
