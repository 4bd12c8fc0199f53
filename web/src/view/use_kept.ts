/** A choice somebody made once and finds again next time, in their own browser. */

import { ref, type Ref, watch } from "vue";

/** `sound`: whether what was found is still a choice; pages change, kept words stay. */
export function useKept<T extends string>(key: string, fallback: T, sound: (word: string) => word is T): Ref<T> {
  const value = ref(fallback) as Ref<T>;
  const store = ownStore();
  const found = store.getItem(key);
  if (found !== null && sound(found)) value.value = found;
  watch(value, (now) => {
    try {
      store.setItem(key, now);
    } catch {
      // full: it is forgotten
    }
  });
  return value;
}

/** The browser's own store; where it is forbidden, one that forgets. */
export function ownStore(): Pick<Storage, "getItem" | "setItem"> {
  try {
    return localStorage;
  } catch {
    return { getItem: () => null, setItem: () => undefined };
  }
}
