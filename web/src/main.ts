import { createApp } from "vue";
import { keptLocale, setLocale } from "./i18n";
import { router } from "./routes";
import "./styles/tokens.css";
import "./styles/base.css";
import App from "./view/App.vue";

void setLocale(keptLocale())
  .catch(() => undefined) // English could not be fetched: Chinese is here
  .then(() => createApp(App).use(router).mount("#app"));
