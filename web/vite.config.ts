import { gzipSync } from "node:zlib";
import vue from "@vitejs/plugin-vue";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";
import { messages } from "./build/messages.ts";

// A class on a county line loads its page in a second or two: what it needs first stays below this, or the build fails.
const BUDGET = 90_000; // bytes, gzip
const FIRST_LOAD = ["src/main.ts", "src/view/pages/ClassPage.vue", "src/view/pages/LivePage.vue"];

function budget(): Plugin {
  return {
    name: "tongke-budget",
    apply: "build",
    generateBundle(_, bundle) {
      const needed = new Set<string>();
      const visit = (file: string) => {
        const chunk = bundle[file];
        if (needed.has(file) || !chunk) return;
        needed.add(file);
        if (chunk.type !== "chunk") return;
        chunk.imports.forEach(visit);
        chunk.viteMetadata?.importedCss.forEach((css) => needed.add(css));
      };
      for (const [file, chunk] of Object.entries(bundle)) {
        if (chunk.type !== "chunk") continue;
        const source = chunk.facadeModuleId?.replace(/\?.*$/, "") ?? "";
        if (chunk.isEntry || FIRST_LOAD.some((name) => source.endsWith(name))) visit(file);
      }
      let total = 0;
      for (const file of needed) {
        const item = bundle[file];
        if (item) total += gzipSync(item.type === "chunk" ? item.code : item.source).length;
      }
      const line = `class page, first load: ${(total / 1000).toFixed(1)} kB gzip of ${BUDGET / 1000} kB`;
      if (total > BUDGET) this.error(line);
      this.info(line);
    },
  };
}

export default defineConfig({
  plugins: [vue(), messages(), budget()],
  define: {
    __VUE_OPTIONS_API__: "false",
    __VUE_PROD_DEVTOOLS__: "false",
    __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: "false",
    __INTLIFY_DROP_MESSAGE_COMPILER__: "true",
    __INTLIFY_PROD_DEVTOOLS__: "false",
  },
  build: { target: "chrome86", cssTarget: "chrome86", outDir: "dist", emptyOutDir: true, assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  server: {
    proxy: {
      "/api": "http://127.0.0.1:8080",
      "/archive": "http://127.0.0.1:8080",
      "/ws": { target: "ws://127.0.0.1:8080", ws: true },
    },
  },
  test: { environment: "node", include: ["tests/**/*.test.ts"] },
});
