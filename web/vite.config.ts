import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vitest/config";
import { budget, delivery, together } from "./build/delivery.ts";
import { messages } from "./build/messages.ts";

export default defineConfig({
  plugins: [vue(), messages(), together(), budget(), delivery()],
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
