import { createApp, h } from "vue";

createApp({ render: () => h("h1", "同课") }).mount("#app");
