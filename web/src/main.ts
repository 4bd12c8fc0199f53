import { createApp } from "vue";
import { firstLocale, setLocale } from "./i18n";
import { router } from "./routes";
import "./styles/tokens.css";
import "./styles/base.css";
import App from "./view/App.vue";

void setLocale(firstLocale())
  .catch(() => undefined) // its words could not be fetched: Chinese is here
  .then(() => createApp(App).use(router).mount("#app"));
