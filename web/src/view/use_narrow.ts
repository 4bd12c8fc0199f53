/** Whether the page stands on a telephone, where a bar has room for seven buttons and no words. */

import { onScopeDispose, readonly, ref } from "vue";

export function useNarrow() {
  const query = matchMedia("(max-width: 640px)");
  const narrow = ref(query.matches);
  const update = () => (narrow.value = query.matches);
  query.addEventListener("change", update);
  onScopeDispose(() => query.removeEventListener("change", update));
  return readonly(narrow);
}
