/**
 * What makes the pages arrive soon: how much a class needs at first is bounded, asked for at once, and small.
 *
 * A class on a county line would otherwise learn only from the first script that it needs a second, and from that which
 * others: a round trip each. Its pages name them all in their head. And everything is squeezed here, once, as hard as
 * it goes, so that no server does it again for every class.
 */

import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { Plugin, Rolldown } from "vite";

type Bundle = Rolldown.OutputBundle;

const BUDGET = 90_000; // bytes, gzip: a class on a county line has its page in a second or two
const PAGES: { [file: string]: string } = { class: "src/view/pages/ClassPage.vue", live: "src/view/pages/LivePage.vue" };
const WORTH = 700; // bytes: what is smaller comes in one packet anyway
const TEXT = /\.(?:js|css|html|svg|json|txt|webmanifest)$/;

/** Fails the build of a class page that has become too large. */
export function budget(): Plugin {
  return {
    name: "tongke-budget",
    apply: "build",
    generateBundle(_, bundle) {
      let total = 0;
      for (const file of needed(bundle, ...Object.values(PAGES))) {
        const item = bundle[file];
        if (item) total += gzipSync(item.type === "chunk" ? item.code : item.source).length;
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
    const source = chunk.facadeModuleId?.replace(/\?.*$/, "") ?? "";
    if (chunk.isEntry || pages.some((page) => source.endsWith(page))) visit(file);
  }
  return found;
}

function squeeze(path: string): void {
  if (!TEXT.test(path) || statSync(path).size < WORTH) return;
  const text = readFileSync(path);
  writeFileSync(`${path}.gz`, gzipSync(text, { level: 9 }));
  writeFileSync(`${path}.br`, brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: text.length } }));
}
