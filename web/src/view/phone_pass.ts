/** What a phone got for its ticket. Lives as long as the tab, so that a reload stays in the lesson. */

export interface PhonePass {
  token: string;
  title: string;
}

export function phonePass(lessonId: string): PhonePass | null {
  try {
    return JSON.parse(sessionStorage.getItem(`tongke.phone.${lessonId}`) ?? "null") as PhonePass | null;
  } catch {
    return null;
  }
}

export function keepPhone(lessonId: string, pass: PhonePass | null): void {
  try {
    if (pass) sessionStorage.setItem(`tongke.phone.${lessonId}`, JSON.stringify(pass));
    else sessionStorage.removeItem(`tongke.phone.${lessonId}`);
  } catch {
    // without storage a reload needs another code
  }
}
