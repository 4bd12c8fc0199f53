/** A catalogue as it stands in its file: the query keeps the build's message compiler away from it. */
declare module "*?as-written" {
  export type Texts = { [key: string]: string | Texts };
  const texts: Texts;
  export default texts;
}
