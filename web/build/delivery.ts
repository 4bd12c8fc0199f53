/**
 * What makes the pages arrive soon: how much a class needs at first is bounded, asked for at once, and small.
 *
 * A class on a county line would otherwise learn only from the first script that it needs a second, and from that which
 * others: a round trip each. Its pages name them all in their head. And everything is squeezed here, once, as hard as
 * it goes, so that no server does it again for every class.
 */

import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { Plugin, Rolldown } from "vite";

type Bundle = Rolldown.OutputBundle;

const BUDGET = 90_000; // bytes, gzip: a class on a county line has its page in a second or two
const PAGES: { [file: string]: string } = { class: "src/view/pages/ClassPage.vue", live: "src/view/pages/LivePage.vue" };
const MAIN = "src/main.ts";
const WORTH = 700; // bytes: what is smaller comes in one packet anyway
const TEXT = /\.(?:js|css|html|svg|json|txt|webmanifest)$/;

interface Graph {
  getModuleInfo(id: string): { importedIds: string[]; code: string | null } | null;
}

const ICONS = /[\\/]lucide-vue\.\w+$/;
const ICON = /[\\/]icons[\\/]([\w-]+)\.\w+$/;

/** The files of the icons a module imports by name: `circle-alert` for `CircleAlert`. */
export function iconsIn(code: string): Set<string> {
  const names = [...code.matchAll(/import\s*\{([^}]*)\}\s*from\s*["']@lucide\/vue["']/g)].flatMap((match) => (match[1] ?? "").split(","));
  return new Set(names.map((name) => (name.trim().split(/\s/)[0] ?? "").replace(/(?<!^)([A-Z]|\d+)/g, "-$1").toLowerCase()));
}

/**
 * Which file a module goes into: one has all that opens a class's page, one what the lesson needs beside it; null for
 * what no class needs at first. In the 44 files that come of themselves, each squeezed alone, the same weighs a seventh more.
 */
export function fileOf(root: string): (id: string, graph: Graph) => string | null {
  let files: Map<string, string> | null = null;
  return (id, graph) => {
    if (!files) {
      const found = (files = new Map<string, string>());
      const visit = (module: string, file: string) => {
        if (found.has(module)) return;
        found.set(module, file);
        const { importedIds = [], code } = graph.getModuleInfo(module) ?? {};
        const icons = iconsIn(code ?? "");
        for (const one of importedIds) {
          // One module has all the icons there are: of these the ones that are named here, and no others.
          const those = ICONS.test(one) ? (graph.getModuleInfo(one)?.importedIds ?? []).filter((icon) => icons.has(ICON.exec(icon)?.[1] ?? "")) : [one];
          for (const each of those) visit(each, file);
        }
      };
      for (const source of [MAIN, PAGES.class ?? ""]) visit(resolve(root, source), "class");
      visit(resolve(root, PAGES.live ?? ""), "live");
    }
    return files.get(id) ?? null;
  };
}

/** Puts what a class needs into few files. */
export function together(): Plugin {
  return {
    name: "tongke-together",
    apply: "build",
    config: ({ root = "." }) => {
      const name = fileOf(resolve(root));
      return { build: { rolldownOptions: { output: { codeSplitting: { groups: [{ name, debugName: "of a class" }] } } } } };
    },
  };
}

/** Fails the build of a class page that has become too large. */
export function budget(): Plugin {
  return {
    name: "tongke-budget",
    apply: "build",
    generateBundle(_, bundle) {
      let total = 0;
      for (const file of needed(bundle, ...Object.values(PAGES))) {
        const item = bundle[file];
        if (item) total += gzipSync(item.type === "chunk" ? item.code : item.source, { level: 9 }).length; // as it is sent
      }
      const line = `class page, first load: ${(total / 1000).toFixed(1)} kB gzip of ${BUDGET / 1000} kB`;
      if (total > BUDGET) this.error(line);
      this.info(line);
    },
  };
}

/** Writes the pages of a class beside index.html, each naming what it needs, and everything squeezed beside itself. */
export function delivery(): Plugin {
  return {
    name: "tongke-delivery",
    apply: "build",
    enforce: "post",
    writeBundle({ dir = "dist" }, bundle) {
      const index = readFileSync(join(dir, "index.html"), "utf-8");
      for (const [name, source] of Object.entries(PAGES)) writeFileSync(join(dir, `${name}.html`), ahead(index, needed(bundle, source)));
      for (const folder of [dir, join(dir, "assets")]) for (const name of readdirSync(folder)) squeeze(join(folder, name));
    },
  };
}

/** The page with a line in its head for every file that it does not name yet. */
export function ahead(page: string, files: Iterable<string>): string {
  const lines = [...files]
    .filter((file) => !page.includes(`/${file}"`))
    .map((file) => (file.endsWith(".css") ? `<link rel="stylesheet" crossorigin href="/${file}">` : `<link rel="modulepreload" crossorigin href="/${file}">`));
  return page.replace("</head>", `${lines.map((line) => `  ${line}\n  `).join("")}</head>`);
}

/** The entry, these pages, and all that they import. */
function needed(bundle: Bundle, ...pages: string[]): Set<string> {
  const found = new Set<string>();
  const visit = (file: string) => {
    const chunk = bundle[file];
    if (found.has(file) || !chunk) return;
    found.add(file);
    if (chunk.type !== "chunk") return;
    chunk.imports.forEach(visit);
    chunk.viteMetadata?.importedCss.forEach((css) => found.add(css));
  };
  for (const [file, chunk] of Object.entries(bundle)) {
    if (chunk.type !== "chunk") continue;
    const has = (page: string) => chunk.moduleIds.some((id) => id.replace(/\?.*$/, "").endsWith(page));
    if (chunk.isEntry || pages.some(has)) visit(file);
  }
  return found;
}

function squeeze(path: string): void {
  if (!TEXT.test(path) || statSync(path).size < WORTH) return;
  const text = readFileSync(path);
  writeFileSync(`${path}.gz`, gzipSync(text, { level: 9 }));
  writeFileSync(`${path}.br`, brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: text.length } }));
}
