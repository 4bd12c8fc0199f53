/** Whoever taught here before the page was loaded again goes on teaching without a press. */

export function useTeaching(lessonId: string) {
  const key = `tongke.teaching.${lessonId}`;

  function remembered(): boolean {
    try {
      return sessionStorage.getItem(key) === "1";
    } catch {
      return false;
    }
  }

  function remember(teaching: boolean): void {
    try {
      if (teaching) sessionStorage.setItem(key, "1");
      else sessionStorage.removeItem(key);
    } catch {
      // one press more after a reload
    }
  }

  return { taught: remembered(), remember };
}
