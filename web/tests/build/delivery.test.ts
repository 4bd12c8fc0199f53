import { expect, test } from "vitest";
import { ahead, fileOf, iconsIn } from "../../build/delivery";

const PAGE = '<head>\n    <script type="module" src="/assets/index-1.js"></script>\n  </head>';

test("a page names ahead what it will ask for, each once", () => {
  const page = ahead(PAGE, ["assets/index-1.js", "assets/ClassPage-2.js", "assets/ClassPage-3.css"]);
  expect(page.match(/index-1\.js/g)).toHaveLength(1);
  expect(page).toContain('<link rel="modulepreload" crossorigin href="/assets/ClassPage-2.js">');
  expect(page).toContain('<link rel="stylesheet" crossorigin href="/assets/ClassPage-3.css">');
  expect(page.indexOf("ClassPage-3")).toBeLessThan(page.indexOf("</head>"));
});

test("what a class needs lies in two files: one opens its page, one has the lesson; and of the icons only its own", () => {
  const barrel = "/m/lucide-vue.mjs";
  const modules: { [id: string]: { importedIds: string[]; code?: string } } = {
    "/web/src/main.ts": { importedIds: ["/m/vue.js"] },
    "/web/src/view/pages/ClassPage.vue": { importedIds: ["/m/vue.js", "/web/src/http.ts"] },
    "/web/src/view/pages/LivePage.vue": { importedIds: ["/web/src/http.ts", "/web/src/room.ts", barrel], code: 'import { Hand, Volume2 as Loud } from "@lucide/vue";' },
    [barrel]: { importedIds: ["/m/icons/hand.mjs", "/m/icons/volume-2.mjs", "/m/icons/school.mjs"] },
  };
  const file = fileOf("/web");
  const graph = { getModuleInfo: (id: string) => ({ code: null, importedIds: [], ...modules[id] }) };
  const files = ["/m/vue.js", "/web/src/http.ts", "/web/src/room.ts", "/m/icons/hand.mjs", "/m/icons/volume-2.mjs", "/m/icons/school.mjs", "/web/src/studio.ts"];
  expect(files.map((id) => file(id, graph))).toEqual(["class", "class", "live", "live", "live", null, null]);
});

test("an icon's file has its name in small letters", () => {
  expect([...iconsIn('import { CircleAlert, Volume2, X } from "@lucide/vue";\nimport { ref } from "vue";')]).toEqual(["circle-alert", "volume-2", "x"]);
});
