/** Pages by address. Each is its own chunk; a class loads the class page and the lesson, and no more. */

import { createRouter, createWebHistory } from "vue-router";

export const router = createRouter({
  history: createWebHistory(),
  routes: [
    { path: "/", name: "home", component: () => import("./view/pages/HomePage.vue") },
    { path: "/login", name: "login", component: () => import("./view/pages/LoginPage.vue") },
    { path: "/lessons", name: "lessons", component: () => import("./view/pages/LessonsPage.vue") },
    { path: "/lessons/:id/guide", name: "guide", component: () => import("./view/pages/GuidePage.vue"), props: true },
    { path: "/class", name: "class", component: () => import("./view/pages/ClassPage.vue") },
    { path: "/live/:id", name: "live", component: () => import("./view/pages/LivePage.vue"), props: true },
    { path: "/teach/:id", name: "teach", component: () => import("./view/pages/TeachPage.vue"), props: true },
    { path: "/teach/:id/audience", name: "audience", component: () => import("./view/pages/AudiencePage.vue"), props: true },
    { path: "/phone/:id", name: "phone", component: () => import("./view/pages/PhonePage.vue"), props: true },
    { path: "/remote/:id", name: "remote", component: () => import("./view/pages/RemotePage.vue"), props: true },
    { path: "/replay/:id", name: "replay", component: () => import("./view/pages/ReplayPage.vue"), props: true },
    { path: "/preflight", name: "preflight", component: () => import("./view/pages/PreflightPage.vue"), props: ({ query }) => ({ audience: query.for === "teacher" ? "teacher" : "class" }) },
    { path: "/admin", redirect: "/admin/schools" },
    { path: "/admin/:section(schools|accounts)", name: "admin", component: () => import("./view/pages/AdminPage.vue"), props: true },
    { path: "/:rest(.*)*", name: "lost", component: () => import("./view/pages/LostPage.vue") },
  ],
  scrollBehavior: () => ({ top: 0 }),
});

// After an update of the server an open page asks for chunks that are gone: load the new page instead, once.
router.onError((error: unknown, to) => {
  if (/dynamically imported module|Importing a module script failed/i.test(String(error))) location.assign(to.fullPath);
});
